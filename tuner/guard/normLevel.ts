// The level of a run's gradient norms: running mean and variance, by which a single norm is told to be far above
// the others. Used by the range test and by the divergence guard, with limits of their own. Cost: O(1).

/** Euclidean norms seen so far: their mean and variance, weighted towards the newest, and how many there were. */
export type NormLevel = {
  readonly normMean: number
  readonly normVariance: number
  readonly normCount: number
}

export const isFarAbove = (level: NormLevel, norm: number, deviations: number): boolean =>
  norm - level.normMean > deviations * Math.sqrt(level.normVariance)

/** The level with one more norm, which weighs 1/n, but never less than one in `memoryCount`. */
export function movedLevel(level: NormLevel, norm: number, memoryCount: number): NormLevel {
  const { normMean, normVariance, normCount } = level
  const deviation = norm - normMean
  const weight = Math.max(1 / (normCount + 1), 1 / memoryCount)
  return {
    normCount: normCount + 1,
    normMean: normMean + weight * deviation,
    normVariance: (1 - weight) * (normVariance + weight * deviation * deviation),
  }
}
