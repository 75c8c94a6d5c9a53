// Robust fit of y = c + a·x^(−α). Given α it is linear in (c, a) and minimises Huber's loss at a fixed scale σ
// (Huber 1964), by the algorithm of modified residuals: one QR decomposition per α (ml-matrix), then cheap
// projections of "fitted value + clipped residual" until nothing moves. σ = 1.4826·MAD of the residuals of
// the least-squares fit with the best α; at a fixed scale each fit is convex, so there is one answer, and fits
// of different α can be compared. The grid of α is refined where most of the likelihood lies.
// Each α gets the share exp(−Δ/f²) times its grid spacing in log α, with Δ = its loss above the best one's (half
// a deviance) and f the factor for correlated residuals: the posterior of α under a flat prior in log α.
// All is done in units of the data's own spread, so shifting and scaling y shift and scale the result.
// Cost: about 20 QR decompositions of n × 2 (n ≤ 128), below 2 ms.

import { Matrix, QrDecomposition } from 'ml-matrix'
import { median } from 'simple-statistics'
import { huberCutoff } from '../constants.ts'
import { longRunFactor, mean, normalPerMad, smallSampleFactor } from './uncertainty.ts'

/** x > 0; `weight` > 0 is the number of measurements behind y, so that y's variance is σ²/weight. */
type PowerLawPoint = { readonly x: number; readonly y: number; readonly weight: number }

/** y = asymptote + amplitude·x^(−exponent), with the covariance of the two, and the term's share in [0, 1]. */
export type PowerLawTerm = {
  readonly exponent: number
  readonly asymptote: number
  readonly amplitude: number
  readonly asymptoteVariance: number
  readonly covariance: number
  readonly amplitudeVariance: number
  readonly share: number
}

/** Terms below this share are left out: they change nothing that can be seen. */
const shareMin = 1e-3
const refinements = 8
const iterationsMax = 200
/** Iteration ends when no fitted value moves by more than this share of σ. */
const convergence = 1e-10
/** σ below this share of the data's range is rounding: the fit is exact. */
const exactShare = 1e-12

/** Rows scaled by the root of their weight, so that every residual has the same σ. */
type Data = { readonly x: number[]; readonly y: number[]; readonly root: number[] }
/** Orthonormal columns q and R of one exponent's design, and the regressor x^(−α) itself. */
type Design = {
  readonly exponent: number
  readonly regressor: readonly number[]
  readonly q: readonly [readonly number[], readonly number[]]
  readonly r: Matrix
}
/** Coefficients in the orthonormal basis, scaled residuals in units of y, and the loss that was minimised. */
type Fit = {
  readonly design: Design
  readonly projections: readonly [number, number]
  readonly residuals: readonly number[]
  readonly loss: number
}

/**
 * Terms of the exponents that the data supports, in order of the exponent; undefined where no curve can be
 * fitted (fewer than 6 points, or x so far apart that powers overflow). Constant y gives amplitude 0.
 */
export function fitPowerLaw(
  points: readonly PowerLawPoint[],
  exponents: readonly number[],
): PowerLawTerm[] | undefined {
  if (points.length < 6) return undefined
  const origin = mean(points.map((point) => point.y))
  const range = Math.max(...points.map((point) => Math.abs(point.y - origin)))
  if (!Number.isFinite(range)) return undefined
  const unit = range > 0 ? range : 1
  const root = points.map((point) => Math.sqrt(point.weight))
  const data: Data = {
    x: points.map((point) => point.x),
    y: points.map((point, i) => (root[i]! * (point.y - origin)) / unit),
    root,
  }
  const designOf = cachedDesigns(data)
  const sigma = scaleOf(
    refined(
      exponents,
      (exponent) => leastSquares(designOf(exponent), data),
      // That of normal noise of unknown σ; an exact fit's logarithm is kept finite.
      (fit) => (-points.length / 2) * Math.log(Math.max(fit.loss, Number.MIN_VALUE)),
    ),
  )
  const fits = refined(
    exponents,
    (exponent) => huberFit(designOf(exponent), data, sigma),
    (fit) => -fit.loss,
  )
  return terms(fits, data, sigma)?.map((term) => ({
    ...term,
    asymptote: origin + unit * term.asymptote,
    amplitude: unit * term.amplitude,
    asymptoteVariance: unit * unit * term.asymptoteVariance,
    covariance: unit * unit * term.covariance,
    amplitudeVariance: unit * unit * term.amplitudeVariance,
  }))
}

/**
 * Fits over the grid and in between: eight times the step with most of the likelihood is halved (its width in
 * log α times the likelihood at its better end). Finite fits only, in order of the exponent.
 */
function refined(
  exponents: readonly number[],
  fitOf: (exponent: number) => Fit,
  logLikelihood: (fit: Fit) => number,
): Fit[] {
  let fits = exponents.map(fitOf).filter((fit) => Number.isFinite(fit.loss))
  for (let round = 0; round < refinements && fits.length > 1; round++) {
    const logs = fits.map(logLikelihood)
    const best = Math.max(...logs)
    const masses = fits.slice(1).map((fit, i) => {
      const width = Math.log(fit.design.exponent / fits[i]!.design.exponent)
      return width * Math.exp(Math.max(logs[i]!, logs[i + 1]!) - best)
    })
    const widest = masses.indexOf(Math.max(...masses))
    const between = Math.sqrt(fits[widest]!.design.exponent * fits[widest + 1]!.design.exponent)
    fits = [...fits.slice(0, widest + 1), fitOf(between), ...fits.slice(widest + 1)]
  }
  return fits
}

