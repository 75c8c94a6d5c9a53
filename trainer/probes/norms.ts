// Squared norms and inner products over lists of tensors, as scalar tensors: nothing is read back here.

import * as tf from '@tensorflow/tfjs-core'
import { squaredNorm } from '../backends/kernels/squaredNorm.ts'

const total = (parts: tf.Tensor[]): tf.Scalar =>
  (parts.length === 1 ? parts[0]! : tf.addN(parts)) as tf.Scalar

/** Σ x² over all elements of all tensors. */
export const normSquared: (tensors: readonly tf.Tensor[]) => tf.Scalar = squaredNorm

/** Σ x·y over all elements of two lists of the same shapes. */
export const innerProduct = (left: readonly tf.Tensor[], right: readonly tf.Tensor[]): tf.Scalar =>
  tf.tidy(() => total(left.map((x, index) => tf.sum(tf.mul(x, right[index]!)))))

/** Σ x²·y, the squared norm of x in the metric y; without y the plain one. */
export const weightedNormSquared = (
  x: readonly tf.Tensor[],
  y: readonly tf.Tensor[] | undefined,
): tf.Scalar =>
  y === undefined
    ? normSquared(x)
    : tf.tidy(() => total(x.map((value, index) => tf.sum(tf.mul(tf.square(value), y[index]!)))))

/** Tensors of fewer elements are joined before they are squared: there the calls cost more than the copies. */
const joinBelow = 20_000

/** Σ x²·y over several tensors of one shape; without y plainly Σ x². */
export function partsNormSquared(parts: readonly tf.Tensor[], y: tf.Tensor | undefined): tf.Scalar {
  const { size } = parts[0]!
  if (size >= joinBelow) return tf.tidy(() => total(parts.map((x) => weightedNormSquared([x], y && [y]))))
  return tf.tidy(() => {
    const squares = tf.square(tf.stack(parts.map((x) => tf.reshape(x, [size]))))
    return tf.sum(y === undefined ? squares : tf.mul(squares, tf.reshape(y, [size]))) as tf.Scalar
  })
}
