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

/** A vector of each part's mean loss, the loss over all, and the accuracy; the caller disposes it. */
export function partScores(model: Model, weights: Weights, batch: Batch, matrix: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const logits = logitsOf(model, weights, batch.inputs)
    const losses = tf.sub(tf.logSumExp(logits, 1, true), tf.sum(tf.mul(logits, batch.labels), 1, true))
    const means = tf.reshape(tf.matMul(matrix, losses as tf.Tensor2D), [-1])
    const all = [tf.mean(losses), accuracyOf(logits, batch.labels)].map((mean) => tf.reshape(mean, [1]))
    return tf.concat([means, ...all]) as tf.Tensor1D
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
