// Steering without a budget: each probe of the large phase goes to the sequential test, and here is what it says: hold,
// with the evidence so far, or switch. The tolerance is a share of what annealing would gain now, D or else G.

import type { DecisionTest } from '../../../protocol/vocabulary.ts'
import { toleranceShare, toleranceSteps } from '../../constants.ts'
import type { Estimate } from '../../estimators/estimator.ts'
import { slopeAt } from '../../estimators/valleySlope.ts'
import { formatEvidence, formatNumber } from '../../record/sentences.ts'
import type { TunerState } from '../../state.ts'
import type { Judgement } from './judgement.ts'
import { annealingScale } from './marginalCost.ts'
import { openAnnealSteps } from './openAnneal.ts'
import {
  foldSequentialProbe,
  initialSequentialTest,
  interrupted,
  readSequentialTest,
  type SequentialTestState,
} from './sequentialTest.ts'

/** δ: loss per step; null = no gain of annealing is measured. */
export function tolerancePerStep({ reading, gain }: Pick<Judgement, 'reading' | 'gain'>): number | null {
  const positive = ({ value }: Estimate): number | null => (value !== null && value > 0 ? value : null)
  const worth = positive(reading.gap) ?? positive(gain)
  return worth === null ? null : (toleranceShare * worth) / toleranceSteps
}

/** The test with the newest probe. A rate set by hand, weights that went back, and a budget are no part of it. */
export function foldedSequential(state: TunerState, judgement: Judgement): SequentialTestState {
  const { sequential, budgetSteps, override, step, validFromStep } = state
  if (budgetSteps !== null) return initialSequentialTest
  if (override !== null) return interrupted(sequential)
  const averagedLoss = state.signals.averagedLosses.at(-1) ?? Number.NaN
  const isContinued = sequential.lastStep >= validFromStep
  return foldSequentialProbe(isContinued ? sequential : interrupted(sequential), {
    step,
    averagedLoss,
    tolerancePerStep: tolerancePerStep(judgement),
  })
}

/** Why it is not yet time to switch. */
export function whyOpenHold(state: TunerState, judgement: Judgement): string {
  const { evidence, evidenceNeeded, blockCount, blocksNeeded, lookCount } = readSequentialTest(
    state.sequential,
  )
  if (lookCount === 0 && blockCount < blocksNeeded)
    return `not enough evidence yet (${blockCount} of ${blocksNeeded} probes)`
  const tolerance = tolerancePerStep(judgement)
  if (tolerance === null)
    return 'no gain of annealing is measured, so there is nothing to compare a step with: the switch waits for you'
  const worth = `${formatNumber(tolerance * toleranceSteps)} per ${toleranceSteps} steps`
  return `evidence ${formatEvidence(evidence)} of ${evidenceNeeded} needed that going on gains less than ${worth}`
}

export function sequentialTestOf({ sequential }: TunerState): DecisionTest {
  const { evidence, evidenceNeeded, satisfied, lookCount } = readSequentialTest(sequential)
  return {
    key: 'sequential',
    left: { value: evidence, standardError: null },
    relation: '>=',
    right: {
      value: evidenceNeeded,
      standardError: null,
    },
    satisfied,
    hits: { met: satisfied ? lookCount : 0, of: lookCount },
    probability: null,
  }
}

/** Length of the anneal from the present step; null = not measured. */
export function measuredAnnealSteps(state: TunerState, { reading, gain }: Judgement): number | null {
  const scale = annealingScale(gain, reading.gap)
  const tolerance = tolerancePerStep({ reading, gain })
  if (scale === null || tolerance === null) return null
  const { fit } = reading.valley
  const slope = fit === null ? null : slopeAt(fit, state.largeSteps).value
  return openAnnealSteps({
    step: state.step,
    scale: scale.value,
    slope: slope ?? tolerance,
    tolerancePerStep: tolerance,
  })
}
