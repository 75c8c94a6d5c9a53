// Observations as text for the log, and back, exactly: JSON has no NaN, so non-finite numbers are stored as
// their names, as on the wire. A body leaves out number, receivedAt and kind, which have columns of their own.
// Columns of a plain batch keep the text that they came as: numbers may be spelt otherwise than we would, and mean the same.
// A log of version 0.1.0 is read as if it had been written today: what it could not say yet is filled in.

import { encodeNumber } from '../../protocol/nonFinite.ts'
import { currentOptions, objectivesOf } from '../../protocol/schemas.ts'
import { type Observation, type SampleColumns, sampleColumnNames } from '../../protocol/vocabulary.ts'
import { isoTime } from '../clock.ts'
import { readStored } from '../storage/damage.ts'
import type { NewObservation, StoredObservation } from '../storage/storage.ts'

type WithoutHead<T> = T extends unknown ? Omit<T, 'number' | 'receivedAt'> : never
/** An observation before it has its place in the log. */
export type ObservationBody = WithoutHead<Observation>

type Column = readonly (number | null)[]
type Names = readonly (string | null)[]

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

/** One name where it holds for all rows, which is nearly always: a text a row would be most of the log. */
const encodeNames = (names: Names): Names | string | null =>
  names.length > 0 && names.every((name) => name === names[0]) ? names[0]! : names

function encodeColumns(columns: SampleColumns): unknown {
  const encoded: Record<string, unknown> = { step: columns.step }
  for (const name of sampleColumnNames) {
    const column = columns[name]
    if (column !== undefined) encoded[name] = encodeColumn(column)
  }
  if (columns.objective !== undefined) encoded.objective = encodeNames(columns.objective)
  if (columns.metrics !== undefined)
    encoded.metrics = Object.fromEntries(
      Object.entries(columns.metrics).map(([name, column]) => [name, encodeColumn(column)]),
    )
  return encoded
}

type Samples = Omit<Extract<Observation, { kind: 'samples' }>, 'kind' | 'number' | 'receivedAt'>

function decodeSamples(body: string): Samples {
  const { columns, ...rest } = readStored(
    'observation',
    () => JSON.parse(body) as { columns: Record<string, unknown> },
  )
  for (const name of sampleColumnNames)
    if (columns[name] !== undefined) decodeColumn(columns[name] as (number | null)[])
  if (columns.objective !== undefined)
    columns.objective = objectivesOf(columns.objective as Names, (columns.step as number[]).length)
  for (const column of Object.values((columns.metrics ?? {}) as Record<string, (number | null)[]>))
    decodeColumn(column)
  return { columns: columns as unknown as SampleColumns, ...rest }
}

/** The columns of a stored samples observation. */
export const decodeColumns = (body: string): SampleColumns => decodeSamples(body).columns

/** Non-finite losses of probes travel and are stored as names too. */
const nameNonFinite = (_key: string, value: unknown) =>
  typeof value === 'number' ? encodeNumber(value) : value

/** Losses, and entries of `lossByPart`: no other list of a probe holds text. */
const isLoss = (key: string) => key === 'loss' || /^\d+$/.test(key)
const numberNonFinite = (key: string, value: unknown) =>
  typeof value === 'string' && isLoss(key) ? Number(value) : value

/** Smallest and largest of the steps of samples; null for the other kinds. */
export function rangeOf(
  steps: readonly number[] | undefined,
): Pick<StoredObservation, 'fromStep' | 'toStep'> {
  if (steps === undefined || steps.length === 0) return { fromStep: null, toStep: null }
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
  const { kind, ...rest } = body
  if (body.kind !== 'samples')
    return { ...head, kind, body: JSON.stringify(rest, nameNonFinite), ...rangeOf(undefined) }
  const text = `${samplesHead(body)}${JSON.stringify(encodeColumns(body.columns))}}`
  return { ...head, kind, body: text, ...rangeOf(body.columns.step) }
}

/** Samples whose columns came as text, in pieces, in our order and in one line: it is kept as it is. */
export function encodeReported(
  body: Extract<ObservationBody, { kind: 'samples' }>,
  head: { readonly number: number; readonly receivedAt: number },
  columnsText: readonly Uint8Array[],
): NewObservation {
  const pieces = [Buffer.from(samplesHead(body)), ...columnsText, closingBrace]
  return { ...head, kind: body.kind, body: pieces, ...rangeOf(body.columns.step) }
}

const closingBrace = Buffer.from('}')
const samplesHead = ({ planVersion }: { readonly planVersion?: number | undefined }): string =>
  planVersion === undefined ? '{"columns":' : `{"planVersion":${planVersion},"columns":`

export function decodeObservation(stored: StoredObservation): Observation {
  const head = { number: stored.number, receivedAt: isoTime(stored.receivedAt), kind: stored.kind }
  if (stored.kind === 'samples') return { ...head, ...decodeSamples(stored.body) } as Observation
  const hasLosses = stored.kind === 'probe' || stored.kind === 'acknowledgement'
  const reviver = hasLosses ? numberNonFinite : undefined
  const observation = {
    ...head,
    ...readStored('observation', () => JSON.parse(stored.body, reviver)),
  } as Observation
  if (observation.kind !== 'start') return observation
  return { ...observation, options: currentOptions(observation.options) }
}
