// Stochastic gradient descent, plain and with momentum (undampened): v ← μv + g, w ← w − ηv; u = v. With μ = 0
// the buffer is the gradient itself, so plain SGD is the same code.
//
// When μ changes to μ', the buffer is scaled by (1 − μ)/(1 − μ'). A buffer in balance is g/(1 − μ), so the scaled
// one is in balance for μ'; with the plan's rate η' = η·(1 − μ')/(1 − μ) the effective rate η/(1 − μ) goes on
// without a step. The buffer is never zeroed.

import * as tf from '@tensorflow/tfjs-core'
import { cloneAll, disposeAll, type Optimizer } from './optimizer.ts'

export function createSgd(name: 'sgd' | 'momentum'): Optimizer {
  let buffer: tf.Tensor[] | undefined
  let momentumBefore = 0
  return {
    name,
    step: (weights, gradients, { learningRate, momentum: asked }) => {
      const momentum = name === 'sgd' ? 0 : asked
      const kept = (momentum * (1 - momentumBefore)) / (1 - momentum)
      const factor = momentum === momentumBefore ? momentum : kept
      const next: tf.Tensor[] = []
      const stepped = weights.map((weight, index) =>
        tf.tidy(() => {
          const before = buffer?.[index]
          const gradient = gradients[index]!
          const update =
            before === undefined || factor === 0 ? gradient.clone() : tf.add(tf.mul(before, factor), gradient)
          next.push(tf.keep(update))
          return tf.sub(weight, tf.mul(update, learningRate))
        }),
      )
      if (buffer !== undefined) disposeAll(buffer)
      buffer = next
      momentumBefore = momentum
      return stepped
    },
    update: () => (buffer === undefined ? undefined : cloneAll(buffer)),
    inversePreconditioner: undefined,
    state: () => ({
      tensors: buffer === undefined ? {} : { buffer: cloneAll(buffer) },
      numbers: { momentum: momentumBefore },
    }),
    restore: (state) => {
      if (buffer !== undefined) disposeAll(buffer)
      buffer = state.tensors.buffer === undefined ? undefined : cloneAll(state.tensors.buffer)
      momentumBefore = state.numbers.momentum ?? 0
    },
    dispose: () => {
      if (buffer !== undefined) disposeAll(buffer)
      buffer = undefined
    },
  }
}
