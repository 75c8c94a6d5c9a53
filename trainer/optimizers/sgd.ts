// Stochastic gradient descent, plain and with momentum (undampened): v ← μv + g, w ← w − ηv; u = v. With μ = 0
// the buffer is the gradient itself, so plain SGD is the same code.
//
// Where μ becomes μ', two things must not grow: the speed along a steady gradient, and the way that the old buffer still
// goes by itself, η·v·(μ + μ² + …). With the plan's rate η' = η·(1 − μ')/(1 − μ), which holds the effective rate η/(1 − μ),
// the first asks for a factor of at most (1 − μ)/(1 − μ') on the buffer, the second for at most μ/μ'; so the first binds
// where μ falls, the second where it rises, and then the buffer fills by itself over 1/(1 − μ') steps. Scaling up instead
// multiplies the noise of the newest gradients (bench/records/2026-11-24-paper, C5 and C6).

import * as tf from '@tensorflow/tfjs-core'
import { cloneAll, disposeAll, type Optimizer } from './optimizer.ts'

/** Share of the buffer that goes into the next one, where momentum goes from one value to another: μ' times the factor. */
export const bufferShare = (from: number, to: number): number =>
  from === to ? to : Math.min(from, (to * (1 - from)) / (1 - to))

export function createSgd(name: 'sgd' | 'momentum'): Optimizer {
  let buffer: tf.Tensor[] | undefined
  let momentumBefore = 0
  return {
    name,
    step: (weights, gradients, { learningRate, momentum: asked }) => {
      const momentum = name === 'sgd' ? 0 : asked
      const factor = bufferShare(momentumBefore, momentum)
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
