// One line for each request that was answered, and what the metrics count of it. A slow one is a warning, which is shown
// at the usual level; files of the page, and what is asked again and again by who watches, are told in detail alone, unless they
// were refused. What stands in a query or a body is not logged, and no header but the number of the trace.

import type { RequestHandler, Response } from 'express'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { admissionOf } from './admission.ts'
import { requestIdOf } from './answer.ts'

/** A request that takes longer is slow. */
export const slowMilliseconds = 1_000
/** Asked for again and again by who watches: too many lines. */
const watching: readonly string[] = ['readHealth', 'readReadiness', 'readMetrics']

/** The trace that a request belongs to (W3C Trace Context): 32 digits, not all zero; undefined = none that can be read. */
export function traceOf(header: string | undefined): string | undefined {
  const trace = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/.exec(header ?? '')?.[1]
  return trace === undefined || /^0+$/.test(trace) || header?.startsWith('ff') ? undefined : trace
}

/** The name in the contract, set where the path is known (routes.ts). */
const operationOf = (response: Response): string =>
  (response.locals.operation as string | undefined) ?? 'page'

/** What is refused before its path is known is of no operation, as the page is. */
function levelOf(operation: string, status: number, isSlow: boolean): 'debug' | 'info' | 'warn' {
  if (isSlow) return 'warn'
  if (status >= 400) return 'info'
  return watching.includes(operation) || operation === 'page' ? 'debug' : 'info'
}

export function requestLog(log: Log, metrics: Metrics, clock: Clock): RequestHandler {
  return (request, response, next) => {
    const began = clock.monotonic()
    // As it came: routers shorten what they pass on.
    const { method, path } = request
    const trace = traceOf(request.get('traceparent'))
    response.once('close', () => {
      const milliseconds = clock.monotonic() - began
      const operation = operationOf(response)
      metrics.answered(operation, response.statusCode, milliseconds / 1_000)
      const isSlow = milliseconds >= slowMilliseconds
      const known = admissionOf(response)
      log(levelOf(operation, response.statusCode, isSlow), isSlow ? 'a slow request' : 'a request', {
        requestId: requestIdOf(response),
        ...(trace === undefined ? {} : { traceId: trace }),
        method,
        path,
        operation,
        status: response.statusCode,
        ...(response.locals.code === undefined ? {} : { code: response.locals.code }),
        milliseconds: Math.round(milliseconds * 10) / 10,
        ...(response.writableFinished ? {} : { isCutOff: true }),
        caller: known !== undefined && 'caller' in known ? known.caller.name : null,
        from: known?.from ?? request.socket.remoteAddress,
      })
    })
    next()
  }
}
