// Observations as text for the log, and back, exactly: JSON has no NaN, so non-finite numbers are stored as
// their names, as on the wire. A body leaves out number, receivedAt and kind, which have columns of their own.

import { encodeNumber } from '../../protocol/schemas.ts'
import { type Observation, type SampleColumns, sampleColumnNames } from '../../protocol/vocabulary.ts'
import { isoTime } from '../clock.ts'
import type { StoredObservation } from '../storage/storage.ts'

type WithoutHead<T> = T extends unknown ? Omit<T, 'number' | 'receivedAt'> : never
/** An observation before it has its place in the log. */
export type ObservationBody = WithoutHead<Observation>

type Column = readonly (number | null)[]

/** The column itself where all is finite (nearly always), else a copy with names. */
function encodeColumn(column: Column): readonly (number | string | null)[] {
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!
    if (value !== null && !Number.isFinite(value))
      return column.map((entry) => (entry === null ? null : encodeNumber(entry)))
  }
  return column
}

function decodeColumn(column: (number | string | null)[]): Column {
  for (let i = 0; i < column.length; i++) if (typeof column[i] === 'string') column[i] = Number(column[i])
  return column as Column
}

function encodeColumns(columns: SampleColumns): unknown {
  const encoded: Record<string, unknown> = { step: columns.step }
  for (const name of sampleColumnNames) {
    const column = columns[name]
    if (column !== undefined) encoded[name] = encodeColumn(column)
  }
  if (columns.metrics !== undefined)
    encoded.metrics = Object.fromEntries(
      Object.entries(columns.metrics).map(([name, column]) => [name, encodeColumn(column)]),
    )
  return encoded
}

/** The columns of a stored samples observation. */
export function decodeColumns(body: string): SampleColumns {
  const { columns } = JSON.parse(body) as { columns: Record<string, unknown> }
  for (const name of sampleColumnNames)
    if (columns[name] !== undefined) decodeColumn(columns[name] as (number | null)[])
  for (const column of Object.values((columns.metrics ?? {}) as Record<string, (number | null)[]>))
    decodeColumn(column)
  return columns as unknown as SampleColumns
}

/** Non-finite losses of probes travel and are stored as names too. */
const nameNonFinite = (_key: string, value: unknown) =>
  typeof value === 'number' ? encodeNumber(value) : value

const probeNumbers = new Set(['loss'])
const numberNonFinite = (key: string, value: unknown) =>
  probeNumbers.has(key) && typeof value === 'string' ? Number(value) : value

export function encodeObservation(
  body: ObservationBody,
  head: { readonly number: number; readonly receivedAt: number },
): StoredObservation {
  const { kind, ...rest } = body
  if (body.kind !== 'samples')
    return { ...head, kind, body: JSON.stringify(rest, nameNonFinite), fromStep: null, toStep: null }
  let fromStep = Number.POSITIVE_INFINITY
  let toStep = Number.NEGATIVE_INFINITY
  for (const step of body.columns.step) {
    if (step < fromStep) fromStep = step
    if (step > toStep) toStep = step
  }
  const text = JSON.stringify({ columns: encodeColumns(body.columns) })
  return { ...head, kind, body: text, fromStep, toStep }
}

export function decodeObservation(stored: StoredObservation): Observation {
  const head = { number: stored.number, receivedAt: isoTime(stored.receivedAt), kind: stored.kind }
  if (stored.kind === 'samples')
    return { ...head, columns: decodeColumns(stored.body) } as unknown as Observation
  const reviver = stored.kind === 'probe' ? numberNonFinite : undefined
  return { ...head, ...JSON.parse(stored.body, reviver) } as Observation
}
