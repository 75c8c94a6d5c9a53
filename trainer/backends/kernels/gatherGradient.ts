// The derivative of gather, y = x[…, indices, …] along one axis: each slice of dy goes back to the place in x that it was
// taken from, and slices taken from one place add up. The axis is brought to the front, so that this is one sum of
// rows by segment; leading axes that x and the indices share (batchDims) are done one by one.

import * as tf from '@tensorflow/tfjs-core'

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1)

/** Without shared axes. dy: x.shape before `axis`, then the shape of the indices, then x.shape after `axis`. */
function alongAxis(dy: tf.Tensor, indices: tf.Tensor, xShape: readonly number[], axis: number): tf.Tensor {
  const outer = xShape.slice(0, axis)
  const inner = xShape.slice(axis + 1)
  const length = xShape[axis]!
  const flat = tf.reshape(indices, [indices.size]) as tf.Tensor1D
  const [before, after] = [sizeOf(outer), sizeOf(inner)]
  const rows = tf.transpose(tf.reshape(dy, [before, indices.size, after]), [1, 0, 2])
  const sums = tf.unsortedSegmentSum(tf.reshape(rows, [indices.size, before * after]), flat, length)
  return tf.reshape(tf.transpose(tf.reshape(sums, [length, before, after]), [1, 0, 2]), [...xShape])
}

/** ∂L/∂x from dy = ∂L/∂y. `axis` may count from the end. */
export function gatherGradient(
  dy: tf.Tensor,
  indices: tf.Tensor,
  xShape: readonly number[],
  { axis, batchDims }: { readonly axis: number; readonly batchDims: number },
): tf.Tensor {
  const from = axis < 0 ? axis + xShape.length : axis
  if (batchDims === 0) {
    if (from > 0) return alongAxis(dy, indices, xShape, from)
    // What embeddings need: the rows of dy as they are.
    const rows = tf.reshape(dy, [indices.size, ...xShape.slice(1)])
    return tf.unsortedSegmentSum(rows, tf.reshape(indices, [indices.size]) as tf.Tensor1D, xShape[0]!)
  }
  const batch = sizeOf(xShape.slice(0, batchDims))
  const own = xShape.slice(batchDims)
  const parts = (x: tf.Tensor): tf.Tensor[] =>
    tf.unstack(tf.reshape(x, [batch, ...x.shape.slice(batchDims)]), 0)
  const indexParts = parts(indices)
  const gradients = parts(dy).map((part, index) => alongAxis(part, indexParts[index]!, own, from - batchDims))
  return tf.reshape(tf.stack(gradients), [...xShape])
}
