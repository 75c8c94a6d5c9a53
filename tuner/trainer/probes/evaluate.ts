// Loss and accuracy of given weights on a set of examples, in pieces of bounded size; forward passes only.

import * as tf from '@tensorflow/tfjs-core'
import type { ProbeScore } from '../../../protocol/vocabulary.ts'
import type { Backend } from '../backends/backend.ts'
import type { Batch } from '../data/batches.ts'
import { accuracyOf, crossEntropy, logitsOf, type Model, type Weights } from '../models/model.ts'

/** Loss and accuracy as scalar tensors; the caller disposes them. */
export function scoreTensors(model: Model, weights: Weights, batch: Batch): [tf.Scalar, tf.Scalar] {
  return tf.tidy(() => {
    const logits = logitsOf(model, weights, batch.inputs)
    return [crossEntropy(logits, batch.labels), accuracyOf(logits, batch.labels)]
  })
}

/** Mean loss and accuracy over batches, weighed by their sizes, with one read. */
export async function evaluateBatches(
  backend: Backend,
  model: Model,
  weights: Weights,
  batches: readonly Batch[],
): Promise<Required<ProbeScore> & { accuracy: number }> {
  const tensors = batches.flatMap((batch) => scoreTensors(model, weights, batch))
  const values = await backend.readScalars(tensors)
  for (const tensor of tensors) tensor.dispose()
  let loss = 0
  let accuracy = 0
  let count = 0
  batches.forEach((batch, index) => {
    loss += values[2 * index]! * batch.count
    accuracy += values[2 * index + 1]! * batch.count
    count += batch.count
  })
  return { loss: loss / count, accuracy: accuracy / count }
}
