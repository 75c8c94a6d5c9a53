// What there is to weigh at a step: all signals, the gain of annealing at the present rate, the two sides of the switch
// rule where both are known, whether going on is worth it where there is no budget, and the sign that more steps would memorise.
// The sign of memorising counts steps from the run's first one; all else here has the job's own numbers.

import type { DecisionTest } from '../../protocol/vocabulary.ts'
import { annealingGain } from '../estimators/annealingGain.ts'
import { type Estimate, noEstimate } from '../estimators/estimator.ts'
import { gapShare } from '../estimators/gapShare.ts'
import { type Memorising, memorisingOf, memorisingRatio, shortAnnealShare } from '../estimators/memorising.ts'
import { effectiveRate, offers, optimizerFamily } from '../options.ts'
import { deadlineStep, earliestSwitchStep, elapsedOf, endOf, originOf } from '../plan/bounds.ts'
import { comparison } from '../record/evidence.ts'
import { readSignals, type SignalsReading } from '../signals/signals.ts'
import type { Diminishing } from '../state.ts'
import { diminishingNow } from './diminishing.ts'
import { type MarginalCost, type MarginalCostInput, marginalCost } from './marginalCost.ts'
import type { Run } from './phase.ts'

export type Judgement = {
  readonly reading: SignalsReading
  readonly gain: Estimate
  readonly cost: MarginalCost | undefined
  /** Of a run without a budget. */
  readonly diminishing: Diminishing | undefined
  readonly memorising: Memorising | undefined
}

/** The present measurement. `reading` is that of the run's signals, where it is known: it is dear to make. */
export function judgementNow(run: Run, reading = readSignals(run.seen.signals)): Judgement {
  const gain = gainOf(run, reading)
  const input = costInputOf(run, reading, gain)
  const cost = input === undefined ? undefined : marginalCost(input)
  return {
    reading,
    gain,
    cost,
    diminishing: diminishingNow(run, reading, gain),
    memorising: memorisingNow(run),
  }
}

/**
 * G at the present rate. Adaptive optimizers move by M⁻¹g, so their noise is that in the norm of M⁻¹; the plain one would be
 * wrong by orders of magnitude, and where only that is known G has no value.
 */
export function gainOf({ seen, options }: Run, reading: SignalsReading): Estimate {
  const { learningRate, momentum, signals } = seen
  if (learningRate === null || !(learningRate > 0) || signals.batchSize === null) return noEstimate(0, 1)
  return annealingGain({
    effectiveLearningRate: effectiveRate(options, learningRate, momentum),
    batchSize: signals.batchSize,
    traceSigma: optimizerFamily(options) === 'sgd' ? reading.traceSigma : reading.preconditionedTraceSigma,
    noiseCurvature: reading.noiseCurvature,
  })
}

/** What the rule weighs; undefined where there is no budget, no fit, or nothing left. */
export function costInputOf(
  run: Run,
  reading: SignalsReading,
  gain: Estimate,
): MarginalCostInput | undefined {
  const end = endOf(run)
  const { step, runLength } = run.seen
  const { fit } = reading.valley
  if (end === null || fit === null || step >= end) return undefined
  const bounds = { earliest: earliestSwitchStep(run), deadline: deadlineStep(run) ?? end }
  const share = gapShare.read(run.seen.signals.gapShare, run.seen.learningRate)
  const isKnown = share.value !== null && share.value > 0 && share.standardError !== null
  const gapError = isKnown ? share.standardError! / share.value! : null
  return { step, end, ...bounds, runLength, valley: fit, gain, gap: reading.gap, gapError }
}

/** Undefined = there is too little to tell by, no held-out loss is reported, or the rate is not the large one. */
export function memorisingNow(run: Run): Memorising | undefined {
  const { options, seen, course } = run
  if (course.kind !== 'large' || !offers(options, 'heldOutLoss')) return undefined
  const { averagedLosses, averagedSteps, lossBlocks } = seen.signals
  return memorisingOf({
    step: elapsedOf(run),
    largeFromStep: course.fromStep - originOf(run),
    averagedLosses,
    averagedSteps,
    blocks: lossBlocks.blocks,
    blockSteps: lossBlocks.blockSteps,
  })
}

/** End of an anneal from the present step on where a longer one would memorise. */
export const shortAnnealEnd = (run: Run): number =>
  run.seen.step + Math.max(2, Math.ceil(shortAnnealShare * elapsedOf(run)))

/** The sign of memorising as a test in the record. */
export const memorisingTest = (
  { ratio: value, standardError, isMemorising: satisfied }: Memorising,
  hits: DecisionTest['hits'],
): DecisionTest =>
  comparison('memorising', { value, standardError }, '<', memorisingRatio, { satisfied, hits })

/** How many of the last verdicts, at most three, say so. */
export const hitsOf = (verdicts: readonly boolean[]): DecisionTest['hits'] => ({
  met: verdicts.filter(Boolean).length,
  of: verdicts.length,
})
