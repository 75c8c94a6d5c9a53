// UnsortedSegmentSum, which the WASM backend lacks (it is the gradient of gather, so of every embedding):
// out[s] = Σ of the rows i of x with segmentIds[i] = s. Composed as a product with a one-hot matrix,
// onehot(segmentIds)ᵀ·x, in the fast matrix product. Cost rows × segments × columns: right for vocabularies of
// hundreds, as here, not of tens of thousands. Ids outside [0, numSegments) add nothing, as in TensorFlow.

import * as tf from '@tensorflow/tfjs-core'
import { addKernel, type KernelCall } from './replaceKernel.ts'

function unsortedSegmentSum(call: KernelCall): tf.TensorInfo {
  const { x, segmentIds } = call.inputs as unknown as { x: tf.Tensor; segmentIds: tf.Tensor }
  const { numSegments } = call.attrs as unknown as { numSegments: number }
  return tf.tidy(() => {
    const ids = tf.reshape(tf.cast(segmentIds, 'int32'), [-1]) as tf.Tensor1D
    const rowShape = x.shape.slice(segmentIds.shape.length)
    const rows = tf.cast(tf.reshape(x, [ids.shape[0], -1]), 'float32') as tf.Tensor2D
    const members = tf.cast(tf.oneHot(ids, numSegments), 'float32') as tf.Tensor2D
    return tf.cast(tf.reshape(tf.matMul(members, rows, true, false), [numSegments, ...rowShape]), x.dtype)
  })
}

export function addUnsortedSegmentSum(backendName: string): void {
  addKernel(backendName, 'UnsortedSegmentSum', unsortedSegmentSum)
}
