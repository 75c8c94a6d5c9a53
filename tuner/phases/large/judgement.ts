// What the switch rule has to weigh at a step: all signals, the gain of annealing at the present rate, and the two
// sides of the rule where both are known. Which numbers it weighs is in rules/marginalCost.ts.

import type { DecisionTest } from '../../../protocol/vocabulary.ts'
import { switchHitsWindow } from '../../constants.ts'
import { annealingGain } from '../../estimators/annealingGain.ts'
import { type Estimate, noEstimate } from '../../estimators/estimator.ts'
import { effectiveRate, isAdam } from '../../options.ts'
import { readSignals, type SignalsReading } from '../../signals/signals.ts'
import type { TunerState } from '../../state.ts'
import { type MarginalCost, type MarginalCostInput, marginalCost, marginalCostTest } from './marginalCost.ts'
import { sequentialTestOf } from './openSteering.ts'

export const switchRule = { id: 'marginal-cost', version: 1 } as const

export type Judgement = {
  readonly reading: SignalsReading
  readonly gain: Estimate
  readonly cost: MarginalCost | undefined
}

/** The present measurement. `reading` is that of the state's signals, where it is known: it is dear to make. */
export function judgementNow(state: TunerState, reading = readSignals(state.signals)): Judgement {
  const gain = gainOf(state, reading)
  return { reading, gain, cost: costOf(state, reading, gain) }
}

/**
 * G at the present rate. Adam moves by M⁻¹g, so its noise is that in the norm of M⁻¹; the plain one would be wrong by
 * orders of magnitude, and where only that is known G has no value.
 */
export function gainOf(state: TunerState, reading: SignalsReading): Estimate {
  const { learningRate, momentum, options, signals } = state
  if (learningRate === null || !(learningRate > 0) || signals.batchSize === null) return noEstimate(0, 1)
  return annealingGain({
    effectiveLearningRate: effectiveRate(options, learningRate, momentum),
    batchSize: signals.batchSize,
    traceSigma: isAdam(options) ? reading.preconditionedTraceSigma : reading.traceSigma,
    noiseCurvature: reading.noiseCurvature,
  })
}

function costOf(state: TunerState, reading: SignalsReading, gain: Estimate): MarginalCost | undefined {
  const input = costInputOf(state, reading, gain)
  return input === undefined ? undefined : marginalCost(input)
}

/** What the rule weighs; undefined where there is no budget, no fit, or nothing left. */
export function costInputOf(
  state: TunerState,
  reading: SignalsReading,
  gain: Estimate,
): MarginalCostInput | undefined {
  const { budgetSteps, step, largeSteps } = state
  const { fit } = reading.valley
  if (budgetSteps === null || fit === null || step >= budgetSteps) return undefined
  return { step, budgetSteps, largeSteps, valley: fit, gain, gap: reading.gap }
}

const hitsOf = ({ rule: { satisfied } }: TunerState): DecisionTest['hits'] => ({
  met: satisfied.filter(Boolean).length,
  of: Math.min(switchHitsWindow, Math.max(1, satisfied.length)),
})

export function testOf(state: TunerState, cost: MarginalCost | undefined): { test?: DecisionTest } {
  if (state.budgetSteps === null) return { test: sequentialTestOf(state) }
  return cost === undefined ? {} : { test: marginalCostTest(cost, hitsOf(state)) }
}
