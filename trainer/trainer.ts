// The trainer: weights, data and optimizer of one run, a step at a time, with the measurements that the tuner asks
// for. It decides nothing: rate and momentum are arguments of a step. Steps are numbered from 0 and never come
// again: a restore takes back weights, optimizer and (if asked) the data order, not the number.

import type * as tf from '@tensorflow/tfjs-core'
import type { LineProbe, ValleyProbe } from '../protocol/vocabulary.ts'
import type { Backend } from './backends/backend.ts'
import { type Checkpoint, cloneCheckpoint, createCheckpoints } from './checkpoints.ts'
import { createBatchMaker, disposeBatch } from './data/batches.ts'
import { createDataOrder } from './data/dataOrder.ts'
import { type Dataset, type Examples, indexRange } from './data/dataset.ts'
import type { Model, Weights } from './models/model.ts'
import { cloneAll, disposeAll, type Optimizer } from './optimizers/optimizer.ts'
import { createWeightAverages, type Windows } from './probes/averages.ts'
import { evaluateBatches } from './probes/evaluate.ts'
import { microBatchCount } from './probes/microBatches.ts'
import { normSquared } from './probes/norms.ts'
import { createProber } from './probes/prober.ts'
import { createRandom, hashSeed } from './random.ts'
import { createSignalBuffer, type StepReading } from './signals.ts'
import { createGradientMaker } from './stepGradients.ts'

export type TrainerOptions = {
  readonly backend: Backend
  readonly dataset: Dataset
  readonly model: Model
  readonly optimizer: Optimizer
  readonly batchSize: number
  readonly seed: number
  /** Examples of the valley probe (held-out) and of the line probe (training). */
  readonly probeExamples?: number
  readonly lineExamples?: number
  /** Length of an averaging block until `setBlockSteps`. */
  readonly blockSteps?: number
  /** Seconds of a monotonic clock. */
  readonly clock?: () => number
}

export type StepRequest = {
  readonly learningRate: number
  readonly momentum: number
  /** Measure the norms of the batch's quarters, with ‖g‖². */
  readonly measureMicroBatches?: boolean
  /** Measure ⟨g, u⟩, ‖u‖² and ‖w‖². */
  readonly measureUpdate?: boolean
  /** Measure ‖g‖² (true by default). */
  readonly measureNorm?: boolean
}

export type TestScore = { readonly loss: number; readonly accuracy: number }
export type KeepChoice = 'last' | 'averaged' | { readonly checkpoint: string }

export type Trainer = {
  /** Steps taken, over all restores: the number of the next step. */
  readonly stepCount: number
  /** Whether batches can be split for micro-batch norms (the batch size is a multiple of 4, and 8 or more). */
  readonly splitsBatches: boolean
  /** Steps whose signals wait to be read. */
  readonly unreadCount: number
  step(request: StepRequest): void
  /** Signals of the steps since the last read, in order. */
  read(): Promise<StepReading[]>
  setBlockSteps(blockSteps: number): void
  /**
   * Over all windows of averaged weights (by default), or the longest alone.
   * `checkpoints`: names of checkpoints to be scored as well; then over every held-out example.
   * @throws RangeError if there is no such checkpoint.
   */
  valleyProbe(windows?: Windows, checkpoints?: readonly string[]): Promise<ValleyProbe>
  /** `learningRate`: where the search for η_c starts the first time. */
  lineProbe(learningRate: number): Promise<LineProbe>
  /** `averaged`: the mean over the longest window in place of the present weights. Returns the names of checkpoints dropped to make room. */
  checkpoint(name: string, weights?: 'averaged'): string[]
  /** @throws RangeError if there is no such checkpoint. */
  restore(name: string, options?: { rewindData?: boolean; skipBatches?: number }): void
  drop(name: string): boolean
  checkpointNames(): string[]
  /** A named checkpoint, borrowed: it may be dropped at the next action. */
  namedCheckpoint(name: string): Checkpoint | undefined
  /** Takes over a checkpoint read from disk. */
  addCheckpoint(name: string, checkpoint: Checkpoint): void
  cloneOf(checkpoint: Checkpoint): Checkpoint
  /** The present state (the caller owns its tensors), and its inverse. */
  capture(): Checkpoint
  resumeFrom(checkpoint: Checkpoint, stepCount: number): void
  /** Puts the chosen weights in place for good. @throws RangeError if they do not exist. */
  keep(choice: KeepChoice): void
  evaluateTest(): Promise<TestScore>
  /** All held-out examples, with the present weights. */
  evaluateHeldOut(): Promise<TestScore>
  /** The present weights, borrowed: do not dispose. */
  weights(): Weights
  dispose(): void
}

