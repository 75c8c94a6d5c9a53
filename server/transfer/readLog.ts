// A log file as entries that cannot be wrong: its header, its observations as they will be stored, its end. Whatever is
// not as it should be is a sentence that names the line, the field, the value and what is allowed.

import type { z } from 'zod'
import {
  type LogEnd,
  type LogHeader,
  limits,
  logEndSchema,
  logHeaderSchema,
  observationLineSchema,
} from '../../protocol/schemas.ts'
import { shown } from '../../protocol/shown.ts'
import { ServerError } from '../errors.ts'
import { readJsonText } from '../http/jsonText.ts'
import { parse } from '../http/validate.ts'
import { encodeObservation, type ObservationBody } from '../runs/observationCodec.ts'
import type { StoredObservation } from '../storage/storage.ts'
import { type Line, lineError, linesOf } from './lines.ts'

export type LogEntry =
  | { readonly kind: 'header'; readonly line: number; readonly header: LogHeader }
  | { readonly kind: 'observation'; readonly line: number; readonly stored: StoredObservation }
  | { readonly kind: 'end'; readonly line: number; readonly end: LogEnd }

type Json = Readonly<Record<string, unknown>>

function jsonOf({ number, text }: Line): Json {
  const read = readJsonText(text)
  if ('fault' in read) {
    const { fault } = read
    if (fault.code === 'malformed-json') throw lineError('malformed-json', number, fault.detail)
    throw lineError('invalid-request', number, `${fault.pointer} ${fault.detail}`)
  }
  const { value } = read
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw lineError('invalid-request', number, `must be an object, got ${shown(value)}`)
}

/** Parses a line's value; what is wrong with it is told with the line's number. */
function parsed<T>(line: Line, schema: z.ZodType<T>, value: unknown): T {
  try {
    return parse(schema, value)
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    const errors = error.extras.errors?.map(({ pointer, detail }) => ({
      pointer: `line ${line.number} ${pointer}`,
      detail,
    }))
    throw new ServerError(error.code, `line ${line.number}: ${error.message}`, {
      ...(errors === undefined ? {} : { errors }),
      closeConnection: true,
    })
  }
}

function observationOf(line: Line, value: Json): StoredObservation {
  // Of all but samples the file's own text is stored: parsing reuses arrays, and would leave nothing of a name such as "NaN".
  const text = value.kind === 'samples' ? '' : (JSON.stringify(value.body) ?? '')
  const checked = parsed(line, observationLineSchema, value)
  const { number, kind } = checked
  const head = { number, receivedAt: Date.parse(checked.receivedAt) }
  return kind === 'samples'
    ? encodeObservation({ kind, ...checked.body } as ObservationBody, head)
    : { ...head, kind, body: text, columns: null, fromStep: null, toStep: null }
}

/**
 * The entries in order: header, observations 1, 2, 3, …, end.
 * @throws ServerError `malformed-json`, `invalid-request`, `body-too-large`.
 */
export async function* readLog(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogEntry, void, void> {
  let header: LogHeader | undefined
  let observations = 0
  let hasEnded = false
  let last = 0
  for await (const line of linesOf(chunks, limits.logLineBytesMax)) {
    last = line.number
    if (hasEnded) throw lineError('invalid-request', last, 'follows the end line; nothing may')
    const value = jsonOf(line)
    if (header === undefined) {
      header = parsed(line, logHeaderSchema, value)
      yield { kind: 'header', line: last, header }
    } else if (Object.hasOwn(value, 'end')) {
      const end = parsed(line, logEndSchema, value)
      checkEnd(line, end, header, observations)
      hasEnded = true
      yield { kind: 'end', line: last, end }
    } else {
      const stored = observationOf(line, value)
      observations++
      checkPlace(line, stored, observations, header.run.id)
      yield { kind: 'observation', line: last, stored }
    }
  }
  if (hasEnded) return
  throw header === undefined
    ? lineError('invalid-request', 1, 'is missing: a log begins with its header {"format":"twostep-log", …}')
    : lineError(
        'invalid-request',
        last + 1,
        'is missing: the file was cut before its end line {"end":true, …}',
      )
}

function checkPlace(
  line: Line,
  { number, kind, body }: StoredObservation,
  expected: number,
  runId: string,
): void {
  if (number !== expected)
    throw lineError('invalid-request', line.number, `/number must be ${expected}, got ${number}`)
  if ((kind === 'start') !== (expected === 1))
    throw lineError(
      'invalid-request',
      line.number,
      `/kind must be ${expected === 1 ? '"start", as the first is' : 'another than "start", which only the first is'}, got "${kind}"`,
    )
  const told = kind === 'start' ? (JSON.parse(body) as { runId: string }).runId : runId
  if (told !== runId)
    throw lineError(
      'invalid-request',
      line.number,
      `/body/runId must be "${runId}", as in the header, got "${told}"`,
    )
}

function checkEnd(line: Line, end: LogEnd, header: LogHeader, observations: number): void {
  const check = (field: string, got: number, must: number, what: string) => {
    if (got !== must)
      throw lineError('invalid-request', line.number, `/${field} must be ${must}, ${what}, got ${got}`)
  }
  check('observations', end.observations, observations, 'as so many lines came before')
  check('observations', end.observations, header.observationCount, 'as the header says')
  check('decisions', end.decisions, header.decisionCount, 'as the header says')
  check('decisionHashes', end.decisionHashes.length, end.decisions, 'as so many decisions are counted')
}
