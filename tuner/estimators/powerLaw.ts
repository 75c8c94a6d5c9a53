// Robust fit of y = c + a·x^(−α) for each α of a grid: given α it is linear in (c, a), so it is solved by
// iteratively reweighted least squares with Huber's weights (Huber 1964; QR from ml-matrix). The scale σ is
// fixed beforehand, as 1.4826·MAD of the residuals of the least-squares fit with the best α: with a fixed
// scale each fit is a convex problem with one answer, and fits of different α can be compared.
// Each α gets the weight exp(−Δ/f²), Δ = its Huber loss above the best one's (half a deviance) and f the factor
// for correlated residuals. Every quantity is in units of the data's own spread, so that shifting and scaling
// y shift and scale the result. Cost: about α-count × 5 small QR decompositions of n rows (n ≤ 128).

import { Matrix, QrDecomposition } from 'ml-matrix'
import { median } from 'simple-statistics'
import { huberCutoff } from '../constants.ts'
import { longRunFactor, mean, smallSampleFactor } from './uncertainty.ts'

/** x > 0; `weight` > 0 is the number of measurements behind y, so that y's variance is σ²/weight. */
export type PowerLawPoint = { readonly x: number; readonly y: number; readonly weight: number }

/** y = asymptote + amplitude·x^(−exponent), with the covariance of the two, and the term's share in [0, 1]. */
export type PowerLawTerm = {
  readonly exponent: number
  readonly asymptote: number
  readonly amplitude: number
  readonly asymptoteVariance: number
  readonly covariance: number
  readonly amplitudeVariance: number
  readonly weight: number
}

/** Terms below this share are left out: they change nothing that can be seen. */
const shareMin = 1e-3
const iterationsMax = 100
/** Iteration ends when both coefficients move by less than this share of the scale σ. */
const convergence = 1e-9
/** σ below this share of the data's range is rounding: the fit is exact. */
const exactShare = 1e-12

type Design = { readonly exponent: number; readonly regressor: readonly number[] }
type Solution = { readonly asymptote: number; readonly amplitude: number; readonly residuals: number[] }

/**
 * Terms of the exponents that the data supports, best first; undefined where no curve can be fitted (fewer
 * than 6 points, or non-finite results). Constant y gives amplitude 0 with no variance.
 */
export function fitPowerLaw(
  points: readonly PowerLawPoint[],
  exponents: readonly number[],
): PowerLawTerm[] | undefined {
  const n = points.length
  if (n < 6) return undefined
  const origin = mean(points.map((point) => point.y))
  const range = Math.max(...points.map((point) => Math.abs(point.y - origin)))
  if (!Number.isFinite(range)) return undefined
  const designs = exponents.map((exponent) => ({
    exponent,
    regressor: points.map((point) => point.x ** -exponent),
  }))
  const unit = range > 0 ? range : 1
  const values = points.map((point) => (point.y - origin) / unit)
  const roots = points.map((point) => Math.sqrt(point.weight))
  const sigma = Math.max(exactShare, residualScale(designs, values, roots))
  const fits = designs.map((design) => robustFit(design, values, roots, sigma))
  const terms = weighted(fits, sigma, n)
  if (terms === undefined) return undefined
  return terms.map((term) => ({
    ...term,
    asymptote: origin + unit * term.asymptote,
    amplitude: unit * term.amplitude,
    asymptoteVariance: unit * unit * term.asymptoteVariance,
    covariance: unit * unit * term.covariance,
    amplitudeVariance: unit * unit * term.amplitudeVariance,
  }))
}

/** Weighted least squares of values on (1, regressor); `roots` are the square roots of the weights. */
function solve(regressor: readonly number[], values: readonly number[], roots: readonly number[]): Solution {
  const n = values.length
  const design = new Matrix(n, 2)
  const target = new Matrix(n, 1)
  for (let i = 0; i < n; i++) {
    design.set(i, 0, roots[i]!)
    design.set(i, 1, roots[i]! * regressor[i]!)
    target.set(i, 0, roots[i]! * values[i]!)
  }
  const qr = new QrDecomposition(design)
  const solution = qr.isFullRank() ? qr.solve(target) : undefined
  const asymptote = solution?.get(0, 0) ?? Number.NaN
  const amplitude = solution?.get(1, 0) ?? Number.NaN
  return { asymptote, amplitude, residuals: values.map((y, i) => y - asymptote - amplitude * regressor[i]!) }
}

