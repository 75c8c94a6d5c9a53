// The gradient of a weight as the sum of its micro-batches' parts. A weight's gradient is a sum over the examples of
// the batch; computed for each quarter of the batch by itself, the quarters give the micro-batch norms, and their
// sum is the gradient, at the cost of a few thinner products. The passes before it are made once for the whole
// batch: running the model four times would cost 2.4 times as much here.
//
// tfjs calls a derivative without a way to pass something along, so the parts go to the collector that is set for
// the duration of one synchronous call: the same way in which tfjs itself records its tape.

import * as tf from '@tensorflow/tfjs-core'

/** Receives a weight's gradient with its parts; it must `tf.keep` what it needs after the tape's own scope. */
export type PartCollector = {
  readonly partCount: number
  add(gradient: tf.Tensor, parts: readonly tf.Tensor[]): void
}

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
 * is set.
 */
export function summedParts(
  operands: readonly tf.Tensor[],
  gradientOf: (operands: readonly tf.Tensor[]) => tf.Tensor,
): tf.Tensor {
  const collector = active
  if (collector === undefined) return gradientOf(operands)
  const size = operands[0]!.shape[0]! / collector.partCount
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
