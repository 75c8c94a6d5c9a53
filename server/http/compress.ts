// Answers go out as brotli or gzip where their callers take it and it is worth it: by express's own `compression`.

import compression from 'compression'
import type { Request, RequestHandler, Response } from 'express'

/** Smaller answers gain nothing: they are one packet anyway. */
const bytesMin = 1_024

/** Events are sent one by one, as they are. */
const worthIt = /^(text\/(?!event-stream)|image\/svg|application\/([\w.+-]*json|[\w.+-]*xml|javascript|wasm))/

/** The telemetry call is the one frequent one, and its answer is small: what it costs is more than what it saves. */
const isWorthIt = (request: Request, response: Response): boolean =>
  !request.path.endsWith('/telemetry') && worthIt.test(String(response.getHeader('content-type') ?? ''))

export const compressAnswers: RequestHandler = compression({ threshold: bytesMin, filter: isWorthIt })
