// The line probe: how the training loss on fixed examples changes along two directions, by forward passes only.
//
// Along −u, the optimizer's last update, from the weights before it: the critical rate η_c, the smallest rate whose
// step would have raised the loss (Kalra et al. 2026, "critical sharpness"): doubling or halving from where it was
// last found, then bisection; and the curvature h = (L(+ε) − 2L(0) + L(−ε))/ε² with ε = η_c/2 (or the largest rate that was safe).
//
// Along d = g_a − g_b, the difference of two independent micro-batch gradients (for Adam times M⁻¹), in which the
// noise pushes: h_n = (L(+εd) − 2L(0) + L(−εd))/(ε²·dᵀMd), ε‖d‖ = .05: small enough that third differences
// vanish, large enough that the second difference stands above the rounding of a 32-bit loss.
//
// The model's stem is linear in its weights, so it is evaluated once for w and once per direction; each point on
// a line then costs the head alone.

import * as tf from '@tensorflow/tfjs-core'
import type { Backend } from '../backends/backend.ts'
import type { Batch } from '../data/batches.ts'
import { crossEntropy, type Model, type Weights } from '../models/model.ts'
import { disposeAll, type InversePreconditioner } from '../optimizers/optimizer.ts'
import { normSquared } from './norms.ts'

/** ‖εd‖ of the noise curvature's differences. */
export const noiseStepNorm = 0.05
/** Doublings or halvings before η_c is given up. */
const searchPasses = 6
const bisections = 2

/** Loss at w + t·d on the fixed examples, as a function of t. */
export type LineLoss = { at(t: number): Promise<number>; dispose(): void }

export type LineContext = {
  readonly backend: Backend
  readonly model: Model
  readonly weights: Weights
  readonly examples: Batch
  /** stem(w) on the examples, shared by all directions. */
  readonly stem: tf.Tensor
}

async function readOne(backend: Backend, make: () => tf.Scalar): Promise<number> {
  const scalar = tf.tidy(make)
  const [value] = await backend.readValues([scalar])
  scalar.dispose()
  return value!
}

export function createLineLoss(context: LineContext, direction: readonly tf.Tensor[]): LineLoss {
  const { backend, model, weights, examples } = context
  const stemDirection = tf.tidy(() => model.stem(direction, examples.inputs))
  return {
    at: (t) =>
      readOne(backend, () => {
        const moved = weights.map((weight, index) =>
          index < model.stemWeightCount ? weight : tf.add(weight, tf.mul(direction[index]!, t)),
        )
        const stem = tf.add(context.stem, tf.mul(stemDirection, t))
        return crossEntropy(model.head(moved, stem), examples.labels)
      }),
    dispose: () => stemDirection.dispose(),
  }
}

export type CriticalRate = {
  /** null = no rate tried raised the loss, or every rate did. */
  readonly rate: number | null
  /** The largest rate tried that did not raise the loss, and its loss; null = none. */
  readonly safe: { readonly rate: number; readonly loss: number } | null
}

/** η_c along −u, searched from `start` > 0. A loss that is not finite counts as raised. */
export async function criticalRate(
  lossAt: (rate: number) => Promise<number>,
  lossHere: number,
  start: number,
): Promise<CriticalRate> {
  let low: { rate: number; loss: number } | null = null
  let high: number | null = null
  const probe = async (rate: number): Promise<void> => {
    const loss = await lossAt(rate)
    if (loss <= lossHere) {
      if (low === null || rate > low.rate) low = { rate, loss }
    } else high = high === null ? rate : Math.min(high, rate)
  }
  let rate = start
  for (let pass = 0; pass < searchPasses && (low === null || high === null); pass++) {
    await probe(rate)
    rate = high === null ? rate * 2 : rate / 2
  }
  const safe = () => low as { rate: number; loss: number } | null
  for (let pass = 0; pass < bisections && low !== null && high !== null; pass++)
    await probe(Math.sqrt(safe()!.rate * high))
  const found = safe()
  return { rate: found === null ? null : high, safe: found }
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null)

/**
 * η_c and h along the update u, seen from the weights before the last step: w + η·u with η = `lastRate`, so that the
 * rate η itself is the step that was taken, and η > η_c says that this step raised the loss. Without a last step
 * the line starts at the present weights. `start` (> 0) is where the search begins.
 */
export async function measureAlongUpdate(
  context: LineContext,
  update: readonly tf.Tensor[],
  { lossHere, lastRate, start }: { lossHere: number; lastRate: number | null; start: number },
): Promise<{ criticalLearningRate: number | null; curvature: number | null }> {
  const line = createLineLoss(context, update)
  const offset = lastRate ?? 0
  const lossBefore = offset === 0 ? lossHere : await line.at(offset)
  const { rate, safe } = await criticalRate((eta) => line.at(offset - eta), lossBefore, start)
  let curvature: number | null = null
  if (safe !== null) {
    const behind = await line.at(offset + safe.rate)
    curvature = finiteOrNull((behind - 2 * lossBefore + safe.loss) / safe.rate ** 2)
  }
  line.dispose()
  return { criticalLearningRate: rate, curvature }
}

function preconditionerOf(
  inverseOf: InversePreconditioner,
  [a, b]: readonly [readonly tf.Tensor[], readonly tf.Tensor[]],
): tf.Tensor[] | undefined {
  const means = a.map((one, index) => tf.tidy(() => tf.div(tf.add(one, b[index]!), 2)))
  const inverse = inverseOf(means)
  disposeAll(means)
  return inverse
}

/**
 * h_n along d = M⁻¹(g_a − g_b), M that of a step with the mean of both. dᵀMd = (g_a − g_b)ᵀM⁻¹(g_a − g_b). null if
 * the two gradients are equal or anything is not finite.
 */
export async function measureNoiseCurvature(
  context: LineContext,
  gradients: readonly [readonly tf.Tensor[], readonly tf.Tensor[]],
  inverseOf: InversePreconditioner | undefined,
  lossHere: number,
): Promise<number | null> {
  const difference = gradients[0].map((g, index) => tf.sub(g, gradients[1][index]!))
  const inverse = inverseOf && preconditionerOf(inverseOf, gradients)
  const direction = difference.map((d, index) =>
    inverse === undefined ? d.clone() : tf.mul(d, inverse[index]!),
  )
  const norms = tf.tidy(() => {
    const products = direction.map((d, index) => tf.sum(tf.mul(d, difference[index]!)))
    return [normSquared(direction), tf.addN(products) as tf.Scalar]
  })
  const [directionNormSquared, metric] = await context.backend.readValues(norms)
  const epsilon = noiseStepNorm / Math.sqrt(directionNormSquared!)
  let curvature: number | null = null
  if (Number.isFinite(epsilon) && epsilon > 0) {
    const line = createLineLoss(context, direction)
    const secondDifference = (await line.at(epsilon)) - 2 * lossHere + (await line.at(-epsilon))
    curvature = finiteOrNull(secondDifference / (epsilon ** 2 * metric!))
    line.dispose()
  }
  disposeAll([...difference, ...direction, ...(inverse ?? []), ...norms])
  return curvature
}

/** stem(w) and the loss at w on the examples. The caller disposes `stem`. */
export async function lineStart(
  backend: Backend,
  model: Model,
  weights: Weights,
  examples: Batch,
): Promise<{ context: LineContext; lossHere: number }> {
  const stem = tf.tidy(() => model.stem(weights, examples.inputs))
  const lossHere = await readOne(backend, () => crossEntropy(model.head(weights, stem), examples.labels))
  return { context: { backend, model, weights, examples, stem }, lossHere }
}
