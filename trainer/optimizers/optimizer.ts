// Optimizers of our own (docs/decisions/0003-own-optimizers.md): the rate is an argument of each step, the
// moments are tensors that can be read, saved and scaled, and the update u (Δw = −η·u) is there for the probes.
// Tensors are immutable, so a saved state is clones that share memory until the next step replaces them.

import type * as tf from '@tensorflow/tfjs-core'
import type { Weights } from '../models/model.ts'

export const optimizerNames = ['sgd', 'momentum', 'adam'] as const
export type OptimizerName = (typeof optimizerNames)[number]

export type StepRates = {
  readonly learningRate: number
  /** Momentum coefficient in [0, 1) (β₁ of Adam). Ignored by plain SGD. */
  readonly momentum: number
}

/** Named tensors and numbers: everything that a resumed run needs. */
export type OptimizerState = {
  readonly tensors: Readonly<Record<string, readonly tf.Tensor[]>>
  readonly numbers: Readonly<Record<string, number>>
}

/**
 * 1/M per weight, M = √v̂ + ε, as new tensors: of the step that these gradients would make, with their squares in v̂. By the
 * step before, a weight whose gradient has so far been 0 would weigh 1/ε. Undefined before the first step, where √v̂ would
 * be these gradients' own size, and a part's square over that of their sum has no mean.
 */
export type InversePreconditioner = (gradients: readonly tf.Tensor[]) => tf.Tensor[] | undefined

export type Optimizer = {
  readonly name: OptimizerName
  /** New weights after one step. Disposes nothing that it is given; the caller disposes the old weights. */
  step(weights: Weights, gradients: readonly tf.Tensor[], rates: StepRates): tf.Tensor[]
  /** The last update u, one tensor per weight, as new tensors; undefined before the first step. */
  update(): tf.Tensor[] | undefined
  /** Undefined for optimizers that do not precondition. */
  readonly inversePreconditioner: InversePreconditioner | undefined
  /** The state as clones that the caller owns. */
  state(): OptimizerState
  /** Takes over clones of a state; the given one stays the caller's. */
  restore(state: OptimizerState): void
  dispose(): void
}

export const cloneAll = (tensors: readonly tf.Tensor[]): tf.Tensor[] =>
  tensors.map((tensor) => tensor.clone())
export const disposeAll = (tensors: readonly tf.Tensor[]): void => {
  for (const tensor of tensors) tensor.dispose()
}

export function disposeState(state: OptimizerState): void {
  for (const tensors of Object.values(state.tensors)) disposeAll(tensors)
}
