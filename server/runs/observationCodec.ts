// Observations for the log, and back, exactly: their columns as bytes (columnBytes.ts), the rest as text. JSON has no NaN, so there
// non-finite numbers are stored as their names, as on the wire. A body leaves out number, receivedAt and kind, which have columns of
// their own. A log of version 0.1.0 has the columns in the body, and is read as if it had been written today: what it could not say
// yet is filled in.

import { encodeNumber } from '../../protocol/nonFinite.ts'
import { currentOptions, objectivesOf } from '../../protocol/schemas.ts'
import { type Observation, type SampleColumns, sampleColumnNames } from '../../protocol/vocabulary.ts'
import { isoTime } from '../clock.ts'
import { readStored } from '../storage/damage.ts'
import type { StoredObservation, StoredRow } from '../storage/storage.ts'
import { decodeColumns, encodeColumns, oneName, wantedColumns } from './columnBytes.ts'
import { type Points, pointsOfSamples } from './points.ts'

type WithoutHead<T> = T extends unknown ? Omit<T, 'number' | 'receivedAt'> : never
/** An observation before it has its place in the log. */
export type ObservationBody = WithoutHead<Observation>

type Column = readonly (number | null)[]
type Samples = Omit<Extract<Observation, { kind: 'samples' }>, 'kind' | 'number' | 'receivedAt'>

function numbered(column: (number | string | null)[]): Column {
  for (let i = 0; i < column.length; i++) if (typeof column[i] === 'string') column[i] = Number(column[i])
  return column as Column
}

/** Columns that a body of 0.1.0 holds as text. */
function columnsOfText(columns: Record<string, unknown>): SampleColumns {
  for (const name of sampleColumnNames)
    if (columns[name] !== undefined) numbered(columns[name] as (number | null)[])
  if (columns.objective !== undefined)
    columns.objective = objectivesOf(columns.objective as string, (columns.step as number[]).length)
  for (const column of Object.values((columns.metrics ?? {}) as Record<string, (number | null)[]>))
    numbered(column)
  return columns as unknown as SampleColumns
}

function decodeSamples({ body, columns }: StoredRow): Samples {
  return readStored('observation', () => {
    const rest = JSON.parse(body) as { columns: Record<string, unknown> }
    return { ...rest, columns: columns === null ? columnsOfText(rest.columns) : decodeColumns(columns) }
  })
}

/** The steps of stored samples, and those of the wanted signals that they have. */
export function storedPoints(stored: StoredRow, wanted: ReadonlySet<string>): Points {
  if (stored.columns !== null) return wantedColumns(stored.columns, wanted)
  const { steps, values } = pointsOfSamples(decodeSamples(stored).columns)
  return { steps, values: new Map([...values].filter(([name]) => wanted.has(name))) }
}

/** Non-finite losses of probes travel and are stored as names too. */
const nameNonFinite = (_key: string, value: unknown) =>
  typeof value === 'number' ? encodeNumber(value) : value

/** Losses, and entries of `lossByPart`: no other list of a probe holds text. */
const isLoss = (key: string) => key === 'loss' || /^\d+$/.test(key)
const numberNonFinite = (key: string, value: unknown) =>
  typeof value === 'string' && isLoss(key) ? Number(value) : value

/** Smallest and largest of the steps of samples. */
function rangeOf(steps: readonly number[]): Pick<StoredObservation, 'fromStep' | 'toStep'> {
  if (steps.length === 0) return { fromStep: null, toStep: null }
  let fromStep = Number.POSITIVE_INFINITY
  let toStep = Number.NEGATIVE_INFINITY
  for (const step of steps) {
    if (step < fromStep) fromStep = step
    if (step > toStep) toStep = step
  }
  return { fromStep, toStep }
}

export function encodeObservation(
  body: ObservationBody,
  head: { readonly number: number; readonly receivedAt: number },
): StoredObservation {
  const { kind } = body
  if (kind === 'samples') {
    const { columns, planVersion } = body
    const rest = JSON.stringify({ planVersion })
    return { ...head, kind, body: rest, columns: encodeColumns(columns), ...rangeOf(columns.step) }
  }
  const { kind: _, ...rest } = body
  const text = JSON.stringify(rest, nameNonFinite)
  return { ...head, kind, body: text, columns: null, fromStep: null, toStep: null }
}

/** Non-finite numbers as their names, and −0, which JSON.stringify writes as 0. */
function columnText(column: Column): string {
  let isPlain = true
  for (let i = 0; i < column.length && isPlain; i++) {
    const value = column[i]!
    isPlain = value === null || (Number.isFinite(value) && !Object.is(value, -0))
  }
  if (isPlain) return JSON.stringify(column)
  const valueText = (value: number | null) =>
    Object.is(value, -0) ? '-0' : JSON.stringify(value === null ? null : encodeNumber(value))
  return `[${column.map(valueText).join(',')}]`
}

const entryText = (name: string, text: string): string => `${JSON.stringify(name)}:${text}`

function columnsText(columns: SampleColumns): string {
  const { objective, metrics } = columns
  const entries: string[] = []
  for (const name of ['step', ...sampleColumnNames] as const) {
    const column = columns[name]
    if (column !== undefined) entries.push(entryText(name, columnText(column)))
  }
  if (objective !== undefined) entries.push(entryText('objective', JSON.stringify(oneName(objective))))
  if (metrics !== undefined) {
    const own = Object.entries(metrics).map(([name, column]) => entryText(name, columnText(column)))
    entries.push(entryText('metrics', `{${own.join(',')}}`))
  }
  return `{${entries.join(',')}}`
}

/** The body with its columns, as one text of JSON: what a log file has. */
export function bodyText(stored: StoredRow): string {
  if (stored.columns === null) return stored.body
  const { columns, ...rest } = decodeSamples(stored)
  const heads = Object.entries(rest).map(([name, value]) => entryText(name, JSON.stringify(value)))
  return `{${[...heads, entryText('columns', columnsText(columns))].join(',')}}`
}

export function decodeObservation(stored: StoredObservation): Observation {
  const head = { number: stored.number, receivedAt: isoTime(stored.receivedAt), kind: stored.kind }
  if (stored.kind === 'samples') return { ...head, ...decodeSamples(stored) } as Observation
  const hasLosses = stored.kind === 'probe' || stored.kind === 'acknowledgement'
  const reviver = hasLosses ? numberNonFinite : undefined
  const observation = {
    ...head,
    ...readStored('observation', () => JSON.parse(stored.body, reviver)),
  } as Observation
  if (observation.kind !== 'start') return observation
  return { ...observation, options: currentOptions(observation.options) }
}
