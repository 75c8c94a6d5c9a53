// Adam (Kingma and Ba 2015): m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − η·u with u = m̂ / (√v̂ + ε),
// m̂ = m/(1 − Πβ₁), v̂ = v/(1 − β₂ᵗ). The product Πβ₁ is kept, not β₁ᵗ, so that β₁ may change on the way. β₁
// weighs by 1 − β₁ (dampened), so a change of it leaves the size of the update and needs no scaling.

import * as tf from '@tensorflow/tfjs-core'
import { cloneAll, disposeAll, type Optimizer } from './optimizer.ts'

export const adamDefaults = { beta2: 0.999, epsilon: 1e-8 } as const

export function createAdam({ beta2, epsilon }: { beta2: number; epsilon: number } = adamDefaults): Optimizer {
  let first: tf.Tensor[] | undefined
  let second: tf.Tensor[] | undefined
  let firstWeight = 1
  let secondWeight = 1

  const denominator = (v: tf.Tensor, weight = secondWeight): tf.Tensor =>
    tf.add(tf.sqrt(tf.div(v, 1 - weight)), epsilon)
  const updateOf = (m: tf.Tensor, v: tf.Tensor): tf.Tensor =>
    tf.div(tf.div(m, 1 - firstWeight), denominator(v))
  const replace = (m: tf.Tensor[] | undefined, v: tf.Tensor[] | undefined): void => {
    if (first !== undefined) disposeAll(first)
    if (second !== undefined) disposeAll(second)
    first = m
    second = v
  }
  const blend = (before: tf.Tensor | undefined, now: tf.Tensor, beta: number): tf.Tensor =>
    before === undefined ? tf.mul(now, 1 - beta) : tf.add(tf.mul(before, beta), tf.mul(now, 1 - beta))

  return {
    name: 'adam',
    step: (weights, gradients, { learningRate, momentum }) => {
      firstWeight *= momentum
      secondWeight *= beta2
      const m: tf.Tensor[] = []
      const v: tf.Tensor[] = []
      const stepped = weights.map((weight, index) =>
        tf.tidy(() => {
          const gradient = gradients[index]!
          const nextM = tf.keep(blend(first?.[index], gradient, momentum))
          const nextV = tf.keep(blend(second?.[index], tf.square(gradient), beta2))
          m.push(nextM)
          v.push(nextV)
          return tf.sub(weight, tf.mul(updateOf(nextM, nextV), learningRate))
        }),
      )
      replace(m, v)
      return stepped
    },
    update: () => first?.map((m, index) => tf.tidy(() => updateOf(m, second![index]!))),
    inversePreconditioner: (gradients) =>
      second?.map((v, index) =>
        tf.tidy(() => {
          const next = blend(v, tf.square(gradients[index]!), beta2)
          return tf.div(1, denominator(next, secondWeight * beta2))
        }),
      ),
    state: () => ({
      tensors: first === undefined ? {} : { first: cloneAll(first), second: cloneAll(second!) },
      numbers: { firstWeight, secondWeight },
    }),
    restore: (state) => {
      const { first: m, second: v } = state.tensors
      replace(m === undefined ? undefined : cloneAll(m), v === undefined ? undefined : cloneAll(v))
      firstWeight = state.numbers.firstWeight ?? 1
      secondWeight = state.numbers.secondWeight ?? 1
    },
    dispose: () => replace(undefined, undefined),
  }
}
