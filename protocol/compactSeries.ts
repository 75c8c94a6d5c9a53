// A series as the page loads it: the same buckets in a fifth of the bytes. Columns of steps that several signals share are
// told once, as the first step and then the distances; values have as many significant digits as were asked for; what
// follows from the rest is left out. Least, most and counts are told of the signals that are asked for with them: where a
// signal is a line of readings its last values are all that is drawn. The first values are not told.
//
// `compactSeries` and `expandedSeries` are each other's inverse, but for digits, first values and what was not asked for.

import type { CompactColumns, CompactSeries, Series, SeriesColumns } from './vocabulary.ts'

export type ExpandedColumns = Omit<SeriesColumns, 'first'>
export type ExpandedSeries = Omit<Series, 'signals'> & {
  readonly signals: Readonly<Record<string, ExpandedColumns>>
}

export type CompactOptions = {
  /** Significant digits of a value, 3 to 17. */
  readonly digits: number
  /** Signals of which least, most and counts are told as well. */
  readonly extremes: ReadonlySet<string>
}

type Known = readonly (number | null)[]

const differences = (steps: readonly number[]): number[] =>
  steps.map((step, i) => (i === 0 ? step : step - steps[i - 1]!))

function sums(distances: readonly number[]): number[] {
  let sum = 0
  return distances.map((distance) => (sum += distance))
}

/** Significant digits that tell every double. */
const digitsOfDouble = 17

/** The largest doubles stay as they are: rounded up they would be infinite. */
function roundedTo(value: number, digits: number): number {
  const rounded = Number(value.toPrecision(digits))
  return Number.isFinite(rounded) ? rounded : value
}

export function compactSeries(series: Series, { digits, extremes }: CompactOptions): CompactSeries {
  const rounded = (values: Known) =>
    digits >= digitsOfDouble
      ? [...values]
      : values.map((value) => (value === null ? null : roundedTo(value, digits)))
  const steps: number[][] = []
  const places = new Map<string, number>()
  const placeOf = (column: readonly number[]): number => {
    const key = column.join()
    const known = places.get(key)
    if (known !== undefined) return known
    places.set(key, steps.length)
    return steps.push(differences(column)) - 1
  }
  const compact = (columns: SeriesColumns, whole: boolean): CompactColumns => {
    const last = rounded(columns.last)
    const unlike = (values: Known) => (values.some((value, i) => value !== last[i]) ? values : undefined)
    const [min, max] = whole ? [unlike(rounded(columns.min)), unlike(rounded(columns.max))] : []
    const counted = whole && columns.count.some((count, i) => count !== usualCount(last[i]!))
    return {
      at: placeOf(columns.step),
      last,
      ...(min === undefined ? {} : { min: [...min] }),
      ...(max === undefined ? {} : { max: [...max] }),
      ...(counted ? { count: columns.count } : {}),
      ...(columns.nonFinite.some((count) => count > 0) ? { nonFinite: columns.nonFinite } : {}),
    }
  }
  const signals = Object.entries(series.signals).map(([name, columns]): [string, CompactColumns] => [
    name,
    compact(columns, extremes.has(name)),
  ])
  return { ...series, steps, signals: Object.fromEntries(signals) }
}

/** Samples in a bucket of which no count is told. */
const usualCount = (last: number | null): number => (last === null ? 0 : 1)

export function expandedSeries({ steps: distances, signals, ...rest }: CompactSeries): ExpandedSeries {
  const steps = distances.map(sums)
  const expanded = Object.entries(signals).map(([name, columns]): [string, ExpandedColumns] => {
    const { at, last, min = last, max = last } = columns
    const { count = last.map(usualCount), nonFinite = last.map(() => 0) } = columns
    return [name, { step: steps[at] ?? [], min, max, last, count, nonFinite }]
  })
  return { ...rest, signals: Object.fromEntries(expanded) }
}
