// From bytes to tensors: inputs in the task's encoding and one-hot labels of chosen examples. The bytes stay on the host
// and only a batch is uploaded (400 kB for 128 MNIST images): the whole set as 32-bit floats would be 180 MB.

import * as tf from '@tensorflow/tfjs-core'
import type { Dataset, Examples } from './dataset.ts'

/** `inputs`: [count, height·width]; `labels`: one-hot [count, classCount]. The caller disposes both. */
export type Batch = { readonly inputs: tf.Tensor2D; readonly labels: tf.Tensor2D; readonly count: number }

export type BatchMaker = (examples: Examples, indices: ArrayLike<number>) => Batch

/** Writes example `index` into `target`, all 0, from place `to` on. */
type RowWriter = (bytes: Uint8Array, index: number, target: Float32Array, to: number) => void

function rowWriter({ encoding, height, width }: Dataset): RowWriter {
  if (encoding.kind === 'oneHot')
    return (bytes, index, target, to) => {
      const from = index * height
      for (let i = 0; i < height; i++) target[to + i * width + bytes[from + i]!] = 1
    }
  const { mean, deviation } = encoding
  const standardised = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / deviation)
  const size = height * width
  return (bytes, index, target, to) => {
    const from = index * size
    for (let i = 0; i < size; i++) target[to + i] = standardised[bytes[from + i]!]!
  }
}

export function createBatchMaker(dataset: Dataset): BatchMaker {
  const size = dataset.height * dataset.width
  const write = rowWriter(dataset)
  return (examples, indices) => {
    const count = indices.length
    const inputs = new Float32Array(count * size)
    const labels = new Float32Array(count * dataset.classCount)
    for (let row = 0; row < count; row++) {
      write(examples.inputs, indices[row]!, inputs, row * size)
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
