// C. Momentum in the small-step regime. From the end of a large-step phase three arms fork: no momentum with the
// best of some rates, momentum with the best of the same effective rates, and momentum at the effective rate that
// is best without it. How many epochs each needs to halve the training loss, at small and at large batches.

import * as tf from '@tensorflow/tfjs-core'
import type { Checkpoint } from '../../trainer/checkpoints.ts'
import { disposeCheckpoint } from '../../trainer/checkpoints.ts'
import { disposeAll } from '../../trainer/optimizers/optimizer.ts'
import { bufferFactor } from './bufferChange.ts'
import { bracketMiddle, curveOf, hasDiverged } from './curves.ts'
import type { Lab, LabRun, Subject } from './lab.ts'
import { type Interval, meanInterval, medianRate, ratioInterval } from './statistics.ts'
import { kept, type Store } from './store.ts'

export type SmallStepSizes = {
  /** With the batch size of the large-step phase. */
  readonly subject: Subject
  readonly seeds: readonly number[]
  readonly tuningSeeds: readonly number[]
  readonly largeEpochs: number
  /** Ascending, from one that survives to one that diverges. */
  readonly largeRates: readonly number[]
  readonly halvings: number
  readonly effectiveRates: readonly number[]
  readonly momentum: number
  /** Batch sizes with the most epochs that a run may take. */
  readonly batches: readonly { readonly batchSize: number; readonly epochsMax: number }[]
}

export const armNames = ['no momentum, tuned', 'momentum, tuned', 'momentum, matched'] as const
export type ArmName = (typeof armNames)[number]

export type BatchResult = {
  readonly batchSize: number
  readonly epochsMax: number
  readonly rates: Readonly<Record<ArmName, number>>
  /** Epochs to the aim by seed; infinite = not reached. */
  readonly epochs: Readonly<Record<ArmName, readonly number[]>>
  /** Epochs without momentum over epochs with, both tuned. */
  readonly gap: Interval
  readonly matchedGap: Interval
}
/**
 * Momentum's buffer at the fork; without momentum it holds the gradient of one minibatch alone. `scaled`: by
 * (1 − μ)/(1 − μ'), so 10 from μ = 0 to .9, as the trainer's optimizer did; `empty`: momentum starts from nothing.
 */
export const bufferNames = ['scaled', 'empty'] as const
export type BufferName = (typeof bufferNames)[number]
/** `kept`: as it is. The trainer's optimizer, coming from no momentum, does as with an empty one. */
type StartName = BufferName | 'kept'

export type BufferResult = {
  readonly batches: readonly BatchResult[]
  /** Difference of the log gaps of the largest and the smallest batch. */
  readonly gapGrowth: Interval
}
export type SmallStepResult = {
  readonly divergence: number
  readonly buffers: Readonly<Record<BufferName, BufferResult>>
  /** By batch: training loss at the first evaluation after the fork over that with an empty buffer, matched rate. */
  readonly firstLossRatios: Readonly<Record<'scaled' | 'kept', readonly Interval[]>>
}

/** The aim: this share of the training loss at the end of the large-step phase. */
const aimShare = 0.5
const evaluationsPerEpoch = 4
/** The loss at the fork is the mean of the last epochs of the large-step phase. */
const forkEpochs = 3
/** In tuning, a run that does not arrive counts as this many times the cap. */
const missFactor = 2

type Fork = { readonly checkpoint: Checkpoint; readonly aim: number }

async function largePhase(lab: Lab, sizes: SmallStepSizes, seed: number, rate: number): Promise<Fork> {
  const run = lab.start(sizes.subject, seed)
  const losses: number[] = []
  for (let epoch = 0; epoch < sizes.largeEpochs; epoch++) {
    await run.take(run.stepsPerEpoch, { learningRate: rate, momentum: 0 })
    losses.push(await run.trainingLoss())
  }
  const checkpoint = run.capture()
  run.dispose()
  const end = losses.slice(-forkEpochs)
  return { checkpoint, aim: (aimShare * end.reduce((sum, loss) => sum + loss, 0)) / end.length }
}

type Arm = { readonly momentum: number; readonly effectiveRate: number; readonly buffer: StartName }

const withoutBuffer = (checkpoint: Checkpoint): Checkpoint => ({
  ...checkpoint,
  optimizer: { tensors: {}, numbers: {} },
})

