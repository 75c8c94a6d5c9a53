// Robust fit of y = c + a·x^(−α). Given α it is linear in (c, a) and minimises Huber's loss at a fixed scale σ
// (Huber 1964; huberFit.ts). σ = 1.4826·MAD of the residuals of the least-squares fit with the best α;
// at a fixed scale each fit is convex, so there is one answer, and fits of different α can be compared. The grid of
// α is refined where most of the likelihood lies.
// Each α gets the share exp(−Δ/f²) times its grid spacing in log α, with Δ = its loss above the best one's (half
// a deviance) and f the factor for correlated residuals: the posterior of α under a flat prior in log α.
// All is done in units of the data's own spread, so shifting and scaling y shift and scale the result.
// Cost: about 20 fits of n × 2 (n ≤ 128), some tenths of a millisecond.

import { inverse, Matrix } from 'ml-matrix'
import { median } from 'simple-statistics'
import { type Data, designOf, type Fit, huberCutoff, huberFit, leastSquares } from './huberFit.ts'
import { cautiousFactor, longRunFactor, mean, normalPerMad, smallSampleFactor } from './uncertainty.ts'

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
/** σ below this share of the data's range is rounding: the fit is exact. */
const exactShare = 1e-12

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
  // That of normal noise of unknown σ; an exact fit's logarithm is kept finite.
  const likelihood = ({ loss }: Fit) => (-points.length / 2) * Math.log(Math.max(loss, Number.MIN_VALUE))
  const sigma = scaleOf(refined(exponents, startOf, likelihood))
  const robust = (exponent: number) => huberFit(startOf(exponent), sigma)
  const fits = refined(exponents, robust, ({ loss }) => -loss)
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

/** σ of one measurement: 1.4826·MAD of the best fit's residuals about 0, mended for the three parameters. */
function scaleOf(fits: readonly Fit[]): number {
  if (fits.length === 0) return exactShare
  const { residuals } = fits[bestIndex(fits)]!
  const scale = normalPerMad * median(Array.from(residuals, Math.abs))
  return Math.max(exactShare, scale * Math.sqrt(residuals.length / (residuals.length - 3)))
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
  const inverted = inverse(new Matrix(r.map((row) => [...row])))
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
