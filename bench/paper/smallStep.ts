// C. Momentum in the small-step regime. From the end of a large-step phase three arms fork: no momentum, tuned; momentum,
// tuned; momentum at the effective rate that is best without it. How many epochs each needs to an aim that does not depend
// on the fork, at small, larger and full batches. Least squares of known condition number beside it: leastSquares.ts.

import { type Checkpoint, disposeCheckpoint } from '../../trainer/checkpoints.ts'
import { divergedLoss } from './curves.ts'
import { type DivergenceSizes, divergenceRate } from './divergence.ts'
import type { Lab, Subject } from './lab.ts'
import { type LeastSquaresSizes, type MomentumGap, runLeastSquares } from './leastSquares.ts'
import { type OwnRatesResult, type OwnRatesSizes, runOwnRates } from './ownRates.ts'
import { type Reference, type ReferenceSizes, runReference } from './reference.ts'
import { type Interval, meanInterval, ratioInterval } from './statistics.ts'
import type { Store } from './store.ts'
import { type TunedRate, timeScore, tunedRate } from './tunedRate.ts'

export type SmallStepSizes = {
  /** Its subject is that of the large-step phase, its epochs are the length of it. */
  readonly large: DivergenceSizes
  readonly seeds: readonly number[]
  readonly tuningSeeds: readonly number[]
  readonly refinements: number
  readonly momentum: number
  readonly reference: ReferenceSizes
  readonly batches: readonly BatchSizes[]
  readonly leastSquares: LeastSquaresSizes
  readonly ownRates: OwnRatesSizes
}
/** `epochsMax`: the most epochs that a run may take; `middleRate`: where tuning starts. */
export type BatchSizes = {
  readonly batchSize: number
  readonly epochsMax: number
  readonly middleRate: number
}

export const armNames = ['no momentum, tuned', 'momentum, tuned', 'momentum, matched'] as const
export type ArmName = (typeof armNames)[number]

export type BatchResult = BatchSizes & {
  readonly rates: Readonly<Record<ArmName, TunedRate>>
  /** Epochs to the aim by seed; infinite = not reached. */
  readonly epochs: Readonly<Record<ArmName, readonly number[]>>
  /** Epochs without momentum over epochs with, both tuned. */
  readonly gap: Interval
  readonly matchedGap: Interval
}
export type SmallStepResult = {
  readonly divergence: number
  readonly reference: Reference
  readonly batches: readonly BatchResult[]
  /** Difference of the log gaps of the largest and the smallest batch. */
  readonly gapGrowth: Interval
  readonly leastSquares: readonly MomentumGap[]
  readonly ownRates: OwnRatesResult
}

const evaluationsPerEpoch = 4
/** A run whose loss is that of a guess for so many evaluations in a row will not arrive. */
const guessesMax = 100

type Arm = { readonly momentum: number; readonly effectiveRate: number }
/** Epochs to the aim; null = not within so many. */
type Measure = (seed: number, arm: Arm, epochsMax: number) => Promise<number | null>

async function largePhase(lab: Lab, sizes: SmallStepSizes, seed: number, rate: number): Promise<Checkpoint> {
  const { subject, epochs } = sizes.large
  const run = lab.start(subject, seed)
  await run.take(epochs * run.stepsPerEpoch, { learningRate: rate, momentum: 0 })
  const checkpoint = run.capture()
  run.dispose()
  return checkpoint
}

/** Epochs (of all examples) from the fork to the aim; null = not within the cap, or diverged. */
async function epochsToAim(
  lab: Lab,
  options: { subject: Subject; seed: number; epochsMax: number; fork: Checkpoint; aim: number; arm: Arm },
): Promise<number | null> {
  const { subject, seed, epochsMax, fork, aim, arm } = options
  const run = lab.start(subject, seed)
  run.resumeFrom(fork)
  const stepsPerEvaluation = Math.max(1, Math.round(run.stepsPerEpoch / evaluationsPerEpoch))
  const rates = { learningRate: arm.effectiveRate * (1 - arm.momentum), momentum: arm.momentum }
  const stepsMax = epochsMax * run.stepsPerEpoch
  let [steps, guesses, isReached] = [0, 0, false]
  while (steps < stepsMax && !run.isBroken && !isReached && guesses < guessesMax) {
    await run.take(stepsPerEvaluation, rates)
    steps += stepsPerEvaluation
    const loss = await run.trainingLoss()
    isReached = loss <= aim
    guesses = loss >= divergedLoss ? guesses + 1 : 0
  }
  const epochs = steps / run.stepsPerEpoch
  run.dispose()
  return isReached ? epochs : null
}