/** Resumes with the buffer multiplied, past the optimizer's own rule; the multiplied tensors are freed, as the run keeps its own. */
function resumedWith(run: LabRun, checkpoint: Checkpoint, momentum: number, factor: number): void {
  const multiplied = Object.entries(checkpoint.optimizer.tensors).map(
    ([name, list]) => [name, list.map((tensor) => tf.mul(tensor, factor))] as const,
  )
  run.resumeFrom({
    ...checkpoint,
    optimizer: { tensors: Object.fromEntries(multiplied), numbers: { momentum } },
  })
  for (const [, list] of multiplied) disposeAll(list)
}

/** A run that goes on from the fork as the arm says: each call of `next` takes the steps up to the next evaluation. */
function forkedRun(lab: Lab, options: { subject: Subject; seed: number; fork: Fork; arm: Arm }) {
  const { subject, seed, fork, arm } = options
  const run = lab.start(subject, seed)
  if (arm.buffer === 'empty') run.resumeFrom(withoutBuffer(fork.checkpoint))
  else resumedWith(run, fork.checkpoint, arm.momentum, bufferFactor(arm.buffer, 0, arm.momentum))
  const stepsPerEvaluation = Math.max(1, Math.round(run.stepsPerEpoch / evaluationsPerEpoch))
  const rates = { learningRate: arm.effectiveRate * (1 - arm.momentum), momentum: arm.momentum }
  const next = async (): Promise<number> => {
    await run.take(stepsPerEvaluation, rates)
    return run.trainingLoss()
  }
  return { run, stepsPerEvaluation, next }
}

/** Epochs (of all examples) from the fork to the aim; null = not within the cap, or diverged. */
async function epochsToAim(
  lab: Lab,
  options: { subject: Subject; seed: number; epochsMax: number; fork: Fork; arm: Arm },
): Promise<number | null> {
  const { epochsMax, fork } = options
  const { batchSize, trainExamples } = options.subject
  const { run, stepsPerEvaluation, next } = forkedRun(lab, options)
  const stepsMax = Math.floor((epochsMax * trainExamples) / batchSize)
  let steps = 0
  let isReached = false
  while (steps < stepsMax && !run.isBroken && !isReached) {
    isReached = (await next()) <= fork.aim
    steps += stepsPerEvaluation
  }
  run.dispose()
  return isReached ? (steps * batchSize) / trainExamples : null
}

async function divergenceRate(lab: Lab, store: Store, sizes: SmallStepSizes): Promise<number> {
  const { subject, tuningSeeds, largeEpochs: epochs, largeRates, halvings } = sizes
  const middles: number[] = []
  for (const seed of tuningSeeds) {
    const diverges = async (learningRate: number) =>
      hasDiverged(
        await store.once(`large rate ${learningRate.toPrecision(6)}, seed ${seed}`, () =>
          curveOf(lab, { subject, seed, rates: { learningRate, momentum: 0 }, epochs }),
        ),
      )
    let at = 0
    while (at < largeRates.length && !(await diverges(largeRates[at]!))) at++
    const [below, above] = [largeRates[at - 1], largeRates[at]]
    if (below === undefined || above === undefined)
      throw new Error(`the rates of seed ${seed} must reach from one that survives to one that diverges`)
    middles.push(await bracketMiddle({ below, above }, halvings, diverges))
  }
  return medianRate(middles)
}

type Measure = (seed: number, arm: Arm) => Promise<number | null>

/** The effective rate with the fewest epochs on the tuning seeds. */
async function tunedRate(
  measure: Measure,
  options: { sizes: SmallStepSizes; arm: Omit<Arm, 'effectiveRate'>; epochsMax: number },
): Promise<number> {
  const { sizes, arm, epochsMax } = options
  let best = { rate: sizes.effectiveRates[0]!, epochs: Number.POSITIVE_INFINITY }
  for (const effectiveRate of sizes.effectiveRates) {
    let epochs = 0
    for (const seed of sizes.tuningSeeds)
      epochs += (await measure(seed, { ...arm, effectiveRate })) ?? missFactor * epochsMax
    if (epochs < best.epochs) best = { rate: effectiveRate, epochs }
  }
  return best.rate
}