function bestIndex(fits: readonly Fit[]): number {
  let best = 0
  for (const [i, fit] of fits.entries()) if (fit.loss < fits[best]!.loss) best = i
  return best
}

/** Both passes ask for nearly the same exponents: each is decomposed once. */
function cachedDesigns(data: Data): (exponent: number) => Design {
  const known = new Map<number, Design>()
  return (exponent) => {
    const design = known.get(exponent) ?? designOf(data, exponent)
    known.set(exponent, design)
    return design
  }
}

function designOf({ x, root }: Data, exponent: number): Design {
  const regressor = x.map((entry) => entry ** -exponent)
  const matrix = new Matrix(root.map((entry, i) => [entry, entry * regressor[i]!]))
  const decomposition = new QrDecomposition(matrix)
  const q = decomposition.orthogonalMatrix
  return { exponent, regressor, q: [q.getColumn(0), q.getColumn(1)], r: decomposition.upperTriangularMatrix }
}

function leastSquares(design: Design, { y }: Data): Fit {
  const [q0, q1] = design.q
  const [p0, p1] = [dot(q0, y), dot(q1, y)]
  const residuals = y.map((value, i) => value - q0[i]! * p0 - q1[i]! * p1)
  return { design, projections: [p0, p1], residuals, loss: dot(residuals, residuals) }
}

/** σ of one measurement: 1.4826·MAD of the best fit's residuals about 0, mended for the three parameters. */
function scaleOf(fits: readonly Fit[]): number {
  if (fits.length === 0) return exactShare
  const { residuals } = fits[bestIndex(fits)]!
  const scale = normalPerMad * median(residuals.map(Math.abs))
  return Math.max(exactShare, scale * Math.sqrt(residuals.length / (residuals.length - 3)))
}

/** Huber's fit at a fixed scale, from the least-squares fit on. Each iteration lowers the loss; O(n). */
function huberFit(design: Design, data: Data, sigma: number): Fit {
  const limit = huberCutoff * sigma
  const [q0, q1] = design.q
  const start = leastSquares(design, data)
  let [p0, p1] = start.projections
  const residuals = [...start.residuals]
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    let [moved0, moved1] = [0, 0]
    for (let i = 0; i < residuals.length; i++) {
      const clipped = Math.min(limit, Math.max(-limit, residuals[i]!))
      moved0 += q0[i]! * clipped
      moved1 += q1[i]! * clipped
    }
    // The clipped residuals are orthogonal to the design exactly where the Huber loss is least.
    if (!(Math.hypot(moved0, moved1) > convergence * sigma)) break
    p0 += moved0
    p1 += moved1
    for (let i = 0; i < residuals.length; i++) residuals[i]! -= q0[i]! * moved0 + q1[i]! * moved1
  }
  let loss = 0
  for (const residual of residuals) loss += huberLoss(Math.abs(residual) / sigma)
  return { design, projections: [p0, p1], residuals, loss }
}

const huberLoss = (z: number): number =>
  z <= huberCutoff ? (z * z) / 2 : huberCutoff * (z - huberCutoff / 2)

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Fits as terms whose shares sum to 1; undefined if there is none. */
function terms(fits: readonly Fit[], data: Data, sigma: number): PowerLawTerm[] | undefined {
  if (fits.length === 0) return undefined
  const best = fits[bestIndex(fits)]!
  const factor = longRunFactor(best.residuals, 3)
  const variance = (sigma * factor * smallSampleFactor(data.y.length - 3)) ** 2
  const logs = fits.map((fit) => Math.log(fit.design.exponent))
  const shares = fits.map((fit, i) => {
    const spacing = (logs[i + 1] ?? logs[i]!) - (logs[i - 1] ?? logs[i]!)
    return Math.exp((best.loss - fit.loss) / factor ** 2) * (fits.length > 1 ? spacing : 1)
  })
  const near = shares.map((share) => (share >= shareMin * Math.max(...shares) ? share : 0))
  const total = near.reduce((sum, share) => sum + share, 0)
  return fits.flatMap((fit, i) =>
    near[i] === 0 ? [] : [{ ...termOf(fit, data, variance, sigma), share: near[i]! / total }],
  )
}

/**
 * Coefficients from R·(c, a) = projections, and their covariance: variance of one measurement ×
 * (n/(n−3)·mean ψ²)/(mean ψ′)² × (XᵀX)⁻¹, Huber's asymptotic formula, with ψ the clipped residuals over σ
 * and mean ψ′ the share of unclipped ones.
 */
function termOf(fit: Fit, { root }: Data, variance: number, sigma: number): Omit<PowerLawTerm, 'share'> {
  const { r, regressor, exponent } = fit.design
  const n = root.length
  const amplitude = fit.projections[1] / r.get(1, 1)
  const asymptote = (fit.projections[0] - r.get(0, 1) * amplitude) / r.get(0, 0)
  let psiSquares = 0
  let unclipped = 0
  for (const residual of fit.residuals) {
    const z = Math.abs(residual) / sigma
    psiSquares += Math.min(z, huberCutoff) ** 2
    if (z <= huberCutoff) unclipped++
  }
  const weights = root.map((entry) => entry * entry)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const center = dot(weights, regressor) / total
  const scale = (variance * psiSquares) / (n - 3) / (Math.max(unclipped, 1) / n) ** 2
  // R's lower right entry is the regressor's deviation from its mean: it has lost no digits to subtraction.
  const spread = r.get(1, 1) ** 2
  return {
    exponent,
    asymptote,
    amplitude,
    asymptoteVariance: scale * (1 / total + center ** 2 / spread),
    covariance: (-scale * center) / spread,
    amplitudeVariance: scale / spread,
  }
}
