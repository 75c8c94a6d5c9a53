// The valley probe: loss and accuracy on the fixed held-out examples, of the present weights and of the weights
// averaged over windows of 1, 2 and 4 blocks, or over the longest. Averaging cancels the noise across the valley, so the averaged
// loss shows how far along the valley floor the run is. Each loss comes with its parts, so that arms of a race are
// compared over the same examples. Cost: 1 + windows forward passes, one read.

import type * as tf from '@tensorflow/tfjs-core'
import type { ValleyProbe } from '../../protocol/vocabulary.ts'
import type { Backend } from '../backends/backend.ts'
import type { Batch } from '../data/batches.ts'
import type { Model, Weights } from '../models/model.ts'
import { disposeAll } from '../optimizers/optimizer.ts'
import type { WeightAverages, Windows } from './averages.ts'
import { partScores } from './evaluate.ts'

export type ValleyInput = {
  readonly backend: Backend
  readonly model: Model
  readonly weights: Weights
  readonly averages: WeightAverages
  readonly windows: Windows
  /** Other weights to score on the same examples, borrowed. */
  readonly checkpoints?: readonly NamedWeights[] | undefined
  readonly pieces: readonly ValleyPiece[]
  readonly step: number
}

export type NamedWeights = { readonly name: string; readonly weights: Weights }
/** Examples scored in one pass, and the matrix of `partsMatrix` for them. */
export type ValleyPiece = { readonly examples: Batch; readonly parts: tf.Tensor2D }

/** `seconds` is left to the caller, who owns the clock. */
export async function measureValley(input: ValleyInput): Promise<Omit<ValleyProbe, 'seconds'>> {
  const { backend, model, averages, pieces, checkpoints = [] } = input
  const windows = averages.windows(input.windows)
  const candidates = [input.weights, ...[...windows, ...checkpoints].map(({ weights }) => weights)]
  const tensors = pieces.map(({ examples, parts }) => partScores(model, candidates, examples, parts))
  for (const { weights } of windows) disposeAll(weights)
  const values = await backend.readValues(tensors)
  disposeAll(tensors)
  const score = scoresOf(values, pieces, candidates.length)
  return {
    kind: 'valley',
    step: input.step,
    set: 'held-out',
    examples: exampleCount(pieces),
    raw: score(0),
    averaged: windows.map(({ windowSteps }, index) => ({ windowSteps, ...score(index + 1) })),
    ...(input.checkpoints === undefined
      ? {}
      : {
          checkpoints: checkpoints.map(({ name }, index) => ({
            checkpoint: name,
            ...score(1 + windows.length + index),
          })),
        }),
  }
}

const exampleCount = (pieces: readonly ValleyPiece[]): number =>
  pieces.reduce((sum, { examples }) => sum + examples.count, 0)

/** The score of a candidate by its number, from the values of all pieces in order: each [candidates, parts + 2]. */
function scoresOf(values: ArrayLike<number>, pieces: readonly ValleyPiece[], candidates: number) {
  const all = exampleCount(pieces)
  return (candidate: number) => {
    const lossByPart: number[] = []
    let [loss, accuracy, start] = [0, 0, 0]
    for (const { examples, parts } of pieces) {
      const row = parts.shape[0] + 2
      const at = start + candidate * row
      for (let part = 0; part < row - 2; part++) lossByPart.push(values[at + part]!)
      loss += (values[at + row - 2]! * examples.count) / all
      accuracy += (values[at + row - 1]! * examples.count) / all
      start += candidates * row
    }
    return { loss, accuracy, lossByPart }
  }
}
