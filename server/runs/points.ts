// Values of signals at steps: what one batch adds to the charts. Raw columns keep their names, a job's own
// metrics are `metrics.<name>`, and the tuner's readings carry the names of `signalNames`.

import { encodeNumber } from '../../protocol/schemas.ts'
import { type SampleColumns, type SignalReading, sampleColumnNames } from '../../protocol/vocabulary.ts'

/** Columns over common steps; null = not known. */
export type Points = {
  readonly steps: readonly number[]
  readonly values: ReadonlyMap<string, readonly (number | null)[]>
}

export function pointsOfSamples(columns: SampleColumns): Points {
  const values = new Map<string, readonly (number | null)[]>()
  for (const name of sampleColumnNames) {
    const column = columns[name]
    if (column !== undefined) values.set(name, column)
  }
  for (const [name, column] of Object.entries(columns.metrics ?? {})) values.set(`metrics.${name}`, column)
  return { steps: columns.step, values }
}

/** One entry per signal, as each has steps of its own. */
export function pointsOfReadings(readings: readonly SignalReading[]): Points[] {
  const bySignal = new Map<string, { steps: number[]; values: number[] }>()
  for (const { signal, step, value } of readings) {
    const entry = bySignal.get(signal) ?? { steps: [], values: [] }
    entry.steps.push(step)
    entry.values.push(value)
    bySignal.set(signal, entry)
  }
  return [...bySignal].map(([signal, { steps, values }]) => ({ steps, values: new Map([[signal, values]]) }))
}

type ReadingsBody = Record<string, [number[], (number | string)[]]>

export function encodeReadings(points: readonly Points[]): string {
  const body: ReadingsBody = {}
  for (const { steps, values } of points)
    for (const [signal, column] of values)
      body[signal] = [steps as number[], column.map((value) => encodeNumber(value ?? Number.NaN))]
  return JSON.stringify(body)
}

/** The points of stored readings, by signal. */
export const pointsOfStored = (body: string): Map<string, { steps: number[]; values: number[] }> =>
  new Map(
    Object.entries(JSON.parse(body) as ReadingsBody).map(([signal, [steps, values]]) => [
      signal,
      { steps, values: values.map(Number) },
    ]),
  )

/** Smallest and largest step; undefined if there is none. */
export function stepRange(all: readonly Points[]): { from: number; to: number } | undefined {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const { steps } of all) {
    for (const step of steps) {
      if (step < from) from = step
      if (step > to) to = step
    }
  }
  return from <= to ? { from, to } : undefined
}
