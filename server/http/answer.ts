// How answers leave: JSON, or a problem document (RFC 9457) with its code, its request id and, where it helps,
// Retry-After. A cut-off body closes its connection, after a bounded rest of it was thrown away: a client that
// is still sending would else see a reset instead of the answer.

import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { problemOf, ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'

const drainBytesMax = 16 * 1024 * 1024
const drainMillisecondsMax = 2_000

export const requestIdOf = (response: Response): string => String(response.getHeader('x-request-id') ?? '')

/** One parameter of the path. */
export function parameter(request: Request, name: string): string {
  const value = request.params[name]
  return typeof value === 'string' ? value : ''
}

function closeAfterDrain(request: Request): void {
  const { socket } = request
  let drained = 0
  const timer = setTimeout(() => socket.destroy(), drainMillisecondsMax)
  timer.unref()
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length
    // Not destroyed yet: a reset would take the answer away from who has not read it.
    if (drained > drainBytesMax) request.pause()
  })
  request.on('close', () => clearTimeout(timer))
  request.resume()
}

const malformedPath = ({ path }: Request) =>
  new ServerError('malformed-request', `${path} is not percent-encoded UTF-8, as a path must be`)

/** The caller went away before it had all of its answer: nobody is there to be told, and nothing failed here. */
const hasLeft = (error: unknown, response: Response): boolean =>
  response.destroyed &&
  error instanceof Error &&
  (error.name === 'AbortError' || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE')

/** What a bound refuses, or a server that ends, did not fail, and comes in numbers. */
const quietly: readonly string[] = ['server-busy', 'run-busy', 'run-moved', 'server-ending']

/** RFC 6750: the scheme, and beside it what is wrong. */
const challengeOf = (what: string) => `Bearer realm="twostep"${what === '' ? '' : `, ${what}`}`

/** @param isSeeingAll whether the answer goes to who may read all runs */
export function problemHandler(
  log: Log,
  metrics: Pick<Metrics, 'refused'>,
  isSeeingAll: (response: Response) => boolean,
) {
  return (given: unknown, request: Request, response: Response, _next: NextFunction): void => {
    if (hasLeft(given, response)) return
    // What express throws where a part of the path cannot be decoded.
    const error = given instanceof URIError ? malformedPath(request) : given
    const requestId = requestIdOf(response)
    const problem = problemOf(error, requestId, isSeeingAll(response))
    // For the line of the request (requestLog.ts).
    response.locals.code = problem.code
    metrics.refused(error instanceof ServerError ? error.code : 'internal')
    if (quietly.includes(problem.code))
      log('debug', 'a request was refused', { requestId, path: request.path, code: problem.code })
    else if (problem.status >= 500) log('error', 'a request failed', { requestId, path: request.path, error })
    if (response.headersSent) {
      response.destroy()
      return
    }
    // Set for an answer that did not come.
    response.removeHeader('ETag')
    response.removeHeader('Content-Disposition')
    response.set('Cache-Control', 'no-store')
    const extras = error instanceof ServerError ? error.extras : {}
    if (extras.challenge !== undefined) response.set('WWW-Authenticate', challengeOf(extras.challenge))
    if (extras.retryAfterSeconds !== undefined) response.set('Retry-After', String(extras.retryAfterSeconds))
    if (extras.closeConnection === true && !request.complete) {
      response.set('Connection', 'close')
      closeAfterDrain(request)
    }
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
  }
}

/** For a path that exists: names the methods that it has. */
export function methodNotAllowed(methods: readonly string[]): RequestHandler {
  return (request, response, next) => {
    response.set('Allow', methods.join(', '))
    next(
      new ServerError(
        'method-not-allowed',
        `${request.method} is not possible on ${request.path}; allowed are ${methods.join(', ')}`,
      ),
    )
  }
}
