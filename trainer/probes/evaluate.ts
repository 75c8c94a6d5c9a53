// Loss and accuracy of given weights on a set of examples, in pieces of bounded size; forward passes only.

import * as tf from '@tensorflow/tfjs-core'
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

/** Parts of a valley probe's examples: 15 degrees of freedom are enough for an error of their mean difference. */
export const probeParts = 16

/** Rows of weights that turn losses of examples, in order, into means of `parts` parts, equal but for one example. */
export function partsMatrix(examples: number, parts = Math.min(probeParts, examples)): tf.Tensor2D {
  const from = (part: number): number => Math.floor((part * examples) / parts)
  const matrix = new Float32Array(parts * examples)
  for (let part = 0; part < parts; part++)
    matrix.fill(
      1 / (from(part + 1) - from(part)),
      part * examples + from(part),
      part * examples + from(part + 1),
    )
  return tf.tensor2d(matrix, [parts, examples])
}

/**
 * Scores of several weights on the same examples as [weights, parts + 2]: each part's mean loss, the loss over all,
 * and the accuracy. The losses of all are computed together, since on arrays so small the calls are what costs. The
 * caller disposes it.
 */
export function partScores(
  model: Model,
  candidates: readonly Weights[],
  { inputs, labels, count }: Batch,
  matrix: tf.Tensor2D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const logits = tf.reshape(tf.stack(candidates.map((weights) => logitsOf(model, weights, inputs))), [
      candidates.length,
      count,
      -1,
    ])
    const losses = tf.sub(tf.logSumExp(logits, 2), tf.sum(tf.mul(logits, labels), 2)) as tf.Tensor2D
    const right = tf.cast(tf.equal(tf.argMax(logits, 2), tf.argMax(labels, 1)), 'float32')
    return tf.concat2d(
      [tf.matMul(losses, matrix, false, true), tf.mean(losses, 1, true), tf.mean(right, 1, true)],
      1,
    )
  })
}

/** Mean loss and accuracy over batches, weighed by their sizes, with one read. */
export async function evaluateBatches(
  backend: Backend,
  model: Model,
  weights: Weights,
  batches: readonly Batch[],
): Promise<{ loss: number; accuracy: number }> {
  const tensors = batches.flatMap((batch) => scoreTensors(model, weights, batch))
  const values = await backend.readValues(tensors)
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
