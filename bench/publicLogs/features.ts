// What a running job can measure at a probe that might tell a language model that sees its data once from a small job that
// sees it often: beside what the switch rule weighs, the numbers that candidates are made of.

import type { TunerState } from '../../tuner/index.ts'
import { costInputOf, gainOf, memorisingNow } from '../../tuner/phases/judgement.ts'
import { switchFactorGap, waitingLoss } from '../../tuner/phases/marginalCost.ts'
import { holdShare } from '../../tuner/plan/bounds.ts'
import { readSignals } from '../../tuner/signals/signals.ts'
import { type RuleRecord, ruleRecordOf } from '../decisions/rule.ts'

/** Null = not measured. */
export type FeatureRecord = RuleRecord & {
  /** Step over the budget. */
  readonly share: number
  /** Steps of the whole run. */
  readonly length: number
  /** Held-out loss of averaged weights, and D as a share of it. */
  readonly averagedLoss: number | null
  readonly gapShare: number | null
  /** Mean training loss of the last tenth of the steps over the mean raw held-out loss of the probes there. */
  readonly trainingRatio: number | null
  /** Exponent of the fitted power law, by the shares of its terms. */
  readonly exponent: number | null
  /** Error of what staying gains, as a share of it. */
  readonly stayingError: number | null
  /** P(staying gains no more than annealing). */
  readonly probability: number | null
  /** What a switch at the end of the hold would end above one now, on the fitted curve, with b = `waitingFactor` · D. */
  readonly waiting: number | null
  /** Fall of held-out over fall of training loss, as estimators/memorising.ts reads it, with its error. */
  readonly fallRatio: number | null
  readonly fallRatioError: number | null
  /** Rate × steps so far, and the mean gradient norm of the last samples. */
  readonly rateSteps: number | null
  readonly gradientNorm: number | null
}

/** b = .45 · D: what fits language models (docs of the record). */
export const waitingFactor = 0.45
/** Training losses and probes that are compared lie in this last share of the steps. */
const recentShare = 0.1

/** `gradientNorm` is given by who has it, as the tuner keeps none. */
export function featuresOf(state: TunerState, gradientNorm: number | null = null): FeatureRecord {
  const record = ruleRecordOf(state)
  const { seen, budgetSteps } = state
  const reading = readSignals(seen.signals)
  const { fit } = reading.valley
  const gain = gainOf(state, reading)
  const input = costInputOf(state, reading, gain)
  const averagedLoss = seen.signals.averagedLosses.at(-1) ?? null
  const { gap } = reading
  const length = budgetSteps ?? seen.step
  const hold = Math.round(holdShare * length)
  const scaled = gap.value === null ? gap : { ...gap, value: (gap.value * waitingFactor) / switchFactorGap }
  const memorising = memorisingNow(state)
  return {
    ...record,
    share: seen.step / length,
    length,
    averagedLoss,
    gapShare: gap.value === null || averagedLoss === null ? null : gap.value / averagedLoss,
    trainingRatio: trainingRatioOf(state),
    exponent:
      fit === null ? null : fit.terms.reduce((sum, { exponent, share }) => sum + exponent * share, 0),
    stayingError: null,
    probability: null,
    waiting:
      input === undefined || hold <= seen.step || !((gap.value ?? 0) > 0)
        ? null
        : waitingLoss(
            { ...input, gap: scaled, step: hold, runLength: input.runLength + hold - seen.step },
            seen.step,
          ),
    fallRatio: memorising?.ratio ?? null,
    fallRatioError: memorising?.standardError ?? null,
    rateSteps: seen.learningRate === null ? null : seen.learningRate * seen.step,
    gradientNorm,
  }
}

function trainingRatioOf({ seen }: TunerState): number | null {
  const { lossBlocks, probeLosses, averagedSteps } = seen.signals
  const from = (1 - recentShare) * seen.step
  const blocks = lossBlocks.blocks.filter(({ step }) => step >= from)
  const probes = probeLosses.slice(-averagedSteps.length).filter((_, index) => averagedSteps[index]! >= from)
  if (blocks.length === 0 || probes.length === 0) return null
  const training = blocks.reduce((sum, { mean }) => sum + mean, 0) / blocks.length
  return training / (probes.reduce((sum, loss) => sum + loss, 0) / probes.length)
}