async function runBatch(
  measure: Measure,
  sizes: SmallStepSizes,
  { batchSize, epochsMax, buffer }: SmallStepSizes['batches'][number] & { readonly buffer: BufferName },
): Promise<BatchResult> {
  const plainArm = { momentum: 0, buffer: 'scaled' } as const
  const momentumArm = { momentum: sizes.momentum, buffer }
  const plainRate = await tunedRate(measure, { sizes, arm: plainArm, epochsMax })
  const momentumRate = await tunedRate(measure, { sizes, arm: momentumArm, epochsMax })
  const epochsOf = async (arm: Arm): Promise<number[]> => {
    const epochs: number[] = []
    for (const seed of sizes.seeds) epochs.push((await measure(seed, arm)) ?? Number.POSITIVE_INFINITY)
    return epochs
  }
  const plain = await epochsOf({ ...plainArm, effectiveRate: plainRate })
  const tuned = await epochsOf({ ...momentumArm, effectiveRate: momentumRate })
  const matched = await epochsOf({ ...momentumArm, effectiveRate: plainRate })
  const ratios = (others: readonly number[]) => plain.map((epochs, index) => epochs / others[index]!)
  return {
    batchSize,
    epochsMax,
    rates: {
      'no momentum, tuned': plainRate,
      'momentum, tuned': momentumRate,
      'momentum, matched': plainRate,
    },
    epochs: { 'no momentum, tuned': plain, 'momentum, tuned': tuned, 'momentum, matched': matched },
    gap: ratioInterval(ratios(tuned)),
    matchedGap: ratioInterval(ratios(matched)),
  }
}

/** Log of (epochs without momentum / epochs with) by seed. */
const logGaps = ({ epochs }: BatchResult): number[] =>
  epochs['no momentum, tuned'].map((plain, index) => Math.log(plain / epochs['momentum, tuned'][index]!))

type Forks = (seed: number) => Promise<Fork>
type Around = {
  readonly lab: Lab
  readonly store: Store
  readonly sizes: SmallStepSizes
  readonly forkOf: Forks
}

async function runBuffer(around: Around, buffer: BufferName): Promise<BufferResult> {
  const { lab, store, sizes, forkOf } = around
  const batches: BatchResult[] = []
  for (const batch of sizes.batches) {
    const { batchSize, epochsMax } = batch
    const subject = { ...sizes.subject, batchSize }
    const measure: Measure = (seed, arm) => {
      const { momentum, effectiveRate } = arm
      const start = arm.buffer === 'empty' ? ', empty buffer' : ''
      return store.once(
        `batch ${batchSize}, momentum ${momentum}, effective rate ${effectiveRate}${start}, seed ${seed}`,
        async () => epochsToAim(lab, { subject, seed, epochsMax, fork: await forkOf(seed), arm }),
      )
    }
    batches.push(await runBatch(measure, sizes, { ...batch, buffer }))
  }
  const [first, last] = [logGaps(batches[0]!), logGaps(batches.at(-1)!)]
  return { batches, gapGrowth: meanInterval(last.map((gap, index) => gap - first[index]!)) }
}

/** What the buffer does to the loss just after the fork, over what an empty one does. */
async function firstLossRatio(
  around: Around,
  { batchSize, rates }: BatchResult,
  start: 'scaled' | 'kept',
): Promise<Interval> {
  const { lab, store, sizes, forkOf } = around
  const subject = { ...sizes.subject, batchSize }
  const effectiveRate = rates['momentum, matched']
  const firstLoss = async (seed: number, buffer: StartName): Promise<number> => {
    const loss = await store.once(
      `batch ${batchSize}, ${buffer} buffer, first loss, seed ${seed}`,
      async () => {
        const arm = { momentum: sizes.momentum, effectiveRate, buffer }
        const { run, next } = forkedRun(lab, { subject, seed, fork: await forkOf(seed), arm })
        const first = await next()
        run.dispose()
        return kept(first)
      },
    )
    return loss ?? Number.NaN
  }
  const ratios: number[] = []
  for (const seed of sizes.seeds)
    ratios.push((await firstLoss(seed, start)) / (await firstLoss(seed, 'empty')))
  return ratioInterval(ratios)
}

export async function runSmallStep(lab: Lab, store: Store, sizes: SmallStepSizes): Promise<SmallStepResult> {
  const divergence = await divergenceRate(lab, store, sizes)
  const forks = new Map<number, Fork>()
  const forkOf = async (seed: number): Promise<Fork> => {
    const known = forks.get(seed) ?? (await largePhase(lab, sizes, seed, divergence / 2))
    forks.set(seed, known)
    return known
  }
  const around: Around = { lab, store, sizes, forkOf }
  const buffers = { scaled: await runBuffer(around, 'scaled'), empty: await runBuffer(around, 'empty') }
  const firstLossRatios: { scaled: Interval[]; kept: Interval[] } = { scaled: [], kept: [] }
  for (const batch of buffers.scaled.batches)
    for (const start of ['scaled', 'kept'] as const)
      firstLossRatios[start].push(await firstLossRatio(around, batch, start))
  for (const { checkpoint } of forks.values()) disposeCheckpoint(checkpoint)
  return { divergence, buffers, firstLossRatios }
}
