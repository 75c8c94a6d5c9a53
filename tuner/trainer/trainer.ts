// The trainer: weights, data and optimizer of one run, a step at a time, with the measurements that the tuner asks
// for. It decides nothing: rate and momentum are arguments of a step. Steps are numbered from 0 and never come
// again: a restore takes back weights, optimizer and (if asked) the data order, not the number.

import type * as tf from '@tensorflow/tfjs-core'
import type { LineProbe, ValleyProbe } from '../../protocol/vocabulary.ts'
import type { Backend } from './backends/backend.ts'
import { type Checkpoint, cloneCheckpoint, createCheckpoints } from './checkpoints.ts'
import { type Batch, createBatchMaker, disposeBatch } from './data/batches.ts'
import { createDataOrder } from './data/dataOrder.ts'
import type { Dataset, Examples } from './data/dataset.ts'
import { lossAndGradients, type Model, type Weights } from './models/model.ts'
import { cloneAll, disposeAll, type Optimizer } from './optimizers/optimizer.ts'
import { createWeightAverages } from './probes/averages.ts'
import { evaluateBatches } from './probes/evaluate.ts'
import { lineStart, measureAlongUpdate, measureNoiseCurvature } from './probes/line.ts'
import { microBatchCount, microBatchGradients } from './probes/microBatches.ts'
import { innerProduct, normSquared, weightedNormSquared } from './probes/norms.ts'
import { measureValley } from './probes/valley.ts'
import { createRandom, hashSeed } from './random.ts'
import { createSignalBuffer, type StepReading } from './signals.ts'

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
  /** Split the batch and measure micro-batch norms, ⟨g, u⟩, ‖u‖² and ‖w‖². */
  readonly measureAll?: boolean
  /** Measure ‖g‖² alone (true by default). */
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
  valleyProbe(): Promise<ValleyProbe>
  /** `learningRate`: where the search for η_c starts the first time. */
  lineProbe(learningRate: number): Promise<LineProbe>
  /** Returns the names of checkpoints dropped to make room. */
  checkpoint(name: string): string[]
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

export const defaultProbeExamples = 512
export const defaultBlockSteps = 20
const evaluationBatch = 1_000
const noiseStream = 0x6c69_6e65

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index)

/** Evenly spaced indices: fixed examples that represent the whole set. */
const spread = (count: number, chosen: number): number[] =>
  range(0, Math.min(count, chosen)).map((index) => Math.floor((index * count) / Math.min(count, chosen)))

