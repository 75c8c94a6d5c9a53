// Answers go out as brotli or gzip where their callers take it and it is worth it. `compression` of express would be the
// rule here; docs/decisions/0025 says why it is not used. What streams is flushed as it comes, and no faster than the
// caller reads.

import { type BrotliCompress, constants, createBrotliCompress, createGzip, type Gzip } from 'node:zlib'
import type { Request, RequestHandler, Response } from 'express'

/** Smaller answers gain nothing: they are one packet anyway. */
const bytesMin = 1_024
/** Brotli at its usual 11 takes seconds for what 4 makes hardly larger. */
const brotliQuality = 4

/** Events are sent one by one, as they are. */
const worthIt = /^(text\/(?!event-stream)|image\/svg|application\/([\w.+-]*json|[\w.+-]*xml|javascript|wasm))/

type Encoding = 'br' | 'gzip'

/** What an answer, whose headers are set, goes out as; undefined = as it is. */
function encodingOf(
  request: Request,
  response: Response,
  wholeBytes: number | undefined,
): Encoding | undefined {
  const type = String(response.getHeader('content-type') ?? '')
  if (response.headersSent || !worthIt.test(type)) return undefined
  response.vary('Accept-Encoding')
  const bytes = wholeBytes ?? response.getHeader('content-length')
  const isSmall = bytes !== undefined && Number(bytes) < bytesMin
  const hasBody = request.method !== 'HEAD' && ![204, 206, 304].includes(response.statusCode)
  if (isSmall || !hasBody || response.hasHeader('content-encoding')) return undefined
  return (['br', 'gzip'] as const).find((encoding) => request.acceptsEncodings(encoding) === encoding)
}

function createEncoder(encoding: Encoding): BrotliCompress | Gzip {
  if (encoding === 'gzip') return createGzip()
  return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } })
}

type Chunk = string | Uint8Array
type Rest = [encoding?: BufferEncoding, callback?: () => void]
/** How the answer writes to its connection. */
type Raw = {
  readonly write: (chunk: Chunk, ...rest: Rest) => boolean
  readonly end: (chunk?: Chunk, ...rest: Rest) => Response
}

/** Puts an encoder between what is written and the connection, and passes the pressure back. */
function connect(response: Response, { write, end }: Raw, encoding: Encoding): BrotliCompress | Gzip {
  const encoder = createEncoder(encoding)
  response.set('Content-Encoding', encoding)
  response.removeHeader('Content-Length')
  encoder.on('data', (chunk: Buffer) => {
    if (!write(chunk)) encoder.pause()
  })
  encoder.on('end', () => end())
  encoder.on('error', (error) => response.destroy(error))
  // Whoever writes waits for the answer's `drain`, which is now the encoder's; the connection's own one is told from it by
  // whether the connection is still full.
  encoder.on('drain', () => response.emit('drain'))
  response.on('drain', () => {
    if (!response.writableNeedDrain) encoder.resume()
  })
  response.on('close', () => encoder.destroy())
  return encoder
}

/** Flushes what was written, once for each turn: a reader of a slow stream has all that there is. */
function createFlush(encoder: BrotliCompress | Gzip, encoding: Encoding): () => void {
  const kind = encoding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    setImmediate(() => {
      isDue = false
      if (!encoder.writableEnded && !encoder.destroyed) encoder.flush(kind)
    })
  }
}

const bytesOf = (chunk: Chunk | undefined, encoding: BufferEncoding | undefined): number =>
  chunk === undefined ? 0 : typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length

/** Before whatever answers; an answer whose length is known is judged by it. */
export const compressAnswers: RequestHandler = (request, response, next) => {
  // The one frequent call, whose answer is small: what it costs is more than what it saves.
  if (request.path.endsWith('/telemetry')) return next()
  const raw: Raw = {
    write: response.write.bind(response) as Raw['write'],
    end: response.end.bind(response) as Raw['end'],
  }
  let encoder: BrotliCompress | Gzip | undefined
  let flush = () => {}
  let isDecided = false
  const decide = (wholeBytes: number | undefined) => {
    if (isDecided) return
    isDecided = true
    const encoding = encodingOf(request, response, wholeBytes)
    if (encoding === undefined) return
    encoder = connect(response, raw, encoding)
    flush = createFlush(encoder, encoding)
  }
  const write: Raw['write'] = (chunk, ...rest) => {
    decide(undefined)
    if (encoder === undefined) return raw.write(chunk, ...rest)
    const hasRoom = encoder.write(chunk, ...(rest as [BufferEncoding]))
    flush()
    return hasRoom
  }
  const end: Raw['end'] = (chunk, ...rest) => {
    decide(bytesOf(chunk, rest[0]))
    if (encoder === undefined) return raw.end(chunk, ...rest)
    encoder.end(chunk, ...(rest as [BufferEncoding]))
    return response
  }
  Object.assign(response, { write, end })
  next()
}
