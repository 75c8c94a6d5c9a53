// From bytes to tensors: standardised pixels and one-hot labels of chosen examples. The bytes stay on the host
// and only a batch is uploaded (400 kB for 128 MNIST images): the whole set as 32-bit floats would be 180 MB.

import * as tf from '@tensorflow/tfjs-core'
import type { Dataset, Examples } from './dataset.ts'

/** `inputs`: [count, height·width], standardised; `labels`: one-hot [count, classCount]. The caller disposes both. */
export type Batch = { readonly inputs: tf.Tensor2D; readonly labels: tf.Tensor2D; readonly count: number }

export type BatchMaker = (examples: Examples, indices: ArrayLike<number>) => Batch

export function createBatchMaker(dataset: Dataset): BatchMaker {
  const size = dataset.height * dataset.width
  const standardised = Float32Array.from(
    { length: 256 },
    (_, value) => (value / 255 - dataset.pixelMean) / dataset.pixelDeviation,
  )
  return (examples, indices) => {
    const count = indices.length
    const inputs = new Float32Array(count * size)
    const labels = new Float32Array(count * dataset.classCount)
    for (let row = 0; row < count; row++) {
      const from = indices[row]! * size
      const to = row * size
      for (let i = 0; i < size; i++) inputs[to + i] = standardised[examples.pixels[from + i]!]!
      labels[row * dataset.classCount + examples.labels[indices[row]!]!] = 1
    }
    return {
      count,
      inputs: tf.tensor2d(inputs, [count, size]),
      labels: tf.tensor2d(labels, [count, dataset.classCount]),
    }
  }
}

export function disposeBatch(batch: Batch): void {
  batch.inputs.dispose()
  batch.labels.dispose()
}
