// Columns of samples as bytes for the log, and back, exactly. A column that says one thing of all rows is named with it; any
// other is its doubles one after the other, or floats where they say the same, which is what training mostly works in. So a
// column is stored without writing a digit, and a single one is read without looking at the others.
//
//   4 bytes   length of the head, little-endian, as everything is (as on every machine that Node runs on)
//   head      JSON: rows, columns and metrics by name, each with its form, the objective
//   then      each column that is not said in the head, in order, begun at a multiple of 8 bytes behind the head:
//             a bit a row that is 1 where the value is known, if some are not, and the known values
//
// Cost: some 3 ns a number to write, 1 ns to read.

import { encodeNumber } from '../../protocol/nonFinite.ts'
import { objectivesOf } from '../../protocol/schemas.ts'
import { type SampleColumns, sampleColumnNames } from '../../protocol/vocabulary.ts'
import type { Points } from './points.ts'

type Column = readonly (number | null)[]
type Names = readonly (string | null)[]

/** How a column lies there. */
type Form =
  /** One value, or null, in all rows. */
  | readonly ['same', number | string | null]
  /** Whole numbers, each larger than the one before by as much. */
  | readonly ['even', first: number, stride: number]
  /** `known` = how many of the rows have a value, where not all have one. */
  | readonly ['f32' | 'f64', known?: number]
type Forms = readonly (readonly [name: string, ...form: Form])[]
type Head = {
  readonly rows: number
  readonly columns: Forms
  readonly metrics?: Forms
  /** One name where it holds for all rows, which is nearly always: a text a row would be most of the log. */
  readonly objective?: Names | string | null
}

const headLengthBytes = 4
/** More than this is not kept for the next batch. */
const keptBytesMax = 8 * 1024 * 1024
const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8
const bitBytes = (rows: number): number => padded(Math.ceil(rows / 8))

/** −0 has no text of its own in JSON. */
function isSame(column: Column): boolean {
  const [first] = column
  if (Object.is(first, -0)) return false
  for (let i = 1; i < column.length; i++) if (!Object.is(column[i], first)) return false
  return true
}

function isEven(column: Column): boolean {
  const [first, second] = column
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || Object.is(first, -0)) return false
  const stride = second! - first!
  // From the second on: the difference of two may be rounded.
  for (let i = 1; i < column.length; i++) if (!Object.is(column[i], first! + i * stride)) return false
  return Number.isSafeInteger(column.at(-1))
}

/** Where columns are gathered before it is known how long they are together; used again for each batch. */
class Gathered {
  private bytes = new Uint8Array(0)
  private doubles = new Float64Array(0)
  private floats = new Float32Array(0)
  private length = 0

  /** Takes a column in. */
  add(column: Column): Form {
    if (isSame(column)) return ['same', typeof column[0] === 'number' ? encodeNumber(column[0]) : null]
    if (isEven(column)) return ['even', column[0]!, column[1]! - column[0]!]
    this.reserve(this.length + 8 * column.length + bitBytes(column.length))
    const known = column.includes(null) ? this.addBits(column) : undefined
    const count = this.addDoubles(column)
    const form = this.narrowed(count) ? 'f32' : 'f64'
    this.length += padded((form === 'f32' ? 4 : 8) * count)
    return known === undefined ? [form] : [form, known]
  }

  /** Begins anew, whatever was left behind. */
  begin(): void {
    this.length = 0
  }

  /** What was taken in; it holds until it begins anew. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    if (this.bytes.length > keptBytesMax) this.hold(new Uint8Array(0))
    return taken
  }

  private reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return
    const grown = new Uint8Array(padded(2 * bytes))
    grown.set(this.bytes)
    this.hold(grown)
  }

  private hold(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.doubles = new Float64Array(bytes.buffer)
    this.floats = new Float32Array(bytes.buffer)
  }

  private addBits(column: Column): number {
    const { bytes, length } = this
    const end = length + bitBytes(column.length)
    bytes.fill(0, length, end)
    let known = 0
    for (let i = 0; i < column.length; i++) {
      if (column[i] === null) continue
      known++
      bytes[length + (i >> 3)]! |= 1 << (i & 7)
    }
    this.length = end
    return known
  }

  private addDoubles(column: Column): number {
    const { doubles } = this
    const from = this.length / 8
    let count = 0
    for (let i = 0; i < column.length; i++) {
      const value = column[i]!
      if (value !== null) doubles[from + count++] = value
    }
    return count
  }

  /** Makes the doubles that were just written floats, in their place, where that changes none of them. */
  private narrowed(count: number): boolean {
    const { doubles, floats } = this
    const from = this.length / 8
    for (let i = 0; i < count; i++) {
      const value = doubles[from + i]!
      if (!Object.is(Math.fround(value), value)) return false
    }
    // Each float lies before the double it is read from, or in its first half.
    for (let i = 0; i < count; i++) floats[2 * from + i] = doubles[from + i]!
    // What is left of the doubles is no value of anybody.
    if (count % 2 === 1) floats[2 * from + count] = 0
    return true
  }
}

