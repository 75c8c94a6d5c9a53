// What a running job can measure at a probe that might tell a language model that sees its data once from a small job that sees
// it often: beside what the switch rule weighs, the numbers that gates are made of.

import { mean } from '../../tuner/estimators/uncertainty.ts'
import type { TunerState } from '../../tuner/index.ts'
import { judgementNow } from '../../tuner/phases/judgement.ts'
import { lengthOf, originOf } from '../../tuner/plan/bounds.ts'
import { type RuleRecord, ruleRecordOf } from '../decisions/rule.ts'

/** Null = not measured. */
export type FeatureRecord = RuleRecord & {
  /** Steps taken over those of the run. */
  readonly share: number
  readonly length: number
  /** D as a share of the averaged held-out loss, and the error of D as a share of it. */
  readonly gapShare: number | null
  readonly gapError: number | null
  /** Error of what staying gains, as a share of it. */
  readonly stayingError: number | null
  /** Mean training loss over mean held-out loss, both of the last tenth of the steps, weights as they are. */
  readonly trainingRatio: number | null
  /** Exponent of the averaged loss's power law: the mean over its terms. */
  readonly exponent: number | null
}

/** Training losses and probes that are compared lie in this last share of the steps. */
const recentShare = 0.1

export function featuresOf(state: TunerState): FeatureRecord {
  const { seen } = state
  const { reading, cost } = judgementNow(state)
  const { gap, valley } = reading
  const length = lengthOf(state) ?? seen.step
  const averagedLoss = seen.signals.averagedLosses.at(-1) ?? null
  return {
    ...ruleRecordOf(state),
    share: (seen.step - originOf(state)) / length,
    length,
    gapShare: ratio(gap.value, averagedLoss),
    gapError: ratio(gap.standardError, gap.value),
    stayingError: ratio(cost?.staying.standardError ?? null, cost?.staying.value ?? null),
    trainingRatio: trainingRatioOf(state),
    exponent:
      valley.fit === null
        ? null
        : valley.fit.terms.reduce((sum, { exponent, share }) => sum + exponent * share, 0),
  }
}

const ratio = (above: number | null, below: number | null): number | null =>
  above === null || below === null || !(below > 0) ? null : above / below

function trainingRatioOf(state: TunerState): number | null {
  const { step, signals } = state.seen
  const { lossBlocks, probeLosses, averagedSteps } = signals
  const elapsed = step - originOf(state)
  const isRecent = (at: number | undefined): boolean => at !== undefined && at >= (1 - recentShare) * elapsed
  const blocks = lossBlocks.blocks.filter((block) => isRecent(block.step))
  const probes = probeLosses.filter((_, index) => isRecent(averagedSteps[index]))
  if (blocks.length === 0 || probes.length === 0) return null
  return mean(blocks.map((block) => block.mean)) / mean(probes)
}
