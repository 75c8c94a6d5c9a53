// Robust fit of y = c + a·x^(−α). Given α it is linear in (c, a) and minimises Huber's loss at a fixed scale σ
// (Huber 1964). The two columns are made orthonormal once per α (by hand: it is most of the cost of a probe, and
// ml-matrix, which solves for the coefficients at the end, takes a list per row); then come Newton's steps on the
// clipped residuals until nothing moves. σ = 1.4826·MAD of the residuals of the least-squares fit with the best α;
// at a fixed scale each fit is convex, so there is one answer, and fits of different α can be compared. The grid of
// α is refined where most of the likelihood lies.
// Each α gets the share exp(−Δ/f²) times its grid spacing in log α, with Δ = its loss above the best one's (half
// a deviance) and f the factor for correlated residuals: the posterior of α under a flat prior in log α.
// All is done in units of the data's own spread, so shifting and scaling y shift and scale the result.
// Cost: about 20 fits of n × 2 (n ≤ 128), some tenths of a millisecond.

import { inverse, Matrix } from 'ml-matrix'
import { median } from 'simple-statistics'
import { cautiousFactor, longRunFactor, mean, normalPerMad, smallSampleFactor } from './uncertainty.ts'

/** Huber's k: 95 % as good as least squares on normal noise. Huber 1964. */
const huberCutoff = 1.345

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

export type PowerLawFit = {
  readonly terms: readonly PowerLawTerm[]
  /** By how much an error from these terms is to be widened, because few residuals look less correlated than they are. */
  readonly caution: number
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
type Data = { readonly logX: Float64Array; readonly y: Float64Array; readonly root: Float64Array }
/** Orthonormal columns q and upper triangular R of one exponent's design: q·R = root·(1, x^(−α)). */
type Design = {
  readonly exponent: number
  readonly q: readonly [Float64Array, Float64Array]
  readonly r: { readonly r00: number; readonly r01: number; readonly r11: number }
}
type Pair = readonly [number, number]
/** Coefficients in the orthonormal basis, scaled residuals in units of y, and the loss that was minimised. */
type Fit = {
  readonly design: Design
  readonly projections: Pair
  readonly residuals: Float64Array
  readonly loss: number
}

/**
 * Terms of the exponents that the data supports, in order of the exponent; undefined where no curve can be
 * fitted (fewer than 6 points, or x so far apart that powers overflow). Constant y gives amplitude 0.
 */
export function fitPowerLaw(
  points: readonly PowerLawPoint[],
  exponents: readonly number[],
): PowerLawFit | undefined {
  if (points.length < 6) return undefined
  const origin = mean(points.map((point) => point.y))
  const range = Math.max(...points.map((point) => Math.abs(point.y - origin)))
  if (!Number.isFinite(range)) return undefined
  const unit = range > 0 ? range : 1
  const data = dataOf(points, origin, unit)
  const startOf = cachedStarts(data)
  const sigma = scaleOf(
    refined(
      exponents,
      startOf,
      // That of normal noise of unknown σ; an exact fit's logarithm is kept finite.
      (fit) => (-points.length / 2) * Math.log(Math.max(fit.loss, Number.MIN_VALUE)),
    ),
  )
  const fits = refined(
    exponents,
    (exponent) => huberFit(startOf(exponent), sigma),
    (fit) => -fit.loss,
  )
  if (fits.length === 0) return undefined
  const residuals = [...fits[bestIndex(fits)]!.residuals]
  const factor = longRunFactor(residuals, 3)
  const found = terms(fits, sigma, factor).map((term) => ({
    ...term,
    asymptote: origin + unit * term.asymptote,
    amplitude: unit * term.amplitude,
    asymptoteVariance: unit * unit * term.asymptoteVariance,
    covariance: unit * unit * term.covariance,
    amplitudeVariance: unit * unit * term.amplitudeVariance,
  }))
  return { terms: found, caution: cautiousFactor(residuals, 3) / factor }
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

function dataOf(points: readonly PowerLawPoint[], origin: number, unit: number): Data {
  const n = points.length
  const data = { logX: new Float64Array(n), y: new Float64Array(n), root: new Float64Array(n) }
  for (let i = 0; i < n; i++) {
    const { x, y, weight } = points[i]!
    data.logX[i] = Math.log(x)
    data.root[i] = Math.sqrt(weight)
    data.y[i] = (data.root[i]! * (y - origin)) / unit
  }
  return data
}

/** Least-squares fits by exponent: both passes ask for nearly the same ones, and each is made once. */
function cachedStarts(data: Data): (exponent: number) => Fit {
  const known = new Map<number, Fit>()
  return (exponent) => {
    const start = known.get(exponent) ?? leastSquares(designOf(data, exponent), data)
    known.set(exponent, start)
    return start
  }
}

/** Gram and Schmidt's way, the second column twice: what rounding leaves of the first is taken out again. */
function designOf({ logX, root }: Data, exponent: number): Design {
  const n = root.length
  const r00 = Math.sqrt(dot(root, root))
  const q0 = new Float64Array(n)
  const q1 = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    q0[i] = root[i]! / r00
    q1[i] = root[i]! * Math.exp(-exponent * logX[i]!)
  }
  let r01 = 0
  for (let pass = 0; pass < 2; pass++) {
    const along = dot(q0, q1)
    r01 += along
    for (let i = 0; i < n; i++) q1[i]! -= along * q0[i]!
  }
  const r11 = Math.sqrt(dot(q1, q1))
  for (let i = 0; i < n; i++) q1[i]! /= r11
  return { exponent, q: [q0, q1], r: { r00, r01, r11 } }
}

function leastSquares(design: Design, { y }: Data): Fit {
  const projections = [dot(design.q[0], y), dot(design.q[1], y)] as const
  const residuals = without(y, design, projections)
  return { design, projections, residuals, loss: dot(residuals, residuals) }
}

/** y − Q·p. Loops, here and below: over typed arrays they are several times as fast as `map`. */
function without(y: Float64Array, { q: [q0, q1] }: Design, [p0, p1]: Pair): Float64Array {
  const residuals = new Float64Array(y.length)
  for (let i = 0; i < y.length; i++) residuals[i] = y[i]! - q0[i]! * p0 - q1[i]! * p1
  return residuals
}

/** σ of one measurement: 1.4826·MAD of the best fit's residuals about 0, mended for the three parameters. */
function scaleOf(fits: readonly Fit[]): number {
  if (fits.length === 0) return exactShare
  const { residuals } = fits[bestIndex(fits)]!
  const scale = normalPerMad * median(Array.from(residuals, Math.abs))
  return Math.max(exactShare, scale * Math.sqrt(residuals.length / (residuals.length - 3)))
}

/**
 * Huber's fit at a fixed scale, from the least-squares fit on. The gradient is Qᵀψ, ψ the clipped residuals, and the
 * curvature QᵀDQ, D = 1 where a residual is not clipped. Where Newton's step is not defined or does not lower the
 * loss, the gradient itself is a step that does, as the curvature is at most 1 (the algorithm of modified residuals).
 */
function huberFit(start: Fit, sigma: number): Fit {
  let fit: Fit = { ...start, loss: huberLossOf(start.residuals, sigma) }
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    const { gradient, newton } = descent(fit, sigma)
    // The clipped residuals are orthogonal to the design exactly where the Huber loss is least.
    if (!(Math.hypot(...gradient) > convergence * sigma)) break
    const next = movedFit(fit, newton, sigma)
    fit = next.loss < fit.loss ? next : movedFit(fit, gradient, sigma)
  }
  return fit
}