/** @throws RangeError for a batch size that the data cannot give. */
export function createTrainer(options: TrainerOptions): Trainer {
  const { backend, dataset, model, optimizer, batchSize, seed } = options
  const { probeExamples = defaultProbeExamples, lineExamples = defaultProbeExamples } = options
  const clock = options.clock ?? (() => performance.now() / 1_000)
  const makeBatch = createBatchMaker(dataset)
  const order = createDataOrder({ count: dataset.train.count, batchSize, seed })
  const averages = createWeightAverages(options.blockSteps ?? defaultBlockSteps)
  const checkpoints = createCheckpoints()
  const signals = createSignalBuffer(backend)
  const splitsBatches = batchSize % microBatchCount === 0 && batchSize >= 2 * microBatchCount
  const microBatchSize = batchSize / microBatchCount
  let weights = model.initialWeights(createRandom(hashSeed(seed, 0x696e_6974)))
  let stepCount = 0
  let lineRate: number | null = null
  /** η of the step that led here: w = w_before − η·u. null when no such step did (start, restore). */
  let lastRate: number | null = null
  let plainGradientSeconds: number | null = null
  let heldOutBatch: Batch | undefined
  let lineBatch: Batch | undefined

  const replaceWeights = (next: tf.Tensor[]): void => {
    disposeAll(weights)
    weights = next
  }

  /** One gradient of the whole batch. */
  const plainGradients = (indices: Uint32Array) => {
    const batch = makeBatch(dataset.train, indices)
    const started = clock()
    const result = lossAndGradients(model, weights, batch)
    const seconds = clock() - started
    // The usual cost of a plain gradient, to tell what a split one costs beyond it.
    plainGradientSeconds =
      plainGradientSeconds === null ? seconds : plainGradientSeconds * 0.9 + seconds * 0.1
    disposeBatch(batch)
    return { ...result, seconds: 0 }
  }

  const splitGradients = (indices: Uint32Array) => {
    const batch = makeBatch(dataset.train, indices)
    const inverse = optimizer.inversePreconditioner()
    const started = clock()
    const result = microBatchGradients(model, weights, batch, inverse)
    const preconditionedNorm = inverse && weightedNormSquared(result.gradients, inverse)
    const elapsed = clock() - started
    disposeBatch(batch)
    if (inverse !== undefined) disposeAll(inverse)
    return {
      ...result,
      preconditionedNorm,
      seconds: Math.max(0, elapsed - (plainGradientSeconds ?? elapsed)),
    }
  }

  const updateSignals = (gradients: readonly tf.Tensor[]) => {
    const update = optimizer.update()!
    const measured = {
      gradientDotUpdate: innerProduct(gradients, update),
      updateNormSquared: normSquared(update),
      weightNormSquared: normSquared(weights),
    }
    disposeAll(update)
    return measured
  }

  const step = (request: StepRequest): void => {
    const started = clock()
    const { learningRate, momentum, measureNorm = true } = request
    const measureAll = (request.measureAll ?? false) && splitsBatches
    const indices = order.nextBatch()
    const split = measureAll ? splitGradients(indices) : undefined
    const { loss, gradients } = split ?? plainGradients(indices)
    let signalSeconds = split?.seconds ?? 0
    const next = optimizer.step(weights, gradients, { learningRate, momentum })
    const measuring = clock()
    const gradientNormSquared = measureNorm || measureAll ? normSquared(gradients) : undefined
    const more = measureAll ? updateSignals(gradients) : undefined
    signalSeconds += clock() - measuring
    disposeAll(gradients)
    replaceWeights(next)
    lastRate = learningRate
    const averaging = clock()
    averages.add(weights)
    const ended = clock()
    signals.add(
      {
        step: stepCount,
        learningRate,
        momentum,
        batchSize,
        microBatchSize: measureAll ? microBatchSize : null,
        stepSeconds: ended - started,
        signalSeconds: signalSeconds + (ended - averaging),
      },
      {
        loss,
        gradientNormSquared,
        ...more,
        microGradientNormSquared: split?.microNormSquared,
        preconditionedGradientNormSquared: split?.preconditionedNorm,
        preconditionedMicroGradientNormSquared: split?.preconditionedMicroNormSquared,
      },
    )
    stepCount++
  }

  const valleyProbe = async (): Promise<ValleyProbe> => {
    const started = clock()
    heldOutBatch ??= makeBatch(dataset.heldOut, range(0, Math.min(probeExamples, dataset.heldOut.count)))
    const probe = await measureValley({
      backend,
      model,
      weights,
      averages,
      examples: heldOutBatch,
      step: stepCount,
    })
    return { ...probe, seconds: clock() - started }
  }

  /** Gradients of two micro-batches that depend on seed and step alone, so a probe moves no later batch. */
  const independentGradients = (): readonly [tf.Tensor[], tf.Tensor[]] => {
    const random = createRandom(hashSeed(seed, noiseStream, stepCount))
    const draw = (): tf.Tensor[] => {
      const size = splitsBatches ? microBatchSize : batchSize
      const batch = makeBatch(
        dataset.train,
        range(0, size).map(() => random.integer(dataset.train.count)),
      )
      const { loss, gradients } = lossAndGradients(model, weights, batch)
      loss.dispose()
      disposeBatch(batch)
      return gradients
    }
    return [draw(), draw()]
  }

  const lineProbe = async (learningRate: number): Promise<LineProbe> => {
    const started = clock()
    lineBatch ??= makeBatch(dataset.train, spread(dataset.train.count, lineExamples))
    const { context, lossHere } = await lineStart(backend, model, weights, lineBatch)
    const update = optimizer.update()
    const along =
      update &&
      (await measureAlongUpdate(context, update, { lossHere, lastRate, start: lineRate ?? learningRate }))
    const gradients = independentGradients()
    const inverse = optimizer.inversePreconditioner()
    const noiseCurvature = await measureNoiseCurvature(context, gradients, inverse, lossHere)
    for (const tensors of [update, inverse, ...gradients]) if (tensors !== undefined) disposeAll(tensors)
    context.stem.dispose()
    lineRate = along?.criticalLearningRate ?? lineRate
    return {
      kind: 'line',
      step: stepCount,
      seconds: clock() - started,
      criticalLearningRate: along?.criticalLearningRate ?? null,
      curvature: along?.curvature ?? null,
      noiseCurvature,
      examples: lineBatch.count,
    }
  }

  const capture = (): Checkpoint => ({
    step: stepCount,
    weights: cloneAll(weights),
    optimizer: optimizer.state(),
    dataOrder: order.state(),
  })
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
      const batch = makeBatch(examples, range(from, Math.min(from + evaluationBatch, examples.count)))
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
    valleyProbe,
    lineProbe,
    checkpoint: (name) => checkpoints.save(name, capture()),
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
      for (const batch of [heldOutBatch, lineBatch]) if (batch !== undefined) disposeBatch(batch)
    },
  }
}
