// The probes of one run on its fixed examples: the first held-out ones for the valley, evenly spread training
// examples for the line. Both sets are uploaded at the first probe and stay on the device.

import type * as tf from '@tensorflow/tfjs-core'
import type { LineProbe, ValleyProbe } from '../../protocol/vocabulary.ts'
import type { Backend } from '../backends/backend.ts'
import { type Batch, type BatchMaker, disposeBatch } from '../data/batches.ts'
import { type Dataset, indexRange } from '../data/dataset.ts'
import { lossAndGradients, type Model, type Weights } from '../models/model.ts'
import { disposeAll, type Optimizer } from '../optimizers/optimizer.ts'
import { createRandom, hashSeed } from '../random.ts'
import type { WeightAverages, Windows } from './averages.ts'
import { partsMatrix, probeParts } from './evaluate.ts'
import { lineStart, measureAlongUpdate, measureNoiseCurvature } from './line.ts'
import { measureValley, type NamedWeights, type ValleyPiece } from './valley.ts'

const noiseStream = 0x6c69_6e65
/** Parts of a comparison's examples, at most: what the wire takes. */
const comparedPartsMax = 32

const disposePiece = ({ examples, parts }: ValleyPiece): void => {
  disposeBatch(examples)
  parts.dispose()
}

export type ProberOptions = {
  readonly backend: Backend
  readonly dataset: Dataset
  readonly model: Model
  readonly optimizer: Optimizer
  readonly makeBatch: BatchMaker
  readonly clock: () => number
  readonly seed: number
  readonly probeExamples: number
  readonly lineExamples: number
  /** Size of the two batches whose gradients' difference is the noise direction. */
  readonly noiseBatchSize: number
}

/** Where the run is. `lastRate`: η of the step that led here; null when none did (start, restore). */
export type RunPosition = {
  readonly weights: Weights
  readonly step: number
  readonly lastRate: number | null
}

/** What a valley probe scores besides the present weights. With checkpoints: over every held-out example, up to `comparedPartsMax` times a usual probe's. */
export type Scored = {
  readonly averages: WeightAverages
  readonly windows: Windows
  readonly checkpoints?: readonly NamedWeights[] | undefined
}

export type Prober = {
  valley(position: RunPosition, scored: Scored): Promise<ValleyProbe>
  /** `learningRate`: where the search for η_c starts the first time. */
  line(position: RunPosition, learningRate: number): Promise<LineProbe>
  dispose(): void
}

/** Evenly spaced indices: fixed examples that represent the whole set. */
const spread = (count: number, chosen: number): number[] =>
  indexRange(0, chosen).map((index) => Math.floor((index * count) / chosen))

export function createProber(options: ProberOptions): Prober {
  const { backend, dataset, model, optimizer, makeBatch, clock } = options
  const heldOutCount = Math.min(options.probeExamples, dataset.heldOut.count)
  const lineCount = Math.min(options.lineExamples, dataset.train.count)
  let heldOut: ValleyPiece | undefined
  let training: Batch | undefined
  let criticalRate: number | null = null

  const heldOutPiece = (from: number, to: number, parts: number): ValleyPiece => ({
    examples: makeBatch(dataset.heldOut, indexRange(from, to)),
    parts: partsMatrix(to - from, Math.min(parts, to - from)),
  })
  /** Pieces no larger than a usual probe's, so that none needs more memory. */
  const allHeldOut = (): ValleyPiece[] => {
    const count = Math.min(dataset.heldOut.count, comparedPartsMax * heldOutCount)
    const pieces = Math.ceil(count / heldOutCount)
    const parts = Math.floor(comparedPartsMax / pieces)
    const edge = (piece: number): number => Math.floor((piece * count) / pieces)
    return indexRange(0, pieces).map((piece) => heldOutPiece(edge(piece), edge(piece + 1), parts))
  }
  /** Gradients of two random batches that depend on seed and step alone, so a probe moves no later batch. */
  const independentGradients = ({ weights, step }: RunPosition): readonly [tf.Tensor[], tf.Tensor[]] => {
    const random = createRandom(hashSeed(options.seed, noiseStream, step))
    const draw = (): tf.Tensor[] => {
      const indices = indexRange(0, options.noiseBatchSize).map(() => random.integer(dataset.train.count))
      const batch = makeBatch(dataset.train, indices)
      const { loss, gradients } = lossAndGradients(model, weights, batch)
      loss.dispose()
      disposeBatch(batch)
      return gradients
    }
    return [draw(), draw()]
  }
  return {
    valley: async ({ weights, step }, scored) => {
      const started = clock()
      heldOut ??= heldOutPiece(0, heldOutCount, probeParts)
      const pieces = scored.checkpoints === undefined ? [heldOut] : allHeldOut()
      const probe = await measureValley({ backend, model, weights, ...scored, pieces, step })
      if (scored.checkpoints !== undefined) for (const piece of pieces) disposePiece(piece)
      return { ...probe, seconds: clock() - started }
    },
    line: async (position, learningRate) => {
      const started = clock()
      training ??= makeBatch(dataset.train, spread(dataset.train.count, lineCount))
      const { context, lossHere } = await lineStart(backend, model, position.weights, training)
      const update = optimizer.update()
      const search = { lossHere, lastRate: position.lastRate, start: criticalRate ?? learningRate }
      const along = update && (await measureAlongUpdate(context, update, search))
      const gradients = independentGradients(position)
      const { inversePreconditioner } = optimizer
      const noiseCurvature = await measureNoiseCurvature(context, gradients, inversePreconditioner, lossHere)
      for (const tensors of [update, ...gradients]) if (tensors !== undefined) disposeAll(tensors)
      context.stem.dispose()
      criticalRate = along?.criticalLearningRate ?? criticalRate
      return {
        kind: 'line',
        step: position.step,
        seconds: clock() - started,
        criticalLearningRate: along?.criticalLearningRate ?? null,
        curvature: along?.curvature ?? null,
        noiseCurvature,
        examples: training.count,
      }
    },
    dispose: () => {
      if (heldOut !== undefined) disposePiece(heldOut)
      if (training !== undefined) disposeBatch(training)
    },
  }
}
