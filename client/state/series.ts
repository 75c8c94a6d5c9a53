// Columns of buckets as the server sends them, and how new ones join those at hand. A bucket is named by its
// first step: a later bucket of that name replaces the earlier one (a step may be trained again after a
// rollback, or be sent again after a reconnection), all others are put in order of step. Merging the usual
// case, new steps after the old ones, copies the arrays once; everything else is a merge of two sorted lists.

import type { SeriesColumns, Series as WireSeries } from '../../protocol/vocabulary.ts'

/** Entries kept per signal; above it the page asks the server for the whole range again, thinned. */
export const entriesMax = 4_000

/** What the page draws from and therefore keeps; whatever else the server may send of a bucket is left out. */
export type Columns = Pick<SeriesColumns, 'step' | 'min' | 'max' | 'last' | 'count' | 'nonFinite'>
export type Series = Omit<WireSeries, 'signals'> & { readonly signals: Readonly<Record<string, Columns>> }

type ColumnOf<T> = (columns: Columns) => readonly T[]

/** Columns made one by one: the only place that names them all. */
function eachColumn(make: <T>(of: ColumnOf<T>) => readonly T[]): Columns {
  return {
    step: make((columns) => columns.step),
    min: make((columns) => columns.min),
    max: make((columns) => columns.max),
    last: make((columns) => columns.last),
    count: make((columns) => columns.count),
    nonFinite: make((columns) => columns.nonFinite),
  }
}

export const emptyColumns: Columns = eachColumn(() => [])

/** The buckets whose first step passes. */
export function bucketsWhere(columns: Columns, passes: (step: number) => boolean): Columns {
  const kept = columns.step.map(passes)
  if (kept.every(Boolean)) return columns
  return eachColumn((of) => of(columns).filter((_, i) => kept[i]))
}

/** Both lists in order of step; at equal steps the entry of `more` stands. */
export function mergeColumns(have: Columns, more: Columns): Columns {
  if (more.step.length === 0) return have
  if (have.step.length === 0 || more.step[0]! > have.step[have.step.length - 1]!)
    return eachColumn((of) => of(have).concat(of(more)))
  const taken: { readonly from: Columns; readonly index: number }[] = []
  let i = 0
  let j = 0
  while (i < have.step.length || j < more.step.length) {
    const left = have.step[i] ?? Number.POSITIVE_INFINITY
    const right = more.step[j] ?? Number.POSITIVE_INFINITY
    if (left < right) taken.push({ from: have, index: i++ })
    else {
      taken.push({ from: more, index: j++ })
      if (left === right) i++
    }
  }
  return eachColumn((of) => taken.map(({ from, index }) => of(from)[index]!))
}

/** The series at hand with a newer part joined in. `stored` and `shown` count the loss-bearing samples and entries. */
export function mergeSeries(have: Series, more: Series): Series {
  const signals = new Map(Object.entries(have.signals))
  for (const [name, columns] of Object.entries(more.signals))
    signals.set(name, mergeColumns(signals.get(name) ?? emptyColumns, columns))
  return {
    runId: have.runId,
    fromStep: Math.min(have.fromStep, more.fromStep),
    toStep: Math.max(have.toStep, more.toStep),
    stored: have.stored + more.stored,
    shown: have.shown + more.shown,
    signals: Object.fromEntries(signals),
  }
}

/** The part of every signal whose buckets pass. */
export function seriesWhere(series: Series, passes: (step: number) => boolean): Series {
  const signals = Object.entries(series.signals).map(([name, columns]) => [
    name,
    bucketsWhere(columns, passes),
  ])
  return { ...series, signals: Object.fromEntries(signals) }
}

/**
 * A part of a run with each signal's nearest entry outside of it on both sides, from the whole run: lines of what is
 * measured seldom cross the window, and what held before it is known. Samples of the loss are left as they are.
 */
export function withNeighbours(part: Series, whole: Series): Series {
  const { fromStep, toStep } = part
  const signals = { ...part.signals }
  for (const [name, columns] of Object.entries(whole.signals)) {
    if (name === 'loss') continue
    const before = columns.step[indexAt(columns.step, fromStep - 1)]
    const after = columns.step[indexAt(columns.step, toStep) + 1]
    const near = bucketsWhere(columns, (step) => step === before || step === after)
    signals[name] = mergeColumns(near, signals[name] ?? emptyColumns)
  }
  return { ...part, signals }
}

/** Entries of the longest signal. */
export function longestSignal(series: Series): number {
  let longest = 0
  for (const columns of Object.values(series.signals)) longest = Math.max(longest, columns.step.length)
  return longest
}

/** The step from which samples are missing: one after the newest bucket's first step, or less after a rollback. */
export function nextStepOf(series: Series | null, runStep: number | null): number {
  if (series === null) return 0
  let newest = -1
  for (const columns of Object.values(series.signals)) newest = Math.max(newest, columns.step.at(-1) ?? -1)
  return Math.max(0, Math.min(newest + 1, runStep ?? newest + 1))
}

/** Index of the last entry at or before a step; -1 = none. */
export function indexAt(steps: readonly number[], step: number): number {
  let low = 0
  let high = steps.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (steps[middle]! <= step) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The value that held at a step: the `last` of the newest bucket with a value at or before it; null = none. */
export function valueAt(columns: Columns | undefined, step: number): number | null {
  if (columns === undefined) return null
  for (let i = indexAt(columns.step, step); i >= 0; i--) {
    const value = columns.last[i]
    if (value !== null && value !== undefined) return value
  }
  return null
}

/** Samples that an entry count stands for, and how many entries show them, of one signal. */
export function countSamples(columns: Columns | undefined): { shown: number; stored: number } {
  if (columns === undefined) return { shown: 0, stored: 0 }
  let stored = 0
  for (let i = 0; i < columns.step.length; i++)
    stored += (columns.count[i] ?? 0) + (columns.nonFinite[i] ?? 0)
  return { shown: columns.step.length, stored }
}

/** A stretch without samples: the last step before it and the first after it. */
export type Gap = { readonly fromStep: number; readonly toStep: number }

/** A silence of fewer samples than this does not break the line. */
const gapSamplesMin = 4

/**
 * Where telemetry is missing. A bucket of n samples is expected to reach n sampling distances far; the
 * distance is the median over the buckets, so it neither depends on how much each one was thinned nor on
 * whether the job reports every step or every tenth. What is narrower than the bucket before it cannot be
 * seen at this resolution and is left to a closer look. Fewer than 3 entries: no gap can be told.
 */
export function gapsOf(columns: Columns | undefined): Gap[] {
  if (columns === undefined || columns.step.length < 3) return []
  const { step } = columns
  const sampleCount = (i: number) => Math.max(1, (columns.count[i] ?? 0) + (columns.nonFinite[i] ?? 0))
  const distances: number[] = []
  for (let i = 0; i + 1 < step.length; i++) distances.push((step[i + 1]! - step[i]!) / sampleCount(i))
  const usual = [...distances].sort((a, b) => a - b)[distances.length >> 1]!
  const gaps: Gap[] = []
  for (let i = 0; i + 1 < step.length; i++) {
    const reached = step[i]! + (sampleCount(i) - 1) * usual
    const missing = (step[i + 1]! - reached) / usual
    if (missing > Math.max(gapSamplesMin, sampleCount(i)))
      gaps.push({ fromStep: Math.round(reached), toStep: step[i + 1]! })
  }
  return gaps
}
