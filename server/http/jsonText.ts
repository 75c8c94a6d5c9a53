// JSON text as a value that says all that the text said: what would be lost in silence on the way is refused with a
// sentence that names it. That is bytes that are no UTF-8 (they would become U+FFFD), a key that an object has twice (the
// last one would win), and text that a database cannot keep: U+0000, at which SQLite's text ends, and halves of a
// surrogate pair, which UTF-8 has no bytes for.
//
// Cost: one pass of a native decoder, one of JSON.parse, one over the strings and brackets of the text; the value is
// walked only where an escape in the text could stand for such a character. No pass uses the stack for nesting.

import { isNestedTooDeep, nestingMax } from '../../protocol/nesting.ts'
import { ServerError } from '../errors.ts'

export type JsonFault =
  | { readonly code: 'malformed-json'; readonly detail: string }
  | { readonly code: 'invalid-request'; readonly pointer: string; readonly detail: string }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The text of bytes; undefined where they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

const backslash = 0x5c

/** Where the string that begins at `from` ends: the index after its closing quote. */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); ; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return quote + 1
  }
}

/** Whether the string that ends here is a key: a colon follows. */
function isKey(text: string, end: number): boolean {
  let at = end
  while (text.charCodeAt(at) <= 0x20) at++
  return text[at] === ':'
}

/** A key that one object of a valid JSON text has twice; undefined where none does. */
export function repeatedKey(text: string): string | undefined {
  /** The keys so far of each object that is open, undefined for a list. */
  const open: (Set<string> | undefined)[] = []
  const mark = /["{}[\]]/g
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    const [character] = found
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character !== '"') open.pop()
    else {
      const end = endOfString(text, found.index)
      mark.lastIndex = end
      const keys = open.at(-1)
      if (keys === undefined || !isKey(text, end)) continue
      const literal = text.slice(found.index, end)
      const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1)
      if (keys.has(key)) return key
      keys.add(key)
    }
  }
  return undefined
}

/** Why a database cannot keep a text; undefined where it can. */
export function unkeepable(text: string): string | undefined {
  if (text.includes('\0')) return 'holds the character U+0000, which cannot be stored: leave it out'
  if (/[\ud800-\udfff]/.test(text) && !isWellFormed(text))
    return 'holds half of a surrogate pair, which is no character and cannot be stored: send whole characters'
  return undefined
}

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

const escapePointer = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1')

const pointerCharactersMax = 300

/** A name as it may stand in an answer: what cannot be written is written as its escape. */
const writable = (text: string) =>
  text.replace(
    /\0|\p{Surrogate}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A pointer as it is told: that of a text at a great depth would fill the answer. */
const told = (pointer: string) =>
  pointer.length > pointerCharactersMax ? `${pointer.slice(0, pointerCharactersMax)}…` : pointer || '/'

/** The first text in a value, names among them, that cannot be kept. */
function findUnkeepable(root: unknown): { readonly pointer: string; readonly detail: string } | undefined {
  const left: { readonly value: unknown; readonly pointer: string }[] = [{ value: root, pointer: '' }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, pointer } = next
    if (typeof value === 'string') {
      const detail = unkeepable(value)
      if (detail !== undefined) return { pointer: told(pointer), detail }
    }
    if (typeof value !== 'object' || value === null) continue
    for (const [key, entry] of Object.entries(value)) {
      const place = `${pointer}/${escapePointer(writable(key))}`
      const detail = unkeepable(key)
      if (detail !== undefined) return { pointer: told(place), detail: `has a name that ${detail}` }
      if (typeof entry === 'string' || typeof entry === 'object') left.push({ value: entry, pointer: place })
    }
  }
  return undefined
}

/** What can be behind a text that cannot be kept: raw, a NUL is no JSON, and a half pair is no UTF-8. */
const suspect = /\\u(?:0000|[dD][89a-fA-F])/

/** The value of a JSON text, or what is wrong with it. */
export function readJsonText(text: string): { readonly value: unknown } | { readonly fault: JsonFault } {
  if (isNestedTooDeep(text))
    return {
      fault: {
        code: 'malformed-json',
        detail: `is nested too deep: lists and objects may lie ${nestingMax} levels deep in each other`,
      },
    }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { fault: { code: 'malformed-json', detail: `is not JSON: ${(error as Error).message}` } }
  }
  const key = repeatedKey(text)
  if (key !== undefined) {
    const detail = `has the key ${JSON.stringify(key).slice(0, 140)} twice in one object: one of the two would be lost`
    return { fault: { code: 'malformed-json', detail } }
  }
  const found = suspect.test(text) ? findUnkeepable(value) : undefined
  return found === undefined ? { value } : { fault: { code: 'invalid-request', ...found } }
}

/** The value of a body. @throws ServerError `malformed-json`, `invalid-request`. */
export function parseBody(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes)
  if (text === undefined)
    throw new ServerError('malformed-json', 'the body is not UTF-8, as JSON must be; nothing of it was used')
  const read = readJsonText(text)
  if ('value' in read) return read.value
  const { fault } = read
  if (fault.code === 'invalid-request')
    throw new ServerError('invalid-request', `${fault.pointer} ${fault.detail}`, {
      errors: [{ pointer: fault.pointer, detail: fault.detail }],
    })
  const hint = fault.detail.startsWith('is not JSON')
    ? '; NaN and infinities are sent as "NaN", "Infinity", "-Infinity"'
    : ''
  throw new ServerError('malformed-json', `the body ${fault.detail}${hint}`)
}

/**
 * An address whose text is what was sent: bytes of a query that are no UTF-8 would be read as U+FFFD (of a path the router tells), and no
 * name in it may hold what cannot be kept.
 * @param url path and query as they came
 * @throws ServerError `malformed-request`.
 */
export function checkText(url: string): void {
  const start = url.indexOf('?')
  if ((start === -1 ? url : url.slice(0, start)).includes('%00'))
    throw new ServerError('malformed-request', 'the path must not hold the character U+0000')
  if (start === -1 || !url.includes('%', start)) return
  for (const part of url.slice(start + 1).split('&')) {
    if (!part.includes('%')) continue
    const name = part.split('=')[0]!
    let text: string
    try {
      text = decodeURIComponent(part)
    } catch {
      throw new ServerError('malformed-request', `?${name} is not percent-encoded UTF-8, as a query must be`)
    }
    const detail = unkeepable(text)
    if (detail !== undefined) throw new ServerError('malformed-request', `?${name} ${detail}`)
  }
}
