// The level of a run's gradient norms: running mean and variance, by which a single norm is told to be far above the others.
// A new batch size begins a new level: the norm of a mean over fewer examples is larger by its noise. Cost: O(1).

import type { Column, Rows } from '../estimators/estimator.ts'

const normsNeeded = 20
const normDeviations = 4
const normMemory = 100
const lastTen = (1 << 10) - 1

/** A word of ten bits, the newest last, with one more. */
export const withBit = (word: number, bit: boolean): number => ((word << 1) | (bit ? 1 : 0)) & lastTen

/** How many of its ten bits are set. */
export function bitsOf(word: number): number {
  let count = 0
  for (let rest = word; rest > 0; rest &= rest - 1) count++
  return count
}

export type NormState = {
  /** The last ten norms as bits: 1 = not finite. */
  readonly badNorms: number
  readonly normMean: number
  readonly normVariance: number
  readonly normCount: number
  /** The last ten steps as bits: 1 = a norm far above its mean. */
  readonly normHits: number
  readonly batchSize: number | null
}

export const noNorms: NormState = {
  badNorms: 0,
  normMean: 0,
  normVariance: 0,
  normCount: 0,
  normHits: 0,
  batchSize: null,
}

/** Folds the norm of one step: Euclidean, not squared; NaN or infinite counts, null = not measured. */
export function watchNorm(
  state: NormState,
  {
    gradientNorm: norm,
    batchSize,
  }: { readonly gradientNorm: number | null; readonly batchSize: number | null },
): NormState {
  const isResized = batchSize !== null && state.batchSize !== null && batchSize !== state.batchSize
  const size = batchSize ?? state.batchSize
  if (norm === null) return isResized ? restarted(state, size) : state
  if (!Number.isFinite(norm))
    return { ...normsOf(state), badNorms: withBit(state.badNorms, true), batchSize: size }
  const level = isResized ? restarted(state, size) : state
  const { normMean, normVariance, normCount } = level
  const deviation = norm - normMean
  const isHigh = isHighNorm(deviation, normVariance, normCount)
  const normHits = withBit(level.normHits, isHigh)
  // A high norm moves the level that it is judged by no further than the limit: so an outlier does nothing, and a new level
  // is adopted.
  const told = isHigh && normVariance > 0 ? normDeviations * Math.sqrt(normVariance) : deviation
  const weight = Math.max(1 / (normCount + 1), 1 / normMemory)
  return {
    badNorms: withBit(state.badNorms, false),
    normMean: normMean + weight * told,
    normVariance: (1 - weight) * (normVariance + weight * told * told),
    normCount: normCount + 1,
    normHits,
    batchSize: size,
  }
}

/**
 * Folds the norms of rows, squared, finite or not measured, up to the first that is high; `to`: one past it. None is to be high
 * or bad of late, and no row to change the batch size.
 */
export function normsOver(
  state: NormState,
  squares: Column,
  { from, to }: Rows,
): { readonly norms: NormState; readonly to: number } {
  if (squares === undefined) return { norms: state, to }
  let { normMean, normVariance, normCount } = state
  let isHigh = false
  let i = from
  while (i < to && !isHigh) {
    const square = squares[i++]!
    if (square === null) continue
    const deviation = Math.sqrt(square) - normMean
    isHigh = isHighNorm(deviation, normVariance, normCount)
    const told = isHigh && normVariance > 0 ? normDeviations * Math.sqrt(normVariance) : deviation
    const weight = Math.max(1 / (normCount + 1), 1 / normMemory)
    normMean += weight * told
    normVariance = (1 - weight) * (normVariance + weight * told * told)
    normCount++
  }
  const { badNorms, batchSize } = state
  return {
    norms: { badNorms, normMean, normVariance, normCount, normHits: isHigh ? 1 : 0, batchSize },
    to: i,
  }
}

const isHighNorm = (deviation: number, variance: number, count: number): boolean =>
  count >= normsNeeded && deviation > normDeviations * Math.sqrt(variance)

const normsOf = ({
  badNorms,
  normMean,
  normVariance,
  normCount,
  normHits,
  batchSize,
}: NormState): NormState => ({
  badNorms,
  normMean,
  normVariance,
  normCount,
  normHits,
  batchSize,
})

const restarted = ({ badNorms }: NormState, batchSize: number | null): NormState => ({
  badNorms,
  normMean: 0,
  normVariance: 0,
  normCount: 0,
  normHits: 0,
  batchSize,
})
