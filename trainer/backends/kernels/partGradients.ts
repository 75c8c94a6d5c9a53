// The gradient of a weight as the sum of its micro-batches' parts. A weight's gradient is a sum over the examples of
// the batch; computed for each quarter of the batch by itself, the quarters give the micro-batch norms, and their
// sum is the gradient, at the cost of a few thinner products. The passes before it are made once for the whole
// batch: running the model four times would cost 2.4 times as much here.
//
// Where only Σ‖part‖² is wanted, the parts of a product's gradient need not exist: of part p, with rows xᵢ and dyᵢ,
// ‖Σᵢ xᵢᵀdyᵢ‖² = Σᵢⱼ (xᵢ·xⱼ)(dyᵢ·dyⱼ), two small square products. On native TensorFlow, which multiplies all parts in one
// call, that takes a third of the time; on WebAssembly, which does not, it is no gain.
//
// tfjs calls a derivative without a way to pass something along, so the parts go to the collector that is set for
// the duration of one synchronous call: the same way in which tfjs itself records its tape.

import * as tf from '@tensorflow/tfjs-core'
import { squaredNorm } from './squaredNorm.ts'

/** Receives a weight's gradient with its parts; it must `tf.keep` what it needs after the tape's own scope. */
export type PartCollector = {
  readonly partCount: number
  /** Whether it wants the parts themselves; else their norms will do. */
  readonly wantsParts: boolean
  add(gradient: tf.Tensor, parts: readonly tf.Tensor[]): void
  /** Takes Σ‖part‖², a scalar tensor, instead. */
  addNorm(gradient: tf.Tensor, partsNormSquared: tf.Scalar): void
}

const together = new Set<string>()
/** From now on norms of parts are computed together on this backend of tfjs. */
export const takePartsTogether = (backendName: string): void => void together.add(backendName)

let active: PartCollector | undefined

/** Runs `compute` with a collector; the batch must be a multiple of its `partCount`. */
export function collectingParts<Result>(collector: PartCollector, compute: () => Result): Result {
  const before = active
  active = collector
  try {
    return compute()
  } finally {
    active = before
  }
}

/**
 * A weight's gradient from operands whose first axis is the batch: whole, or as a sum of parts while a collector
 * is set. `normOf` gives Σ‖part‖² from the operands with the parts as an axis before the others.
 */
export function summedParts(
  operands: readonly tf.Tensor[],
  gradientOf: (operands: readonly tf.Tensor[]) => tf.Tensor,
  normOf?: (operands: readonly tf.Tensor[]) => tf.Scalar,
): tf.Tensor {
  const collector = active
  if (collector === undefined) return gradientOf(operands)
  const size = operands[0]!.shape[0]! / collector.partCount
  if (normOf !== undefined && !collector.wantsParts && together.has(tf.getBackend())) {
    const gradient = gradientOf(operands)
    const { partCount } = collector
    const inParts = operands.map((x) => tf.reshape(x, [partCount, size, ...x.shape.slice(1)]))
    collector.addNorm(gradient, normOf(inParts))
    return gradient
  }
  const rows = (x: tf.Tensor, part: number) => {
    const [, ...rest] = x.shape
    return tf.slice(x, [part * size, ...rest.map(() => 0)], [size, ...rest])
  }
  const parts = Array.from({ length: collector.partCount }, (_, part) =>
    gradientOf(operands.map((operand) => rows(operand, part))),
  )
  const gradient = tf.addN(parts)
  collector.add(gradient, parts)
  return gradient
}

/** Σₚ‖xₚᵀ·dyₚ‖² of matrices [parts, rows, columns]. */
export function productNorm([x, dy]: readonly tf.Tensor[]): tf.Scalar {
  const inner = (rows: tf.Tensor) => tf.matMul(rows, rows, false, true)
  return tf.sum(tf.mul(inner(x!), inner(dy!)))
}

/** Σₚ‖sum of the rows of dyₚ‖² of a tensor [parts, rows, …, columns], summed over all but the last axis. */
export function rowSumNorm([dy]: readonly tf.Tensor[]): tf.Scalar {
  const [parts, ...rest] = dy!.shape
  return squaredNorm([tf.sum(tf.reshape(dy!, [parts!, -1, rest.at(-1)!]), 1)])
}
