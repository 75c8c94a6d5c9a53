// The problem that synthetic jobs train on: a quadratic valley with gradient noise,
//   loss(w) = floor + ½ Σ h_i w_i²,   minibatch gradient = h·w + ξ,   ξ_i ~ N(0, trΣ/(n·B)).
// Eigenvalues h_i are spread log-evenly over [curvatureMin, curvatureMax]. SGD with momentum μ (v ← μv + g,
// w ← w − ηv) is stable below η = 2(1 + μ)/curvatureMax. The expected loss under any plan follows exactly from
// the means and covariances of (w_i, v_i), so the best time to anneal is known without drawing a number.

import { evaluatePlan } from '../../protocol/plan.ts'
import type { Plan } from '../../protocol/vocabulary.ts'
import { normals, random } from './random.ts'

export type QuadraticOptions = {
  readonly dimensions: number
  readonly curvatureMin: number
  readonly curvatureMax: number
  /** trΣ: sum of the variances of one example's gradient. */
  readonly traceSigma: number
  readonly batchSize: number
  readonly floor: number
}

/** Eigenvalues, smallest first. */
export function eigenvalues({ dimensions: n, curvatureMin, curvatureMax }: QuadraticOptions): Float64Array {
  return Float64Array.from(
    { length: n },
    (_, i) => curvatureMin * (curvatureMax / curvatureMin) ** (i / (n - 1)),
  )
}

/** The largest rate at which SGD with this momentum does not diverge. */
export const stabilityLimit = (curvatureMax: number, momentum: number): number =>
  (2 * (1 + momentum)) / curvatureMax

export function quadraticLoss(h: Float64Array, w: Float64Array, floor: number): number {
  let sum = 0
  for (let i = 0; i < w.length; i++) sum += h[i]! * w[i]! * w[i]!
  return floor + sum / 2
}

type BatchGradient = {
  readonly gradient: Float64Array
  /** Squared norms: of the batch's gradient, and the mean over its four micro-batches. */
  readonly full: number
  readonly micro: number
}

/** A batch's gradient as the mean of four micro-batches; the same `batchSeed` brings the same batch again. */
export function batchGradient(
  h: Float64Array,
  w: Float64Array,
  options: { traceSigma: number; batchSize: number; batchSeed: number },
): BatchGradient {
  const { traceSigma, batchSize, batchSeed } = options
  const draw = normals(random(batchSeed % 2 ** 32))
  const n = h.length
  const gradient = new Float64Array(n)
  const deviation = Math.sqrt(traceSigma / n / (batchSize / 4))
  let micro = 0
  for (let part = 0; part < 4; part++) {
    for (let i = 0; i < n; i++) {
      const g = h[i]! * w[i]! + deviation * draw()
      gradient[i]! += g / 4
      micro += (g * g) / 4
    }
  }
  return { gradient, full: gradient.reduce((sum, g) => sum + g * g, 0), micro }
}

/**
 * Expected loss after `stepCount` steps under a plan, from w = 1 at rest. Exact: per eigenvalue the second
 * moments of (w, v) follow a linear recursion. A change of momentum takes of the buffer what the trainer takes.
 */
export function expectedLoss(
  options: QuadraticOptions & { readonly momentum: number },
  plan: Plan,
  stepCount: number,
): number {
  const { traceSigma, batchSize, floor, dimensions } = options
  const variance = traceSigma / dimensions / batchSize
  const rates = Array.from({ length: stepCount }, (_, step) => evaluatePlan(plan, step))
  let loss = floor
  for (const h of eigenvalues(options)) {
    let [ww, wv, vv] = [1, 0, 0]
    let before = options.momentum
    for (const { learningRate: eta, momentum: planned } of rates) {
      const mu = planned ?? options.momentum
      const kept = before === mu ? mu : Math.min(before, (mu * (1 - before)) / (1 - mu))
      before = mu
      // v' = μv + hw + ξ (at a change less of v),  w' = w − ηv'
      const nextVv = kept * kept * vv + 2 * kept * h * wv + h * h * ww + variance
      const wNextV = kept * wv + h * ww
      ww = ww - 2 * eta * wNextV + eta * eta * nextVv
      wv = wNextV - eta * nextVv
      vv = nextVv
    }
    loss += (h * ww) / 2
  }
  return loss
}
