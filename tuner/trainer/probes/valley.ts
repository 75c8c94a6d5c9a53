// The valley probe: loss and accuracy on the fixed held-out examples, of the present weights and of the weights
// averaged over windows of 1, 2 and 4 blocks, or over the longest. Averaging cancels the noise across the valley, so the averaged
// loss shows how far along the valley floor the run is. Each loss comes with its parts, so that arms of a race are
// compared over the same examples. Cost: 1 + windows forward passes, one read.

import type * as tf from '@tensorflow/tfjs-core'
import type { ValleyProbe } from '../../../protocol/vocabulary.ts'
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
  readonly examples: Batch
  /** Of `partsMatrix`, for these examples. */
  readonly parts: tf.Tensor2D
  readonly step: number
}

/** `seconds` is left to the caller, who owns the clock. */
export async function measureValley(input: ValleyInput): Promise<Omit<ValleyProbe, 'seconds'>> {
  const { backend, model, averages, examples } = input
  const windows = averages.windows(input.windows)
  const candidates = [input.weights, ...windows.map(({ weights }) => weights)]
  const scores = partScores(model, candidates, examples, input.parts)
  for (const { weights } of windows) disposeAll(weights)
  const values = await backend.readValues([scores])
  scores.dispose()
  const [partCount] = input.parts.shape
  const score = (index: number) => {
    const [...lossByPart] = values.slice(index * (partCount + 2), (index + 1) * (partCount + 2))
    const [loss, accuracy] = lossByPart.splice(partCount) as [number, number]
    return { loss, accuracy, lossByPart }
  }
  return {
    kind: 'valley',
    step: input.step,
    set: 'held-out',
    examples: examples.count,
    raw: score(0),
    averaged: windows.map(({ windowSteps }, index) => ({ windowSteps, ...score(index + 1) })),
  }
}
