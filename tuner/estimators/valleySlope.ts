// Valley slope: what one more large step gains. The loss P of averaged weights falls along the valley like a
// power of the run's length S (in large-step equivalents, S = Σ η_j/η_large), so P = P∞ + A·(S/S₀)^(−α) is
// fitted (powerLaw.ts) to the last 90 % of the probes and
//   p(S) = −dP/dS = (αA/S₀)·(S/S₀)^(−α−1),   S₀ = S of the newest probe;   P rising is p < 0.
// A grid of exponents is tried; those that the data cannot tell apart are averaged by their likelihood, and
// their disagreement is part of the error, beside the delta method's for P∞ and A.
// At most 128 probes are kept: then the two neighbours that stand for fewest probes merge into their mean.
// Law: with a constant added to every loss the slope stays, multiplied by c > 0 it is c times itself.
// Cost: O(128) per probe; a reading takes about a millisecond. Bad samples leave the state as it is.

import { type Estimate, type Estimator, noEstimate } from './estimator.ts'
import { fitPowerLaw, type PowerLawTerm } from './powerLaw.ts'

// bench/records/2026-11-24-prototype/README.md: last 90 % of the probes, eight probes before any decision. The grid is
// geometric with a ratio of about √2.
const valleyProbesMax = 128
export const valleyProbesNeeded = 8
/** The newest probes are never merged with their neighbours. Chosen. */
const valleyProbesUnmerged = 16
const valleyShareDropped = 0.1
const valleyExponents = [0.25, 0.35, 0.5, 0.7, 1, 1.4, 2] as const

/** S > 0 in large-step equivalents, growing from probe to probe; P in the loss's unit. */
type Sample = { readonly runLength: number; readonly averagedLoss: number }
/** A probe, or the mean of `count` neighbouring ones. */
export type ValleyPoint = Sample & { readonly count: number }
export type ValleyState = { readonly points: readonly ValleyPoint[]; readonly count: number }

/** A fitted curve: terms of one exponent each, with shares that sum to 1. Plain JSON. */
export type ValleyFit = {
  /** S₀: `amplitude` is P − P∞ there. */
  readonly runLengthReference: number
  readonly terms: readonly PowerLawTerm[]
  /** Factor on every error that follows from the terms. */
  readonly caution: number
  /** Points behind the fit, after the first 10 % were dropped. */
  readonly count: number
}
/** `count`: probes so far. */
export type ValleyReading = { readonly fit: ValleyFit | null; readonly count: number }

export const valleySlope = {
  init: (): ValleyState => ({ points: [], count: 0 }),
  update(state: ValleyState, { runLength, averagedLoss }: Sample): ValleyState {
    if (!Number.isFinite(averagedLoss) || !Number.isFinite(runLength) || runLength <= 0) return state
    const last = state.points.at(-1)
    if (last !== undefined && runLength <= last.runLength) return state
    const points = state.points.length < valleyProbesMax ? state.points : thinned(state.points)
    return { points: [...points, { runLength, averagedLoss, count: 1 }], count: state.count + 1 }
  },
  read({ points, count }: ValleyState): ValleyReading {
    const used = points.slice(Math.floor(points.length * valleyShareDropped))
    const reference = used.at(-1)?.runLength
    if (count < valleyProbesNeeded || reference === undefined) return { fit: null, count }
    const found = fitPowerLaw(
      used.map((point) => ({ x: point.runLength / reference, y: point.averagedLoss, weight: point.count })),
      valleyExponents,
    )
    const isFitted = found !== undefined
    return { fit: isFitted ? { runLengthReference: reference, ...found, count: used.length } : null, count }
  },
} satisfies Estimator<ValleyState, Sample>

/** The state as it was at a run length: for weights that are taken back to it. */
export function valleyUpTo(state: ValleyState, runLength: number): ValleyState {
  const points = state.points.filter((point) => point.runLength <= runLength)
  return { points, count: points.reduce((sum, { count }) => sum + count, 0) }
}

/** p(S): the loss that one more large step takes off at run length S > 0, with its error. */
export function slopeAt(fit: ValleyFit, runLength: number): Estimate {
  const reference = fit.runLengthReference
  return combined(
    fit,
    0,
    ({ exponent }) => (exponent / reference) * (runLength / reference) ** (-exponent - 1),
  )
}

/** P(S) of the fitted curve at run length S > 0, with the error of the curve (not of a new probe). */
export function fittedLossAt(fit: ValleyFit, runLength: number): Estimate {
  return combined(fit, 1, ({ exponent }) => (runLength / fit.runLengthReference) ** -exponent)
}

/**
 * a·P∞ + b·A, with b by the exponent, averaged over the terms: its variance is the mean of the terms' variances
 * (delta method, exact here) plus the variance between the terms, times caution².
 */
function combined(fit: ValleyFit, a: number, amplitudeFactor: (term: PowerLawTerm) => number): Estimate {
  let value = 0
  const parts = fit.terms.map((term) => {
    const b = amplitudeFactor(term)
    const { asymptoteVariance, covariance, amplitudeVariance } = term
    const estimate = a * term.asymptote + b * term.amplitude
    value += term.share * estimate
    return {
      estimate,
      variance: a * a * asymptoteVariance + 2 * a * b * covariance + b * b * amplitudeVariance,
    }
  })
  if (!Number.isFinite(value)) return noEstimate(fit.count, valleyProbesNeeded)
  let variance = 0
  for (const [i, part] of parts.entries())
    variance += fit.terms[i]!.share * (Math.max(0, part.variance) + (part.estimate - value) ** 2)
  const error = fit.caution * Math.sqrt(variance)
  const none = noEstimate(fit.count, valleyProbesNeeded)
  return { ...none, value, standardError: Number.isFinite(error) ? error : null }
}

/** One point fewer: the neighbours that together stand for fewest probes (the oldest such) become their mean. */
function thinned(points: readonly ValleyPoint[]): ValleyPoint[] {
  let best = 0
  let fewest = Number.POSITIVE_INFINITY
  for (let i = 0; i + 1 < points.length - valleyProbesUnmerged; i++) {
    const together = points[i]!.count + points[i + 1]!.count
    if (together < fewest) {
      fewest = together
      best = i
    }
  }
  const [a, b] = [points[best]!, points[best + 1]!]
  const count = a.count + b.count
  const between = (first: number, second: number) => first + (second - first) * (b.count / count)
  const merged = {
    runLength: between(a.runLength, b.runLength),
    averagedLoss: between(a.averagedLoss, b.averagedLoss),
    count,
  }
  return [...points.slice(0, best), merged, ...points.slice(best + 2)]
}
