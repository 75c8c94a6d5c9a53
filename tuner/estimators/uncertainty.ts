// Standard errors that several estimators share. All are meant to be read as "value ± 1.96 errors covers
// the truth in about 95 of 100 runs", for the short, correlated series that a training run gives; each
// factor is 1 where it has nothing to correct.

import { median } from 'simple-statistics'
import { type Estimate, noEstimate } from './estimator.ts'

/** Lag-1 autocorrelation is clipped here, so that the factor on a standard error stays below 6.3. Chosen. */
const autocorrelationMax = 0.95
/** Errors that are shown take the autocorrelation of n values so many times 1/√n above its estimate.
 *  bench/records/2026-11-24-coverage/README.md. */
const autocorrelationCaution = 0.8
/** Of curvature and averaged gap; as in bench/records/2026-11-24-prototype/README.md. */
export const probesInMedian = 8
/** Below this the MAD says next to nothing about the scatter (simulated: at 3 values 95 % intervals cover 75 %). */
const medianErrorNeeded = 4

/**
 * Factor on the standard error of a mean of correlated values: √((1+r)/(1−r)), the long-run deviation of a
 * first-order autoregression over that of independent values. r is the lag-1 autocorrelation clipped to
 * [0, .95]; so the factor is in [1, 6.3]. Fewer than 3 values, or a constant: 1. O(n).
 * Residuals of a fit look less correlated than the noise was, by about (1+r)/n for each fitted parameter; this
 * is added back for `fittedParameters` (simulated: 33 probes with r = .8 cover 89 % instead of 82 %).
 */
export const longRunFactor = (values: readonly number[], fittedParameters = 0): number =>
  factorOf(autocorrelation(values, fittedParameters))

/**
 * The same factor for errors that are shown: r is taken .8/√n, most of its own standard error, above its estimate,
 * because a few values look less correlated than they are as often as not. A fitted mean is one parameter. Coverage of
 * 95 % intervals: bench/records/2026-11-24-coverage/README.md. Fewer than 3 values, or a constant: 1.
 */
export const cautiousFactor = (values: readonly number[], fittedParameters: number): number =>
  factorOf(autocorrelation(values, fittedParameters) + autocorrelationCaution / Math.sqrt(values.length))

function factorOf(r: number): number {
  if (!(r > 0)) return 1
  const clipped = Math.min(r, autocorrelationMax)
  return Math.sqrt((1 + clipped) / (1 - clipped))
}

/** Lag-1 autocorrelation about the mean, mended for fitted parameters; NaN for fewer than 3 values and for a constant. */
function autocorrelation(values: readonly number[], fittedParameters: number): number {
  const n = values.length
  if (n < 3) return Number.NaN
  const center = mean(values)
  let lagged = 0
  for (let i = 1; i < n; i++) lagged += (values[i]! - center) * (values[i - 1]! - center)
  const measured = lagged / squaresAbout(values, center)
  return measured + (fittedParameters * (1 + measured)) / n
}

/**
 * Standard deviation of Student's t: √(ν/(ν−2)) for ν degrees of freedom, ν ≥ 3. It widens an error that
 * was itself estimated from few values, so that ±1.96 errors keep their meaning (ν = 7: 1.18; ν = 15: 1.07).
 */
export function smallSampleFactor(degreesOfFreedom: number): number {
  return Math.sqrt(degreesOfFreedom / (degreesOfFreedom - 2))
}

/** Arithmetic mean of finite values, by increments so that no sum overflows; 0 for an empty list. */
export function mean(values: readonly number[]): number {
  let result = 0
  for (let i = 0; i < values.length; i++) result += (values[i]! - result) / (i + 1)
  return result
}

/** Σ (x − center)². */
export function squaresAbout(values: readonly number[], center: number): number {
  let squares = 0
  for (const value of values) squares += (value - center) ** 2
  return squares
}

/** Mean with its standard error (s/√n times both factors above); no value below `needed` (≥ 4) entries. */
export function meanEstimate(values: readonly number[], needed: number): Estimate {
  const n = values.length
  if (n < needed) return noEstimate(n, needed)
  const value = mean(values)
  const spread = Math.sqrt(squaresAbout(values, value) / (n - 1) / n)
  const error = spread * smallSampleFactor(n - 1) * cautiousFactor(values, 1)
  return { value, standardError: Number.isFinite(error) ? error : null, count: n, needed }
}

/** σ of normal noise over its MAD: 1/Φ⁻¹(3/4). */
export const normalPerMad = 1.482602218505602

/** What 1.4826·MAD of n normal values falls short by, n = 4 … 9; above: n/(n − .8). Croux & Rousseeuw 1992. */
const madBias = [1.363, 1.206, 1.2, 1.14, 1.129, 1.107]

/** 1 for the smallest; equal values share the mean of their ranks. For the few values of a median: O(n²). */
const ranks = (values: readonly number[]): number[] =>
  values.map((value) => {
    const equal = values.filter((other) => other === value).length
    return values.filter((other) => other < value).length + (equal + 1) / 2
  })

/**
 * Median of a few values with a robust standard error:
 *   1.2533 · 1.4826·MAD/√n · bias(n) · √((n−1)/(n−3)) · the cautious factor of their ranks.
 * 1.4826·MAD estimates σ of normal noise and is untouched by outliers; √(π/2) = 1.2533 is how much less
 * precise a median is than a mean of normal values (asymptotically, a little less at n = 8); bias(n) and the
 * last factor mend the MAD's shortfall and scatter for few values (simulated: ±1.96 errors cover 90–95 % at
 * n = 4 … 8, without them 78–87 %). Below `medianErrorNeeded` values the error is null. A constant gives 0.
 */
export function medianEstimate(values: readonly number[], needed: number): Estimate {
  const n = values.length
  if (n < needed || n === 0) return noEstimate(n, needed)
  return robustEstimate(values, median([...values]), { needed, efficiency: Math.sqrt(Math.PI / 2) })
}

/**
 * Pseudo-median of a few values, the median of the means of all pairs, each value with itself among them (Hodges & Lehmann
 * 1963): nearly as robust as the median and nearly as precise as the mean, √(π/3) = 1.0233 times its error for normal values
 * in place of 1.2533. The error is otherwise that of `medianEstimate`. O(n² log n), for some ten values.
 */
export function pseudoMedianEstimate(values: readonly number[], needed: number): Estimate {
  const n = values.length
  if (n < needed || n === 0) return noEstimate(n, needed)
  const pairs = values.flatMap((value, i) => values.slice(i).map((other) => value / 2 + other / 2))
  return robustEstimate(values, median(pairs), { needed, efficiency: Math.sqrt(Math.PI / 3) })
}

/** `efficiency`: the error of the centre over that of a mean, for normal values. */
function robustEstimate(
  values: readonly number[],
  value: number,
  { needed, efficiency }: { readonly needed: number; readonly efficiency: number },
): Estimate {
  const n = values.length
  if (n < medianErrorNeeded) return { value, standardError: null, count: n, needed }
  const deviation = median(values.map((entry) => Math.abs(entry - value)))
  const bias = madBias[n - 4] ?? n / (n - 0.8)
  const spread = (efficiency * normalPerMad * deviation) / Math.sqrt(n)
  const error = spread * bias * smallSampleFactor(n - 1) * cautiousFactor(ranks(values), 1)
  return { value, standardError: Number.isFinite(error) ? error : null, count: n, needed }
}
