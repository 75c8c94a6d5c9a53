// The gradient of a batch together with the norms of its micro-batches' gradients. Where our own derivatives are in
// use, the parts fall off while the gradient is computed (kernels/partGradients.ts); elsewhere the model runs on
// each quarter by itself, and the mean of the four gradients is the gradient of the batch. Either way there is no
// further pass over the whole batch.

import * as tf from '@tensorflow/tfjs-core'
import { hasPartGradients } from '../backends/kernels/gradients.ts'
import { collectingParts, type PartCollector } from '../backends/kernels/partGradients.ts'
import type { Batch } from '../data/batches.ts'
import { lossAndGradients, type Model, type Weights } from '../models/model.ts'
import { disposeAll, type InversePreconditioner } from '../optimizers/optimizer.ts'
import { partsNormSquared, weightedNormSquared } from './norms.ts'

export const microBatchCount = 4

export type MicroBatchGradients = {
  readonly loss: tf.Scalar
  readonly gradients: tf.Tensor[]
  /** Mean over the parts of ‖gᵢ‖². */
  readonly microNormSquared: tf.Scalar
  /** In the norm of M⁻¹, of the batch's gradient and of the parts as above; undefined where there is no preconditioner. */
  readonly preconditioned:
    | { readonly normSquared: tf.Scalar; readonly microNormSquared: tf.Scalar }
    | undefined
}

/** The parts of one weight's gradient, or only Σ‖part‖². */
type Parts = { readonly parts: readonly tf.Tensor[] } | { readonly normSquared: tf.Scalar }

function normOfParts(entry: Parts, metric: tf.Tensor | undefined): tf.Scalar {
  return 'parts' in entry ? partsNormSquared(entry.parts, metric) : entry.normSquared
}

/** factor·Σ‖part‖² over the parts of all weights, plain and in the norm of M⁻¹, and there the whole gradient's too. */
function norms(
  entries: readonly Parts[],
  gradients: readonly tf.Tensor[],
  inverseOf: InversePreconditioner | undefined,
  factor: number,
): Pick<MicroBatchGradients, 'microNormSquared' | 'preconditioned'> {
  const total = (metric: readonly tf.Tensor[] | undefined): tf.Scalar =>
    tf.tidy(() => {
      const sums = entries.map((entry, index) => normOfParts(entry, metric?.[index]))
      return tf.mul(tf.addN(sums), factor)
    })
  const microNormSquared = total(undefined)
  const inverse = inverseOf?.(gradients)
  if (inverse === undefined) return { microNormSquared, preconditioned: undefined }
  const preconditioned = {
    normSquared: weightedNormSquared(gradients, inverse),
    microNormSquared: total(inverse),
  }
  disposeAll(inverse)
  return { microNormSquared, preconditioned }
}

function inOnePass(
  model: Model,
  weights: Weights,
  batch: Batch,
  inverseOf: InversePreconditioner | undefined,
): MicroBatchGradients {
  const collected = new Map<tf.Tensor, Parts>()
  const collector: PartCollector = {
    partCount: microBatchCount,
    // Norms in another metric need the parts themselves.
    wantsParts: inverseOf !== undefined,
    add: (gradient, parts) => {
      for (const part of parts) tf.keep(part)
      collected.set(gradient, { parts })
    },
    addNorm: (gradient, normSquared) => void collected.set(gradient, { normSquared: tf.keep(normSquared) }),
  }
  const { loss, gradients } = collectingParts(collector, () => lossAndGradients(model, weights, batch))
  const entryOf = (gradient: tf.Tensor): Parts => {
    const found = collected.get(gradient)
    if (found === undefined)
      throw new Error(`model ${model.name} must use each weight in one product or sum only`)
    return found
  }
  // A part is (1/B)·Σ over B/4 examples, so a micro-batch's own mean gradient is 4 parts: 16‖part‖², mean of 4.
  const measured = norms(gradients.map(entryOf), gradients, inverseOf, microBatchCount)
  for (const entry of collected.values()) disposeAll('parts' in entry ? entry.parts : [entry.normSquared])
  return { loss, gradients, ...measured }
}

const meanOf = (tensors: tf.Tensor[]): tf.Tensor => tf.div(tf.addN(tensors), tensors.length)

function quarter(batch: Batch, index: number): Batch {
  const size = batch.count / microBatchCount
  const rows = (x: tf.Tensor2D) => tf.slice(x, [index * size, 0], [size, x.shape[1]])
  return { inputs: rows(batch.inputs), labels: rows(batch.labels), count: size }
}

function inFourPasses(
  model: Model,
  weights: Weights,
  batch: Batch,
  inverseOf: InversePreconditioner | undefined,
): MicroBatchGradients {
  return tf.tidy(() => {
    const passes = Array.from({ length: microBatchCount }, (_, index) =>
      lossAndGradients(model, weights, quarter(batch, index)),
    )
    const parts = weights.map((_, index) => ({ parts: passes.map((pass) => pass.gradients[index]!) }))
    const gradients = parts.map((entry) => meanOf(entry.parts))
    return {
      loss: meanOf(passes.map((pass) => pass.loss)) as tf.Scalar,
      gradients,
      ...norms(parts, gradients, inverseOf, 1 / microBatchCount),
    }
  })
}

/**
 * The batch must be a multiple of 4. The caller disposes the result. `onePass` is for tests: by default the
 * cheaper way that is available.
 */
export function microBatchGradients(
  model: Model,
  weights: Weights,
  batch: Batch,
  inverseOf: InversePreconditioner | undefined,
  onePass: boolean = hasPartGradients(),
): MicroBatchGradients {
  return (onePass ? inOnePass : inFourPasses)(model, weights, batch, inverseOf)
}