function descent({ design, residuals }: Fit, sigma: number): { gradient: Pair; newton: Pair } {
  const [q0, q1] = design.q
  const limit = huberCutoff * sigma
  let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0]
  for (let i = 0; i < residuals.length; i++) {
    const [a, b, residual] = [q0[i]!, q1[i]!, residuals[i]!]
    const clipped = Math.min(limit, Math.max(-limit, residual))
    g0 += a * clipped
    g1 += b * clipped
    if (clipped !== residual) continue
    h00 += a * a
    h01 += a * b
    h11 += b * b
  }
  const determinant = h00 * h11 - h01 * h01
  return {
    gradient: [g0, g1],
    newton: [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant],
  }
}

function movedFit({ design, projections, residuals }: Fit, step: Pair, sigma: number): Fit {
  const moved = without(residuals, design, step)
  return {
    design,
    projections: [projections[0] + step[0], projections[1] + step[1]],
    residuals: moved,
    loss: huberLossOf(moved, sigma),
  }
}

function huberLossOf(residuals: Float64Array, sigma: number): number {
  let loss = 0
  for (const residual of residuals) loss += huberLoss(Math.abs(residual) / sigma)
  return loss
}

const huberLoss = (z: number): number =>
  z <= huberCutoff ? (z * z) / 2 : huberCutoff * (z - huberCutoff / 2)

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Fits as terms whose shares sum to 1; `factor`: that for correlated residuals. */
function terms(fits: readonly Fit[], sigma: number, factor: number): PowerLawTerm[] {
  const best = fits[bestIndex(fits)]!
  const variance = (sigma * factor * smallSampleFactor(best.residuals.length - 3)) ** 2
  const logs = fits.map((fit) => Math.log(fit.design.exponent))
  const shares = fits.map((fit, i) => {
    const spacing = (logs[i + 1] ?? logs[i]!) - (logs[i - 1] ?? logs[i]!)
    return Math.exp((best.loss - fit.loss) / factor ** 2) * (fits.length > 1 ? spacing : 1)
  })
  const near = shares.map((share) => (share >= shareMin * Math.max(...shares) ? share : 0))
  const total = near.reduce((sum, share) => sum + share, 0)
  return fits.flatMap((fit, i) =>
    near[i] === 0 ? [] : [{ ...termOf(fit, variance, sigma), share: near[i]! / total }],
  )
}

/**
 * Coefficients (c, a) = R⁻¹·projections, and their covariance: variance of one measurement ×
 * (n/(n−3)·mean ψ²)/(mean ψ′)² × R⁻¹R⁻ᵀ, Huber's asymptotic formula, with ψ the clipped residuals over σ
 * and mean ψ′ the share of unclipped ones.
 */
function termOf(fit: Fit, variance: number, sigma: number): Omit<PowerLawTerm, 'share'> {
  const { exponent, r } = fit.design
  const n = fit.residuals.length
  let psiSquares = 0
  let unclipped = 0
  for (const residual of fit.residuals) {
    const z = Math.abs(residual) / sigma
    psiSquares += Math.min(z, huberCutoff) ** 2
    if (z <= huberCutoff) unclipped++
  }
  const scale = (variance * psiSquares) / (n - 3) / (Math.max(unclipped, 1) / n) ** 2
  const inverted = inverse(
    new Matrix([
      [r.r00, r.r01],
      [0, r.r11],
    ]),
  )
  const coefficients = inverted.mmul(Matrix.columnVector([...fit.projections]))
  const covariance = inverted.mmul(inverted.transpose()).mul(scale)
  return {
    exponent,
    asymptote: coefficients.get(0, 0),
    amplitude: coefficients.get(1, 0),
    asymptoteVariance: covariance.get(0, 0),
    covariance: covariance.get(0, 1),
    amplitudeVariance: covariance.get(1, 1),
  }
}
