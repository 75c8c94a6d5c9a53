// From unknown input to a parsed value, or to a 422 whose sentences name the place (a JSON pointer, or
// `?name` in a query), the value and what is allowed.

import type { z } from 'zod'
import { shown } from '../../protocol/shown.ts'
import { ServerError } from '../errors.ts'

type Issue = z.core.$ZodIssue
const errorsMax = 20

const escapePointer = (part: PropertyKey) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<PropertyKey, unknown>)[part]
  }
  return value
}

const typeNames: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

const allowed = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join(', ')

function sentence(issue: Issue, value: unknown): string {
  const got = `, got ${shown(value)}`
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return `is missing: it must be ${typeNames[issue.expected] ?? issue.expected}`
      return `must be ${typeNames[issue.expected] ?? issue.expected}${got}`
    case 'invalid_value':
      return `must be one of ${allowed(issue.values)}${got}`
    case 'invalid_union':
      // A discriminated union names its field in the path; another one has the sentences of its parts.
      if ('options' in issue && Array.isArray(issue.options))
        return `must be one of ${allowed(issue.options)}${got}`
      return `must be ${[...new Set(issue.errors.flat().map((part) => sentence(part, value).split(', got ')[0]))].join(' or ').replaceAll('must be ', '')}${got}`
    case 'too_big':
      return size('at most', issue.origin, issue.maximum, issue.inclusive, value)
    case 'too_small':
      return size('at least', issue.origin, issue.minimum, issue.inclusive, value)
    default:
      return issue.message.startsWith('must') || issue.message.startsWith('column')
        ? `${issue.message}${issue.code === 'invalid_format' ? got : ''}`
        : `${issue.message}${got}`
  }
}

function size(
  word: string,
  origin: string,
  bound: number | bigint,
  inclusive = true,
  value: unknown,
): string {
  if (origin === 'string') return `must be ${word} ${bound} characters long, got ${String(value).length}`
  if (origin === 'array') return `must have ${word} ${bound} entries, got ${(value as unknown[]).length}`
  const strict = word === 'at most' ? 'below' : 'above'
  return `must be ${inclusive ? word : strict} ${bound}, got ${shown(value)}`
}

/** The names that an object schema allows at a path, as far as they are known. */
export type FieldList = (path: readonly PropertyKey[]) => readonly string[] | undefined

function errorsOf(issue: Issue, input: unknown, prefix: string, fields: FieldList) {
  // Of a query nothing but its parameters has a name, and a value may have been made of a part of what was typed.
  const pointer = (path: readonly PropertyKey[]) =>
    prefix + (prefix === '?' ? path.slice(0, 1) : path).map(escapePointer).join('/')
  if (issue.code !== 'unrecognized_keys') {
    const value = valueAt(input, issue.path) ?? (prefix === '?' ? issue.input : undefined)
    return [{ pointer: pointer(issue.path), detail: sentence(issue, value) }]
  }
  const known = fields(issue.path)
  const hint = known === undefined ? '' : `; allowed are ${known.join(', ')}`
  return issue.keys.slice(0, errorsMax).map((key) => ({
    pointer: pointer([...issue.path, key]),
    detail: `is not a known field${hint}`,
  }))
}

function schemaFields(schema: z.core.$ZodType): readonly string[] | undefined {
  const def = schema._zod.def as {
    type: string
    in?: z.core.$ZodType
    innerType?: z.core.$ZodType
    shape?: object
  }
  if (def.shape !== undefined) return Object.keys(def.shape)
  const inner = def.in ?? def.innerType
  return inner === undefined ? undefined : schemaFields(inner)
}

/** Walks a schema along a path, to name the fields that were allowed there. */
function fieldsOf(schema: z.core.$ZodType): FieldList {
  return (path) => {
    let current: z.core.$ZodType | undefined = schema
    for (const part of path) {
      while (current !== undefined) {
        const def = current._zod.def as { in?: z.core.$ZodType; innerType?: z.core.$ZodType }
        const inner: z.core.$ZodType | undefined = def.in ?? def.innerType
        if (inner === undefined) break
        current = inner
      }
      const def = current?._zod.def as
        | { shape?: Record<PropertyKey, z.core.$ZodType>; element?: z.core.$ZodType }
        | undefined
      current = def?.shape?.[part] ?? def?.element
      if (current === undefined) return undefined
    }
    return current === undefined ? undefined : schemaFields(current)
  }
}

/**
 * @param from 'body' gives JSON pointers, 'query' gives `?name`.
 * @throws ServerError `invalid-request` (422).
 */
export function parse<T>(schema: z.ZodType<T>, input: unknown, from: 'body' | 'query' = 'body'): T {
  const result = schema.safeParse(input, { reportInput: from === 'query' })
  if (result.success) return result.data
  const prefix = from === 'query' ? '?' : '/'
  const fields = fieldsOf(schema)
  // Sentences are made of those that are told; there may be one for each byte of the body.
  const errors = result.error.issues
    .slice(0, errorsMax)
    .flatMap((issue) => errorsOf(issue, input, prefix, fields))
    .slice(0, errorsMax)
  const [first] = errors
  const place = first === undefined || first.pointer === '/' ? 'the body' : first.pointer
  const more = errors.length > 1 ? `; and ${errors.length - 1} more` : ''
  throw new ServerError('invalid-request', `${place} ${first?.detail}${more}`, { errors })
}