const gathered = new Gathered()

/** One name where it holds for all rows. */
export const oneName = (names: Names): Names | string | null =>
  names.length > 0 && names.every((name) => name === names[0]) ? names[0]! : names

/** @param columns all as long as `step`, finite or not, null = not known */
export function encodeColumns(columns: SampleColumns): Uint8Array {
  gathered.begin()
  const { step, metrics, objective } = columns
  const form = (name: string, column: Column) => [name, ...gathered.add(column)] as const
  const own = sampleColumnNames.flatMap((name) => {
    const column = columns[name]
    return column === undefined ? [] : [form(name, column)]
  })
  const head: Head = {
    rows: step.length,
    columns: [...own, form('step', step)],
    ...(metrics === undefined
      ? {}
      : { metrics: Object.entries(metrics).map(([name, column]) => form(name, column)) }),
    ...(objective === undefined ? {} : { objective: oneName(objective) }),
  }
  const data = gathered.take()
  const text = JSON.stringify(head)
  const headBytes = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafeSlow(headLengthBytes + headBytes + data.length)
  bytes.writeUInt32LE(headBytes, 0)
  bytes.write(text, headLengthBytes)
  bytes.set(data, headLengthBytes + headBytes)
  return bytes
}

/** As long as it will be from the start, and in a loop: several times faster than Array.from. */
function filled(rows: number, valueAt: (row: number) => number | null): (number | null)[] {
  const column = new Array<number | null>(rows)
  for (let i = 0; i < rows; i++) column[i] = valueAt(i)
  return column
}

/** Reads columns in the order in which they lie there. */
class ColumnReader {
  readonly head: Head
  private readonly bytes: Uint8Array
  private at: number

  constructor(bytes: Uint8Array) {
    const headBytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
    this.bytes = bytes
    this.at = headLengthBytes + headBytes
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + headLengthBytes, headBytes).toString()
    this.head = JSON.parse(text) as Head
  }

  /** The next column; undefined = passed over. */
  next(form: Form, isWanted: boolean): (number | null)[] | undefined {
    const { rows } = this.head
    if (form[0] === 'same') {
      const value = form[1] === null ? null : Number(form[1])
      return isWanted ? filled(rows, () => value) : undefined
    }
    if (form[0] === 'even') {
      const [, first, stride] = form
      return isWanted ? filled(rows, (i) => first + i * stride) : undefined
    }
    const [kind, known] = form
    const bits = known === undefined ? undefined : this.take(bitBytes(rows))
    const Values = kind === 'f32' ? Float32Array : Float64Array
    const bytes = Values.BYTES_PER_ELEMENT * (known ?? rows)
    const taken = this.take(padded(bytes))
    if (!isWanted) return undefined
    // A copy, as what comes from a database begins anywhere.
    const values = new Values(new Uint8Array(taken.subarray(0, bytes)).buffer)
    if (bits === undefined) return filled(rows, (i) => values[i]!)
    let count = 0
    return filled(rows, (i) => ((bits[i >> 3]! >> (i & 7)) & 1 ? values[count++]! : null))
  }

  /** @throws Error where bytes are left, as they are of nothing. */
  end(): void {
    if (this.at !== this.bytes.length)
      throw new Error(`${this.bytes.length - this.at} bytes follow the columns`)
  }

  private take(length: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + length)
    if (taken.length < length) throw new Error(`${length - taken.length} bytes of a column are missing`)
    this.at += length
    return taken
  }
}

const formOf = ([, ...form]: Forms[number]): Form => form

/** What `encodeColumns` was given. @throws Error where the bytes are none of its. */
export function decodeColumns(bytes: Uint8Array): SampleColumns {
  const reader = new ColumnReader(bytes)
  const { rows, columns, metrics, objective } = reader.head
  const read = (forms: Forms) =>
    Object.fromEntries(forms.map((entry) => [entry[0], reader.next(formOf(entry), true)!]))
  const decoded = {
    ...read(columns),
    ...(metrics === undefined ? {} : { metrics: read(metrics) }),
    ...(objective === undefined ? {} : { objective: objectivesOf(objective, rows) }),
  }
  reader.end()
  return decoded as unknown as SampleColumns
}

/** The steps, and those of the wanted signals that are there. @throws Error where the bytes are no columns. */
export function wantedColumns(bytes: Uint8Array, wanted: ReadonlySet<string>): Points {
  const reader = new ColumnReader(bytes)
  const { columns, metrics = [] } = reader.head
  const values = new Map<string, (number | null)[]>()
  let steps: number[] | undefined
  for (const entry of columns) {
    const [name] = entry
    const column = reader.next(formOf(entry), name === 'step' || wanted.has(name))
    if (name === 'step') steps = column as number[]
    else if (column !== undefined) values.set(name, column)
  }
  for (const entry of metrics) {
    const name = `metrics.${entry[0]}`
    const column = reader.next(formOf(entry), wanted.has(name))
    if (column !== undefined) values.set(name, column)
  }
  reader.end()
  if (steps === undefined) throw new Error('there is no column of steps')
  return { steps, values }
}
