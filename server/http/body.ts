// Reads a body: type, encoding and size are checked before and while it arrives, and the limit holds for the
// inflated size, so that neither a 100 MB body nor a small one that inflates to it fills the memory. JSON is read
// whole; a log comes as chunks, and is taken from the network no faster than it is used.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createGunzip } from 'node:zlib'
import { limits } from '../../protocol/schemas.ts'
import { ServerError } from '../errors.ts'
import { BodyBudget, bodiesBytesMax } from './bodyBudget.ts'
import { parseBody } from './jsonText.ts'

/** A JSON body has this long to arrive, and a log as long for each of its bytes: a stalled client holds nothing. */
const patienceMilliseconds = 60_000

type Kind = {
  readonly media: string
  readonly bytesMax: number
  /** What to do about a body that is too large. */
  readonly advice: string
}
const jsonKind: Kind = {
  media: 'application/json',
  bytesMax: limits.bodyBytesMax,
  advice: 'send fewer steps in one batch',
}
/** NDJSON: a JSON value a line. */
export const logMedia = 'application/x-ndjson'
const logKind: Kind = {
  media: logMedia,
  bytesMax: limits.importBytesMax,
  advice: 'a log of that size cannot be imported',
}

const tooLarge = (size: string, { bytesMax, advice }: Kind) =>
  new ServerError(
    'body-too-large',
    `the body has ${size}, allowed are ${bytesMax} bytes (after inflating): ${advice}`,
    { closeConnection: true },
  )

const unreadable = (reason: string) => new ServerError('malformed-request', reason, { closeConnection: true })

/** ASCII is a part of it. */
const utf8Names = ['utf-8', 'utf8', 'us-ascii']

function checkHeaders(request: IncomingMessage, kind: Kind): 'identity' | 'gzip' {
  const type = request.headers['content-type'] ?? ''
  // A form or text/plain can be sent from any web page without the browser asking us; these cannot.
  if (type.split(';')[0]!.trim().toLowerCase() !== kind.media)
    throw new ServerError(
      'unsupported-media-type',
      `content-type must be ${kind.media}, got ${type === '' ? 'none' : `"${type}"`}`,
      { closeConnection: true },
    )
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1] ?? 'utf-8'
  if (!utf8Names.includes(charset.toLowerCase()))
    throw new ServerError(
      'unsupported-media-type',
      `the charset of the body must be utf-8, got "${charset}"`,
      {
        closeConnection: true,
      },
    )
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new ServerError(
      'unsupported-encoding',
      `content-encoding must be gzip or identity, got "${encoding}"`,
      { closeConnection: true },
    )
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > kind.bytesMax) throw tooLarge(`${length} bytes`, kind)
  return encoding
}

/** Of this process, whose memory it is. */
const bodies = new BodyBudget(bodiesBytesMax)

/** A request, with the answer to it as express keeps it. */
type Answered = IncomingMessage & { readonly res?: ServerResponse }

function collect(request: Answered, gzip: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const source = gzip ? request.pipe(createGunzip()) : request
    const fail = (error: Error) => {
      clearTimeout(timer)
      held.release()
      chunks.length = 0
      source.removeAllListeners('data')
      if (source !== request) {
        request.unpipe()
        source.destroy()
      }
      reject(error)
    }
    const held = bodies.hold(fail)
    // What was made of it lives until then.
    request.res?.once('close', () => held.release())
    const timer = setTimeout(
      () => fail(unreadable(`the body did not arrive within ${patienceMilliseconds / 1_000} seconds`)),
      patienceMilliseconds,
    )
    source.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > jsonKind.bytesMax) return fail(tooLarge(`more than ${jsonKind.bytesMax} bytes`, jsonKind))
      try {
        held.add(chunk.length)
        chunks.push(chunk)
      } catch (error) {
        fail(error as Error)
      }
    })
    source.on('end', () => {
      clearTimeout(timer)
      held.complete()
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    source.on('error', (error) => fail(unreadable(`the body could not be read (${error.message})`)))
    request.on('aborted', () => fail(new ServerError('malformed-request', 'the body ended too early')))
  })
}

/**
 * The bytes of a JSON body, inflated.
 * @throws ServerError `unsupported-media-type`, `unsupported-encoding`, `body-too-large`, `malformed-request`.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = checkHeaders(request, jsonKind)
  return collect(request, encoding === 'gzip')
}

/**
 * The parsed JSON of a request.
 * @throws ServerError `unsupported-media-type`, `unsupported-encoding`, `body-too-large`, `malformed-json`, `invalid-request`.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  return parseBody(await readBody(request))
}

/**
 * The chunks of a log, inflated. A reader that stops early leaves the connection whole, so that it can be answered.
 * @throws ServerError `unsupported-media-type`, `unsupported-encoding`, `body-too-large`, `malformed-request`.
 */
export async function* readLogChunks(request: IncomingMessage): AsyncGenerator<Buffer, void, void> {
  const gzip = checkHeaders(request, logKind) === 'gzip'
  const source = gzip ? request.pipe(createGunzip()) : request
  const broken = () => void source.destroy(new Error('the body ended too early'))
  // A pipe does not tell its end that its beginning broke off.
  request.on('aborted', broken)
  request.setTimeout(patienceMilliseconds, () => void source.destroy(new Error('nothing came for a minute')))
  let size = 0
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length
      if (size > logKind.bytesMax) throw tooLarge(`more than ${logKind.bytesMax} bytes`, logKind)
      yield chunk as Buffer
    }
  } catch (error) {
    if (error instanceof ServerError) throw error
    throw unreadable(`the body could not be read (${(error as Error).message})`)
  } finally {
    request.off('aborted', broken)
    request.setTimeout(0)
    if (source !== request) {
      request.unpipe()
      source.destroy()
    }
  }
}
