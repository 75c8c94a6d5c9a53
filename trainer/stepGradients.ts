// The gradient of one step, plain or with the norms of its micro-batches, and what the measuring cost beyond the
// training: the time of a split gradient less that of the plain ones around it.

import type * as tf from '@tensorflow/tfjs-core'
import type { Batch } from './data/batches.ts'
import { lossAndGradients, type Model, type Weights } from './models/model.ts'
import { disposeAll, type Optimizer } from './optimizers/optimizer.ts'
import { microBatchGradients } from './probes/microBatches.ts'
import { innerProduct, normSquared } from './probes/norms.ts'
import type { DeviceSignal } from './signals.ts'

export type StepGradients = {
  readonly loss: tf.Scalar
  readonly gradients: tf.Tensor[]
  /** Norms of the micro-batches, where they were measured. */
  readonly norms: Partial<Record<DeviceSignal, tf.Scalar | undefined>>
  readonly signalSeconds: number
}

export type GradientMaker = {
  plain(weights: Weights, batch: Batch): StepGradients
  split(weights: Weights, batch: Batch): StepGradients
  /** ⟨g, u⟩, ‖u‖² and ‖w‖² after the optimizer has made its update. */
  updateSignals(weights: Weights, gradients: readonly tf.Tensor[]): Partial<Record<DeviceSignal, tf.Scalar>>
}

export function createGradientMaker(model: Model, optimizer: Optimizer, clock: () => number): GradientMaker {
  let plainSeconds: number | null = null
  /** Where a split one took less than plain ones by chance: kept for the next, or noise would only ever add. */
  let balance = 0
  return {
    plain: (weights, batch) => {
      const started = clock()
      const result = lossAndGradients(model, weights, batch)
      const seconds = clock() - started
      plainSeconds = plainSeconds === null ? seconds : plainSeconds * 0.9 + seconds * 0.1
      return { ...result, norms: {}, signalSeconds: 0 }
    },
    split: (weights, batch) => {
      const started = clock()
      const result = microBatchGradients(model, weights, batch, optimizer.inversePreconditioner)
      const { loss, gradients, microNormSquared, preconditioned } = result
      const norms = {
        microGradientNormSquared: microNormSquared,
        preconditionedGradientNormSquared: preconditioned?.normSquared,
        preconditionedMicroGradientNormSquared: preconditioned?.microNormSquared,
      }
      const seconds = clock() - started
      const extra = seconds - (plainSeconds ?? seconds)
      balance = Math.max(balance + extra, -(plainSeconds ?? 0))
      const signalSeconds = Math.max(0, balance)
      balance -= signalSeconds
      return { loss, gradients, norms, signalSeconds }
    },
    updateSignals: (weights, gradients) => {
      const update = optimizer.update() ?? []
      const measured = {
        gradientDotUpdate: innerProduct(gradients, update),
        updateNormSquared: normSquared(update),
        weightNormSquared: normSquared(weights),
      }
      disposeAll(update)
      return measured
    },
  }
}