/** σ of one measurement from the best least-squares fit: 1.4826·MAD about 0, mended for the three parameters. */
function residualScale(
  designs: readonly Design[],
  values: readonly number[],
  roots: readonly number[],
): number {
  let best = { squares: Number.POSITIVE_INFINITY, scale: 0 }
  for (const { regressor } of designs) {
    const scaled = solve(regressor, values, roots).residuals.map((r, i) => Math.abs(r) * roots[i]!)
    const squares = scaled.reduce((sum, r) => sum + r * r, 0)
    if (squares < best.squares) best = { squares, scale: 1.4826 * median(scaled) }
  }
  return best.scale * Math.sqrt(values.length / (values.length - 3))
}

type RobustFit = Design &
  Solution & { readonly scaled: number[]; readonly roots: readonly number[]; readonly loss: number }

/** Huber's fit at fixed scale. `scaled` are residuals over their own σ, `roots` the final weights' roots. */
function robustFit(
  design: Design,
  values: readonly number[],
  roots: readonly number[],
  sigma: number,
): RobustFit {
  let solution = solve(design.regressor, values, roots)
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    const previous = solution
    const reweighted = roots.map((root, i) => {
      const z = Math.abs(previous.residuals[i]! * root) / sigma
      return z <= huberCutoff ? root : root * Math.sqrt(huberCutoff / z)
    })
    if (reweighted.every((root, i) => root === roots[i])) break
    solution = solve(design.regressor, values, reweighted)
    const moved = Math.max(
      Math.abs(solution.asymptote - previous.asymptote),
      Math.abs(solution.amplitude - previous.amplitude),
    )
    if (!(moved > convergence * sigma)) break
  }
  const scaled = solution.residuals.map((residual, i) => (residual * roots[i]!) / sigma)
  const loss = scaled.reduce((sum, z) => sum + huberLoss(Math.abs(z)), 0)
  return { ...design, ...solution, scaled, roots, loss }
}

const huberLoss = (z: number): number =>
  z <= huberCutoff ? (z * z) / 2 : huberCutoff * (z - huberCutoff / 2)

/** Fits as terms with shares that sum to 1, the best first; undefined if none came out finite. */
function weighted(fits: readonly RobustFit[], sigma: number, n: number): PowerLawTerm[] | undefined {
  const finite = fits.filter((fit) => Number.isFinite(fit.loss)).sort((a, b) => a.loss - b.loss)
  const best = finite[0]
  if (best === undefined) return undefined
  const factor = longRunFactor(best.scaled)
  const near = finite
    .map((fit) => ({ fit, share: Math.exp(-(fit.loss - best.loss) / factor ** 2) }))
    .filter(({ share }) => share >= shareMin)
  const total = near.reduce((sum, { share }) => sum + share, 0)
  return near.map(({ fit, share }) => ({
    exponent: fit.exponent,
    asymptote: fit.asymptote,
    amplitude: fit.amplitude,
    ...covariance(fit, (sigma * factor * smallSampleFactor(n - 3)) ** 2),
    weight: share / total,
  }))
}

/**
 * Covariance of (asymptote, amplitude): variance of one measurement × (n/(n−3)·mean ψ²)/(mean ψ′)² × (XᵀWX)⁻¹,
 * Huber's asymptotic formula, with ψ(z) the clipped and ψ′ the share of unclipped residuals.
 */
function covariance(
  fit: RobustFit,
  variance: number,
): Pick<PowerLawTerm, 'asymptoteVariance' | 'covariance' | 'amplitudeVariance'> {
  const n = fit.scaled.length
  let psiSquares = 0
  let unclipped = 0
  let [s0, s1, s2] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    psiSquares += Math.min(Math.abs(fit.scaled[i]!), huberCutoff) ** 2
    if (Math.abs(fit.scaled[i]!) <= huberCutoff) unclipped++
    const weight = fit.roots[i]! ** 2
    s0 += weight
    s1 += weight * fit.regressor[i]!
  }
  // Centred, because the regressor hardly varies when α is small and S has not grown much.
  const center = s1 / s0
  for (let i = 0; i < n; i++) s2 += fit.roots[i]! ** 2 * (fit.regressor[i]! - center) ** 2
  const scale = (variance * psiSquares) / (n - 3) / (Math.max(unclipped, 1) / n) ** 2
  return {
    asymptoteVariance: scale * (1 / s0 + center ** 2 / s2),
    covariance: (-scale * center) / s2,
    amplitudeVariance: scale / s2,
  }
}
