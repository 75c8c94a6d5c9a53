// A telemetry batch straight from the bytes of its body, where the body is of the plain kind that a job sends thousands of: a
// client, a sequence, and columns of numbers. Everything else (probes, acknowledgements, objectives, escapes in names, any fault)
// is left to JSON.parse and the schema, which say the sentences; what is taken here they would take for the same value
// (telemetryText.property.test.ts).
//
// Cost: JSON.parse of each list, one look at each of its entries, and a few at each name; no object for a step.

import { decodeNumber } from '../../protocol/nonFinite.ts'
import { limits, telemetrySchema } from '../../protocol/schemas.ts'
import { type SampleColumns, sampleColumnNames, type Telemetry } from '../../protocol/vocabulary.ts'
import { parseBody } from './jsonText.ts'
import { parse } from './validate.ts'

type Column = (number | null)[]

const [brace, closingBrace, bracket, closingBracket] = [0x7b, 0x7d, 0x5b, 0x5d]
const [quote, colon, comma] = [0x22, 0x3a, 0x2c]
const [zero, nine, backslash, del] = [0x30, 0x39, 0x5c, 0x7f]
const [space, tab, lineFeed, carriageReturn] = [0x20, 0x09, 0x0a, 0x0d]
/** So many digits are a safe integer. */
const wholeDigitsMax = 15
const headFields: ReadonlySet<string> = new Set(['clientId', 'sequence', 'planVersion', 'steps'])
const columnNames: ReadonlySet<string> = new Set(['step', ...sampleColumnNames])

/** What is not of the plain kind ends the reading; it never leaves this file. */
class NotPlain extends Error {}
const notPlain = new NotPlain()

/** The entries of a list of numbers, null, and names of non-finite numbers. */
function numbersOf(text: string): Column {
  const values = parsedList(text)
  if (values.length === 0 || values.length > limits.batchStepsMax) throw notPlain
  // By index: what is asked of each of some 10,000 entries a batch is asked as cheaply as may be.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === null || Number.isFinite(value)) continue
    // A number beyond a double is a fault, and the schema's to say.
    const named = typeof value === 'string' ? decodeNumber(value) : undefined
    if (named === undefined) throw notPlain
    values[i] = named
  }
  return values as Column
}

/** @param text that begins with an opening bracket, if it is not empty */
function parsedList(text: string): unknown[] {
  try {
    return JSON.parse(text) as unknown[]
  } catch {
    throw notPlain
  }
}

class Reader {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  private skip(): number {
    const { bytes } = this
    let byte = bytes[this.at]!
    while (byte === space || byte === lineFeed || byte === tab || byte === carriageReturn)
      byte = bytes[++this.at]!
    return byte
  }

  private expect(byte: number): void {
    if (this.skip() !== byte) throw notPlain
    this.at++
  }

  isAtEnd(): boolean {
    this.skip()
    return this.at === this.bytes.length
  }

  /** A text of printable ASCII without an escape, as long as a name may be. */
  text(): string {
    this.expect(quote)
    const { bytes } = this
    const from = this.at
    let byte = bytes[this.at]!
    while (byte !== quote) {
      if (!(byte >= space && byte < del) || byte === backslash) throw notPlain
      byte = bytes[++this.at]!
    }
    const length = this.at++ - from
    if (length < 1 || length > limits.nameCharactersMax) throw notPlain
    return bytes.toString('latin1', from, from + length)
  }

  whole(min: number): number {
    this.skip()
    const { bytes } = this
    const from = this.at
    let value = 0
    for (let byte = bytes[this.at]!; byte >= zero && byte <= nine; byte = bytes[++this.at]!)
      value = value * 10 + (byte - zero)
    const digits = this.at - from
    const isPlain = digits > 0 && digits <= wholeDigitsMax && (digits === 1 || bytes[from] !== zero)
    if (!isPlain || value < min) throw notPlain
    return value
  }

  column(): Column {
    if (this.skip() !== bracket) throw notPlain
    const end = this.bytes.indexOf(closingBracket, this.at) + 1
    // Where that closes another one, or stands in a text, what is up to there is no list of numbers.
    const values = numbersOf(this.bytes.toString('latin1', this.at, end))
    this.at = end
    return values
  }

  /** Hands each name of an object to who reads what follows it. A name that comes twice is a fault. */
  object(entry: (name: string) => void): void {
    const names = new Set<string>()
    this.expect(brace)
    do {
      const name = this.text()
      if (names.has(name)) throw notPlain
      names.add(name)
      this.expect(colon)
      entry(name)
    } while (this.isNext(comma))
    this.expect(closingBrace)
  }

  private isNext(byte: number): boolean {
    const isThere = this.skip() === byte
    if (isThere) this.at++
    return isThere
  }
}

const isStep = (value: number | null): boolean =>
  Number.isInteger(value) && value! >= 0 && value! <= limits.stepMax && !Object.is(value, -0)
const isCount = (value: number | null): boolean => value === null || !(value < 0)

function checked(columns: ReadonlyMap<string, Column>, metrics: ReadonlyMap<string, Column>): void {
  const steps = columns.get('step')
  if (steps === undefined || !steps.every(isStep)) throw notPlain
  if (columns.get('tokens')?.every(isCount) === false) throw notPlain
  for (const found of [columns, metrics])
    for (const { length } of found.values()) if (length !== steps.length) throw notPlain
  if (metrics.size > limits.metricsMax) throw notPlain
}

function columnsIn(reader: Reader): SampleColumns {
  const found = new Map<string, Column>()
  const metrics = new Map<string, Column>()
  reader.object((name) => {
    if (name === 'metrics') reader.object((metric) => void metrics.set(metric, reader.column()))
    else if (columnNames.has(name)) found.set(name, reader.column())
    else throw notPlain
  })
  checked(found, metrics)
  const own = [...columnNames].flatMap((name) => (found.has(name) ? [[name, found.get(name)!] as const] : []))
  const columns = {
    ...Object.fromEntries(own),
    ...(metrics.size === 0 ? {} : { metrics: Object.fromEntries(metrics) }),
  }
  return columns as unknown as SampleColumns
}

function batchIn(reader: Reader): Telemetry {
  const head: { clientId?: string; sequence?: number; planVersion?: number; steps?: SampleColumns } = {}
  reader.object((name) => {
    if (!headFields.has(name)) throw notPlain
    if (name === 'clientId') head.clientId = reader.text()
    else if (name === 'sequence') head.sequence = reader.whole(1)
    else if (name === 'planVersion') head.planVersion = reader.whole(0)
    else head.steps = columnsIn(reader)
  })
  const { clientId, sequence, steps } = head
  if (clientId === undefined || sequence === undefined || steps === undefined || !reader.isAtEnd())
    throw notPlain
  return { ...head, clientId, sequence, steps }
}

/** The batch of a body. @throws ServerError `malformed-json`, `invalid-request`. */
export const batchOf = (bytes: Buffer): Telemetry =>
  plainBatch(bytes) ?? parse(telemetrySchema, parseBody(bytes))

/** The same, read directly; undefined = the body is not of the plain kind, whether or not it is a batch. */
export function plainBatch(bytes: Buffer): Telemetry | undefined {
  try {
    return batchIn(new Reader(bytes))
  } catch (error) {
    if (error === notPlain) return undefined
    throw error
  }
}
