// Means over seeds with 95 % intervals by Student's t: mean ± t·s/√n, s the sample deviation. A value that is not
// finite (a run that diverged, an aim that was not reached) makes the mean undefined, and the interval says how
// many there were: leaving such seeds out would flatter. Ratios are averaged as logarithms.

/** The .975 quantile of Student's t for 1, 2, … degrees of freedom. */
const tQuantiles = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281]
/** Most values of one mean: the table above ends there. */
const valuesMax = tQuantiles.length + 1

export type Interval = {
  readonly mean: number
  readonly low: number
  readonly high: number
  readonly count: number
  /** Values that are not finite; above 0 the mean and its bounds are NaN. */
  readonly failures: number
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** One value has a mean and no interval (NaN). @throws RangeError for none, or for more than 11. */
export function meanInterval(values: readonly number[]): Interval {
  const count = values.length
  if (count < 1 || count > valuesMax)
    throw new RangeError(`values must be 1 to ${valuesMax} numbers, got ${count}`)
  const failures = values.filter((value) => !Number.isFinite(value)).length
  if (failures > 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN, count, failures }
  const centre = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  const half = count === 1 ? Number.NaN : tQuantiles[count - 2]! * Math.sqrt(squares / (count - 1) / count)
  return { mean: centre, low: centre - half, high: centre + half, count, failures }
}

/** Geometric mean of positive ratios, and its interval. */
export function ratioInterval(ratios: readonly number[]): Interval {
  const { mean, low, high, count, failures } = meanInterval(ratios.map(Math.log))
  return { mean: Math.exp(mean), low: Math.exp(low), high: Math.exp(high), count, failures }
}

/** The middle value; of an even number the geometric mean of the two in the middle (for rates). */
export function medianRate(rates: readonly number[]): number {
  const sorted = rates.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half]
  if (upper === undefined) throw new RangeError('rates must hold at least one rate, got none')
  return sorted.length % 2 === 1 ? upper : Math.sqrt(sorted[half - 1]! * upper)
}

/** `1.23 [1.10, 1.36]`, or how many values there are that are not finite. */
export function intervalText(interval: Interval, digits = 2): string {
  const { mean, low, high, count, failures } = interval
  if (failures > 0) return `not defined (${failures} of ${count} failed)`
  const bounds = Number.isFinite(low) ? ` [${low.toFixed(digits)}, ${high.toFixed(digits)}]` : ''
  return `${mean.toFixed(digits)}${bounds}`
}
