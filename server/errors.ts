// Every error that a user of the server can meet: one list of code, status, title. The sentence (`detail`) is
// written where the error is found, because only there the value is known; it names the field, the value and
// what is allowed. Sent as application/problem+json (RFC 9457).

import type { Problem } from '../protocol/vocabulary.ts'

export const problemKinds = {
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'malformed-request': { status: 400, title: 'The request is malformed' },
  'token-missing': { status: 401, title: 'A token is demanded' },
  'token-invalid': { status: 401, title: 'The token is not known' },
  'token-expired': { status: 401, title: 'The token has expired' },
  'token-revoked': { status: 401, title: 'The token was revoked' },
  'scope-missing': { status: 403, title: 'The token does not allow this' },
  'project-not-allowed': { status: 403, title: 'The token is for another project' },
  'host-not-allowed': { status: 403, title: 'Host not allowed' },
  'origin-not-allowed': { status: 403, title: 'Origin not allowed' },
  'not-found': { status: 404, title: 'No such address' },
  'run-not-found': { status: 404, title: 'No such run' },
  'decision-not-found': { status: 404, title: 'No such decision' },
  'signal-not-found': { status: 404, title: 'No such signal' },
  'override-not-found': { status: 404, title: 'No override in force' },
  'webhook-not-found': { status: 404, title: 'No such webhook' },
  'delivery-not-found': { status: 404, title: 'No such delivery' },
  'token-not-found': { status: 404, title: 'No such token' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'request-timeout': { status: 408, title: 'The request took too long' },
  'run-exists': { status: 409, title: 'The run exists already' },
  'sequence-reused': { status: 409, title: 'The sequence number was used before' },
  'sequence-gap': { status: 409, title: 'A telemetry batch is missing' },
  'decision-not-awaiting': { status: 409, title: 'The decision does not await approval' },
  'run-finished': { status: 409, title: 'The run is finished' },
  'token-exists': { status: 409, title: 'There is a token of that name' },
  'token-needed': { status: 409, title: 'The token is the last of an admin' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'Media type not supported' },
  'unsupported-encoding': { status: 415, title: 'Content encoding not supported' },
  'invalid-request': { status: 422, title: 'The request is understood but not valid' },
  'too-many-metrics': { status: 422, title: 'Too many own metrics in one run' },
  'too-many-tokens': { status: 422, title: 'Too many tokens' },
  'too-many-webhooks': { status: 422, title: 'Too many webhooks' },
  'run-too-long': { status: 422, title: 'The run is too long for this' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'too-many-attempts': { status: 429, title: 'Too many wrong tokens' },
  'too-many-subscriptions': { status: 429, title: 'Too many subscriptions' },
  internal: { status: 500, title: 'The server failed' },
  'server-ending': { status: 503, title: 'The server is about to stop' },
  'server-busy': { status: 503, title: 'The server is at work on another request of that kind' },
  'run-busy': { status: 503, title: 'The run has too many batches waiting' },
  'not-ready': { status: 503, title: 'The server is not ready' },
  'run-moved': { status: 503, title: 'Another server has written to the run' },
  'storage-damaged': { status: 503, title: 'What is stored is damaged' },
  'storage-failed': { status: 503, title: 'The storage failed' },
  'disk-full': { status: 507, title: 'The disk is full' },
} as const satisfies Record<string, { status: number; title: string }>
export type ProblemCode = keyof typeof problemKinds

export type ProblemExtras = {
  /** JSON pointers into the body (RFC 6901) or `?name` for a query parameter, each with its sentence. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
  /** For 429, 503 and 507: when it is worth trying again. */
  readonly retryAfterSeconds?: number
  /** For `sequence-gap` and `sequence-reused`: the sequence number that was expected. */
  readonly expectedSequence?: number
  /** The connection cannot be used again (a body was cut off). */
  readonly closeConnection?: boolean
  /** For 401 and 403: what `WWW-Authenticate` says beside the scheme. */
  readonly challenge?: string
  readonly cause?: unknown
}

/** An error that is answered as a problem, never a crash. */
export class ServerError extends Error {
  readonly code: ProblemCode
  readonly extras: ProblemExtras

  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause })
    this.name = 'ServerError'
    this.code = code
    this.extras = extras
  }
}

/** What comes to a server that is about to stop can be sent to the next one. */
export const serverEnding = (): ServerError =>
  new ServerError('server-ending', 'this server is about to stop', { retryAfterSeconds: 5 })

/** What is told of the storage to who may not read all runs: not which host or file it is, nor what it said. */
const toldToEverybody: Partial<Record<ProblemCode, string>> = {
  'storage-failed': 'the storage could not be used: nothing of this request was stored; send it again',
  'storage-damaged': 'what is stored is damaged; who may read all runs is told where',
  'disk-full':
    'there is no space left: nothing of this request was stored and everything accepted before is kept; send it again later',
}

/**
 * The problem document of an error; anything unforeseen becomes `internal` without its message.
 * @param seesAll whether it goes to who may read all runs
 */
export function problemOf(error: unknown, requestId?: string, seesAll = true): Problem {
  const known = error instanceof ServerError ? error : undefined
  const code = known?.code ?? 'internal'
  const { status, title } = problemKinds[code]
  return {
    type: `urn:twostep:problem:${code}`,
    title,
    status,
    detail:
      (seesAll ? undefined : toldToEverybody[code]) ??
      known?.message ??
      'The server met an error that it did not foresee; its log has the details.',
    code,
    ...(known?.extras.errors === undefined ? {} : { errors: known.extras.errors }),
    ...(known?.extras.expectedSequence === undefined
      ? {}
      : { expectedSequence: known.extras.expectedSequence }),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

/**
 * A text without what it may quote of a secret: user and password within an address, a password as a parameter of one, a token.
 * An address is hidden up to its last "@", as a password may hold any other character; our own example is shown.
 */
export const withoutSecrets = (text: string): string =>
  text
    .replaceAll(/:\/\/(?!user:password@)\S*@/g, '://…@')
    .replaceAll(/([?&](?:password|sslpassword)=)[^&\s"]*/gi, '$1…')
    .replaceAll(/\btw_[A-Za-z0-9_-]{20,}/g, 'tw_…')

/** A sentence for the command line: start-up and command failures that are no HTTP answers. It shows no secret. */
export class CommandError extends Error {
  /** 1 = failed, 2 = wrong usage. */
  readonly exitStatus: 1 | 2

  constructor(message: string, exitStatus: 1 | 2 = 1) {
    super(withoutSecrets(message))
    this.name = 'CommandError'
    this.exitStatus = exitStatus
  }
}
