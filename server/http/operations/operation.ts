// What an operation of the HTTP API is, as data, and what follows from that: which scopes let it be called, and which
// problems it may answer with.

import type { z } from 'zod'
import type { Scope } from '../../../protocol/vocabulary.ts'
import type { ProblemCode } from '../../errors.ts'
import type { logMedia } from '../body.ts'

export type Method = 'get' | 'post' | 'patch' | 'delete'
export type Operation = {
  readonly id: string
  readonly summary: string
  /** What a token must allow, one of them; `open` = nothing. Absent: `read` for what is read with GET, else `admin`. */
  readonly scope?: Scope | readonly Scope[] | 'open'
  /** The run in the path is a deleted one: whether it is the caller's is asked where it is found. */
  readonly isOfRemoved?: true
  readonly body?: z.ZodType
  /** The body is no JSON document, but lines of this type, each as the schema says. */
  readonly bodyLines?: typeof logMedia
  readonly query?: z.ZodType
  /** That it names no run, and tells a token of one project of that project alone. Absent: such a token is refused. */
  readonly keepsToProject?: true
  /** What is answered with each status of success; null = no content. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>
  /** The answer's other forms, beside JSON: text. */
  readonly otherMedia?: readonly string[]
  /** The answer is no JSON document, but lines of this type, each as the schema says. */
  readonly answerLines?: typeof logMedia
  /** A read that answers 304 to who has the answer already (`If-None-Match`). */
  readonly isConditional?: true
  /** Besides those that every operation of its kind may meet. */
  readonly problems?: readonly ProblemCode[]
}

const everyCall: readonly ProblemCode[] = [
  'host-not-allowed',
  'malformed-request',
  'origin-not-allowed',
  'request-timeout',
  'headers-too-large',
  'internal',
]
const everyBody: readonly ProblemCode[] = [
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
  'unsupported-encoding',
  'invalid-request',
  'server-busy',
]
/** A run that another version of the tuner folded is refolded, and stored, by whoever reads it. */
const everyRun: readonly ProblemCode[] = [
  'run-not-found',
  'run-busy',
  'run-moved',
  'storage-failed',
  'storage-damaged',
  'disk-full',
]

const everyToken: readonly ProblemCode[] = [
  'token-missing',
  'token-invalid',
  'token-expired',
  'token-revoked',
  'scope-missing',
  'project-not-allowed',
  'too-many-attempts',
]

/** One of these a token must have. */
export const scopesOf = (method: Method, { scope }: Pick<Operation, 'scope'>): readonly Scope[] | 'open' =>
  scope === 'open' ? 'open' : [scope ?? (method === 'get' ? 'read' : 'admin')].flat()

/** All the problems that an operation may answer with. */
export function problemsOf(path: string, method: Method, operation: Operation): readonly ProblemCode[] {
  return [
    ...new Set([
      ...everyCall,
      ...(scopesOf(method, operation) === 'open' ? [] : everyToken),
      ...(operation.query === undefined ? [] : (['invalid-request'] as const)),
      ...(operation.body === undefined ? [] : everyBody),
      ...(path.includes('{id}') ? everyRun : []),
      ...(operation.problems ?? []),
    ]),
  ]
}

/** By path, as OpenAPI writes it, and method. */
export type Operations = Readonly<Record<string, Partial<Record<Method, Operation>>>>
