// Reads a JSON body: type, encoding and size are checked before and while it arrives, and the limit holds for
// the inflated size, so that neither a 100 MB body nor a small one that inflates to it fills the memory.

import type { IncomingMessage } from 'node:http'
import { createGunzip } from 'node:zlib'
import { limits } from '../../protocol/schemas.ts'
import { ServerError } from '../errors.ts'

const tooLarge = (size: string) =>
  new ServerError(
    'body-too-large',
    `the body has ${size}, allowed are ${limits.bodyBytesMax} bytes (after inflating): send fewer steps in one batch`,
    { closeConnection: true },
  )

function checkHeaders(request: IncomingMessage): 'identity' | 'gzip' {
  const type = request.headers['content-type'] ?? ''
  // A form or text/plain can be sent from any web page without the browser asking us; JSON cannot.
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new ServerError(
      'unsupported-media-type',
      `content-type must be application/json, got ${type === '' ? 'none' : `"${type}"`}`,
      { closeConnection: true },
    )
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new ServerError(
      'unsupported-encoding',
      `content-encoding must be gzip or identity, got "${encoding}"`,
      { closeConnection: true },
    )
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > limits.bodyBytesMax) throw tooLarge(`${length} bytes`)
  return encoding
}

function collect(request: IncomingMessage, gzip: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const source = gzip ? request.pipe(createGunzip()) : request
    const fail = (error: Error) => {
      source.removeAllListeners('data')
      if (source !== request) {
        request.unpipe()
        source.destroy()
      }
      reject(error)
    }
    source.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limits.bodyBytesMax) fail(tooLarge(`more than ${limits.bodyBytesMax} bytes`))
      else chunks.push(chunk)
    })
    source.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    source.on('error', (error) =>
      fail(
        new ServerError('malformed-request', `the body could not be read (${error.message})`, {
          closeConnection: true,
        }),
      ),
    )
    request.on('aborted', () => fail(new ServerError('malformed-request', 'the body ended too early')))
  })
}

/**
 * The parsed JSON of a request.
 * @throws ServerError `unsupported-media-type`, `unsupported-encoding`, `body-too-large`, `malformed-json`.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const encoding = checkHeaders(request)
  const body = await collect(request, encoding === 'gzip')
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch (error) {
    throw new ServerError(
      'malformed-json',
      `the body is not JSON: ${(error as Error).message}; NaN and infinities are sent as "NaN", "Infinity", "-Infinity"`,
    )
  }
}
