// What there is to weigh at a step: all signals, the gain of annealing at the present rate, the two sides of the switch
// rule where both are known, the price of a step where there is no budget, and the sign that more steps would memorise.
// The sign of memorising counts steps from the run's first one; all else here has the job's own numbers.

import type { DecisionTest } from '../../protocol/vocabulary.ts'
import { annealingGain } from '../estimators/annealingGain.ts'
import type { Block } from '../estimators/blocks.ts'
import { type Estimate, noEstimate } from '../estimators/estimator.ts'
import { type Memorising, memorisingOf, memorisingRatio, shortAnnealShare } from '../estimators/memorising.ts'
import { effectiveRate, offers, optimizerFamily } from '../options.ts'
import { deadlineStep, earliestSwitchStep, elapsedOf, endOf, lengthOf, originOf } from '../plan/bounds.ts'
import { annealRateShare } from '../plan/segments.ts'
import { comparison } from '../record/evidence.ts'
import { readSignals, type SignalsReading } from '../signals/signals.ts'
import { type MarginalCost, type MarginalCostInput, marginalCost } from './marginalCost.ts'
import type { Run } from './phase.ts'

/** δ where there is no budget: this share of what annealing would gain now, D or else G, per so many steps. Chosen. */
const toleranceShare = 0.02
export const toleranceSteps = 100

export type Judgement = {
  readonly reading: SignalsReading
  readonly gain: Estimate
  readonly cost: MarginalCost | undefined
  readonly memorising: Memorising | undefined
}

/** The present measurement. `reading` is that of the run's signals, where it is known: it is dear to make. */
export function judgementNow(run: Run, reading = readSignals(run.seen.signals)): Judgement {
  const gain = gainOf(run, reading)
  const input = costInputOf(run, reading, gain)
  const cost = input === undefined ? undefined : marginalCost(input)
  return { reading, gain, cost, memorising: memorisingNow(run) }
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
  const [end, length] = [endOf(run), lengthOf(run)]
  const { step, runLength } = run.seen
  const { fit } = reading.valley
  if (end === null || length === null || fit === null || step >= end) return undefined
  const bounds = { earliest: earliestSwitchStep(run), deadline: deadlineStep(run) ?? end }
  return { step, end, length, ...bounds, runLength, valley: fit, gain, gap: reading.gap }
}

/** δ: loss per step; null = no gain of annealing is measured. */
export function tolerancePerStep({ reading, gain }: Judgement): number | null {
  const positive = ({ value }: Estimate): number | null => (value !== null && value > 0 ? value : null)
  const worth = positive(reading.gap) ?? positive(gain)
  return worth === null ? null : (toleranceShare * worth) / toleranceSteps
}

/** What a whole anneal should take off the loss: G and D, or what there is of them. */
export function expectedGain({ gain, reading }: Judgement): number | null {
  const parts = [gain.value, reading.gap.value].filter((part) => part !== null && part > 0) as number[]
  if (parts.length === 0) return null
  // Powers before the product: losses may be as large as numbers go.
  return parts.reduce((product, part) => product * part ** (1 / parts.length), 1)
}

/** Undefined = there is too little to tell by, or no held-out loss is reported. */
export function memorisingNow(run: Run): Memorising | undefined {
  const { options, seen, course } = run
  if (!offers(options, 'heldOutLoss')) return undefined
  const { averagedLosses, averagedSteps, lossBlocks } = seen.signals
  const fromStep =
    course.kind === 'large' ? course.fromStep : course.kind === 'anneal' ? course.largeFromStep : null
  return memorisingOf({
    step: elapsedOf(run),
    largeFromStep: (fromStep ?? seen.step) - originOf(run),
    averagedLosses,
    averagedSteps,
    blocks: withNoise(run, lossBlocks.blocks),
    blockSteps: lossBlocks.blockSteps,
  })
}

/**
 * Training losses of an anneal as they would be at the large rate: what the anneal has taken off by now, in proportion to
 * the rate, is no learning. A valley that is level and noisy would look like memorising else.
 */
function withNoise(run: Run, blocks: readonly Block[]): readonly Block[] {
  const { course } = run
  if (course.kind !== 'anneal' || course.expectedGain === null) return blocks
  const { expectedGain: gain, fromStep } = course
  const origin = originOf(run)
  return blocks.map((block) => {
    const middle = origin + block.step + run.seen.signals.lossBlocks.blockSteps / 2
    if (middle <= fromStep) return block
    return { ...block, mean: block.mean + gain * (1 - annealRateShare(course, middle, lengthOf(run))) }
  })
}

/** End of an anneal from the present step on where a longer one would memorise. */
export const shortAnnealEnd = (run: Run): number =>
  run.seen.step + Math.max(2, Math.ceil(shortAnnealShare * elapsedOf(run)))

/** The sign of memorising as a test in the record. */
export const memorisingTest = (
  { ratio: value, standardError, isMemorising: satisfied }: Memorising,
  hits: DecisionTest['hits'] = { met: 1, of: 1 },
): DecisionTest =>
  comparison('memorising', { value, standardError }, '<', memorisingRatio, { satisfied, hits })

/** How many of the last verdicts, at most three, say so. */
export const hitsOf = (verdicts: readonly boolean[]): DecisionTest['hits'] => ({
  met: verdicts.filter(Boolean).length,
  of: verdicts.length,
})