/** What a session asks of a trainer. */
export type SessionTrainer = Pick<
  Trainer,
  | 'stepCount'
  | 'unreadCount'
  | 'step'
  | 'read'
  | 'setBlockSteps'
  | 'valleyProbe'
  | 'lineProbe'
  | 'checkpoint'
  | 'restore'
  | 'drop'
  | 'keep'
>

export const defaultProbeExamples = 512
/** Of 128 examples h_n scatters about that of 2,000 enough to move G by 15 %: bench/records/2026-11-24-signal-cost. */
export const defaultLineExamples = 128
export const defaultBlockSteps = 20
const evaluationBatch = 1_000

/** @throws RangeError for a batch size that the data cannot give. */
export function createTrainer(options: TrainerOptions): Trainer {
  const { backend, dataset, model, optimizer, batchSize, seed } = options
  const { probeExamples = defaultProbeExamples, lineExamples = defaultLineExamples } = options
  const clock = options.clock ?? (() => performance.now() / 1_000)
  const makeBatch = createBatchMaker(dataset)
  const order = createDataOrder({ count: dataset.train.count, batchSize, seed })
  const averages = createWeightAverages(options.blockSteps ?? defaultBlockSteps)
  const checkpoints = createCheckpoints()
  const signals = createSignalBuffer(backend, clock)
  const splitsBatches = batchSize % microBatchCount === 0 && batchSize >= 2 * microBatchCount
  const microBatchSize = batchSize / microBatchCount
  const gradientMaker = createGradientMaker(model, optimizer, clock)
  const prober = createProber({
    backend,
    dataset,
    model,
    optimizer,
    makeBatch,
    clock,
    seed,
    probeExamples,
    lineExamples,
    noiseBatchSize: splitsBatches ? microBatchSize : batchSize,
  })
  let weights = model.initialWeights(createRandom(hashSeed(seed, 0x696e_6974)))
  let stepCount = 0
  /** η of the step that led here: w = w_before − η·u. null when no such step did (start, restore). */
  let lastRate: number | null = null

  const replaceWeights = (next: tf.Tensor[]): void => {
    disposeAll(weights)
    weights = next
  }
  const step = (request: StepRequest): void => {
    const started = clock()
    const { learningRate, momentum, measureNorm = true } = request
    const isSplit = request.measureMicroBatches === true && splitsBatches
    const batch = makeBatch(dataset.train, order.nextBatch())
    const { loss, gradients, norms, signalSeconds } = isSplit
      ? gradientMaker.split(weights, batch)
      : gradientMaker.plain(weights, batch)
    disposeBatch(batch)
    replaceWeights(optimizer.step(weights, gradients, { learningRate, momentum }))
    lastRate = learningRate
    const measuring = clock()
    const gradientNormSquared = measureNorm || isSplit ? normSquared(gradients) : undefined
    const more = request.measureUpdate ? gradientMaker.updateSignals(weights, gradients) : {}
    averages.add(weights)
    const measured = clock()
    disposeAll(gradients)
    const host = {
      step: stepCount,
      learningRate,
      momentum,
      batchSize,
      microBatchSize: isSplit ? microBatchSize : null,
      stepSeconds: clock() - started,
      signalSeconds: signalSeconds + (measured - measuring),
    }
    signals.add(host, { loss, gradientNormSquared, ...norms, ...more })
    stepCount++
  }

  const capture = (): Checkpoint => ({
    step: stepCount,
    weights: cloneAll(weights),
    optimizer: optimizer.state(),
    dataOrder: order.state(),
  })
  /** Where no block is finished yet (after a restore) the present weights stand in for their mean. */
  const captureAveraged = (): Checkpoint => {
    const window = averages.longest()
    if (window === undefined) return capture()
    const { weights: present, ...rest } = capture()
    disposeAll(present)
    return { ...rest, weights: window }
  }
  const named = (name: string): Checkpoint => {
    const checkpoint = checkpoints.get(name)
    if (checkpoint !== undefined) return checkpoint
    throw new RangeError(
      `checkpoint must be one of ${checkpoints.names().join(', ') || '(none kept)'}, got ${name}`,
    )
  }
  const takeOver = (checkpoint: Checkpoint): void => {
    replaceWeights(cloneAll(checkpoint.weights))
    optimizer.restore(checkpoint.optimizer)
    averages.reset()
    lastRate = null
  }
  const evaluate = async (examples: Examples): Promise<TestScore> => {
    let loss = 0
    let accuracy = 0
    for (let from = 0; from < examples.count; from += evaluationBatch) {
      const batch = makeBatch(examples, indexRange(from, Math.min(from + evaluationBatch, examples.count)))
      const score = await evaluateBatches(backend, model, weights, [batch])
      loss += (score.loss * batch.count) / examples.count
      accuracy += (score.accuracy * batch.count) / examples.count
      disposeBatch(batch)
    }
    return { loss, accuracy }
  }

  return {
    get stepCount() {
      return stepCount
    },
    splitsBatches,
    get unreadCount() {
      return signals.count
    },
    step,
    read: () => signals.read(),
    setBlockSteps: (blockSteps) => averages.setBlockSteps(blockSteps),
    valleyProbe: async (windows = 'all', names) =>
      prober.valley(
        { weights, step: stepCount, lastRate },
        { averages, windows, checkpoints: names?.map((name) => ({ name, weights: named(name).weights })) },
      ),
    lineProbe: (learningRate) => prober.line({ weights, step: stepCount, lastRate }, learningRate),
    checkpoint: (name, which) => checkpoints.save(name, which === 'averaged' ? captureAveraged() : capture()),
    restore: (name, { rewindData = false, skipBatches = 0 } = {}) => {
      const checkpoint = named(name)
      takeOver(checkpoint)
      if (rewindData) order.restore(checkpoint.dataOrder)
      order.skip(skipBatches)
    },
    drop: (name) => checkpoints.drop(name),
    checkpointNames: () => checkpoints.names(),
    namedCheckpoint: (name) => checkpoints.get(name),
    addCheckpoint: (name, checkpoint) => void checkpoints.save(name, checkpoint),
    cloneOf: cloneCheckpoint,
    capture,
    resumeFrom: (checkpoint, count) => {
      takeOver(checkpoint)
      order.restore(checkpoint.dataOrder)
      stepCount = count
    },
    keep: (choice) => {
      if (choice === 'last') return
      if (choice !== 'averaged') return replaceWeights(cloneAll(named(choice.checkpoint).weights))
      const averaged = averages.lastBlock()
      if (averaged === undefined)
        throw new RangeError('keep must name weights that exist, got averaged without a finished block')
      replaceWeights(averaged)
    },
    evaluateTest: () => evaluate(dataset.test),
    evaluateHeldOut: () => evaluate(dataset.heldOut),
    weights: () => weights,
    dispose: () => {
      disposeAll(weights)
      weights = []
      optimizer.dispose()
      averages.reset()
      checkpoints.dispose()
      signals.dispose()
      prober.dispose()
    },
  }
}