/** The effective rate with the fewest epochs on the tuning seeds, by the mean logarithm. */
const tunedArm = (
  measure: Measure,
  momentum: number,
  { sizes, batch }: { sizes: SmallStepSizes; batch: BatchSizes },
): Promise<TunedRate> =>
  tunedRate({
    middle: batch.middleRate,
    refinements: sizes.refinements,
    score: timeScore({
      seeds: sizes.tuningSeeds,
      cap: batch.epochsMax,
      measure: (seed, effectiveRate, cap) => measure(seed, { momentum, effectiveRate }, cap),
    }),
  })

async function runBatch(measure: Measure, sizes: SmallStepSizes, batch: BatchSizes): Promise<BatchResult> {
  const plainRate = await tunedArm(measure, 0, { sizes, batch })
  const momentumRate = await tunedArm(measure, sizes.momentum, { sizes, batch })
  const epochsOf = async (momentum: number, { rate }: TunedRate): Promise<number[]> => {
    const epochs: number[] = []
    for (const seed of sizes.seeds)
      epochs.push(
        (await measure(seed, { momentum, effectiveRate: rate }, batch.epochsMax)) ?? Number.POSITIVE_INFINITY,
      )
    return epochs
  }
  const plain = await epochsOf(0, plainRate)
  const tuned = await epochsOf(sizes.momentum, momentumRate)
  const matched = await epochsOf(sizes.momentum, plainRate)
  const gapTo = (others: readonly number[]): Interval =>
    ratioInterval(plain.map((epochs, index) => epochs / others[index]!))
  return {
    ...batch,
    rates: {
      'no momentum, tuned': plainRate,
      'momentum, tuned': momentumRate,
      'momentum, matched': plainRate,
    },
    epochs: { 'no momentum, tuned': plain, 'momentum, tuned': tuned, 'momentum, matched': matched },
    gap: gapTo(tuned),
    matchedGap: gapTo(matched),
  }
}

/** Log of (epochs without momentum / epochs with) by seed. */
const logGaps = ({ epochs }: BatchResult): number[] =>
  epochs['no momentum, tuned'].map((plain, index) => Math.log(plain / epochs['momentum, tuned'][index]!))

export async function runSmallStep(lab: Lab, store: Store, sizes: SmallStepSizes): Promise<SmallStepResult> {
  const divergence = await divergenceRate(lab, store, { name: 'large step', sizes: sizes.large })
  const reference = await runReference(lab, store, sizes.reference)
  const forks = new Map<number, Checkpoint>()
  const forkOf = async (seed: number): Promise<Checkpoint> => {
    const fork = forks.get(seed) ?? (await largePhase(lab, sizes, seed, divergence / 2))
    forks.set(seed, fork)
    return fork
  }
  const measureAt =
    (batchSize: number): Measure =>
    (seed, arm, epochsMax) =>
      store.once(
        `batch ${batchSize}, momentum ${arm.momentum}, effective rate ${arm.effectiveRate.toPrecision(6)}, seed ${seed}`,
        async () => {
          const subject = { ...sizes.large.subject, batchSize }
          const fork = await forkOf(seed)
          return epochsToAim(lab, { subject, seed, epochsMax, fork, aim: reference.loss, arm })
        },
      )
  const batches: BatchResult[] = []
  for (const batch of sizes.batches) batches.push(await runBatch(measureAt(batch.batchSize), sizes, batch))
  const ownRates = await runOwnRates({
    ...sizes,
    sizes: sizes.ownRates,
    timeOf: (batchSize, momentum) => (seed, effectiveRate, epochsMax) =>
      measureAt(batchSize)(seed, { momentum, effectiveRate }, epochsMax),
  })
  for (const fork of forks.values()) disposeCheckpoint(fork)
  const [first, last] = [logGaps(batches[0]!), logGaps(batches.at(-1)!)]
  return {
    divergence,
    reference,
    batches,
    gapGrowth: meanInterval(last.map((gap, index) => gap - first[index]!)),
    leastSquares: await runLeastSquares(store, sizes.leastSquares),
    ownRates,
  }
}
