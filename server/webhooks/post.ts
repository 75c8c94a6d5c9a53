// One message, sent once. The name is resolved once, each address is checked, and the connection goes to those very addresses. No
// redirect is followed, no proxy of the environment is used, and of the answer its status is looked at alone.

import { lookup } from 'node:dns/promises'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { Clock } from '../clock.ts'
import { type Guard, hostOf, whyRefused } from './addresses.ts'
import type { Outcome } from './retry.ts'

/** From the question for the name to the end of the answer. */
export const answerMilliseconds = 10_000
/** So much of an answer is read and thrown away. */
const answerBytesMax = 65_536
const errorCharactersMax = 300

/** Addresses of a name. */
export type Resolve = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>
export const resolveName: Resolve = (host) => lookup(host, { all: true, verbatim: true })

export type Message = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
export type PostOptions = {
  readonly guard: Guard
  readonly resolve: Resolve
  readonly clock: Clock
  /** Breaks it off. */
  readonly ending: AbortSignal
}

const failed = (error: string): Outcome => ({
  taken: false,
  status: null,
  error: error.slice(0, errorCharactersMax),
})

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return { taken: true, status }
  const why = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  return { taken: false, status, error: `the receiver answered ${status}${why}` }
}

function send({ url, headers, body }: Message, connect: RequestOptions): Promise<Outcome> {
  const target = new URL(url)
  const request = target.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = request(target, { ...connect, method: 'POST', headers, agent: false }, (response) => {
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > answerBytesMax) response.destroy()
      })
      response.on('error', () => {})
      response.once('close', () => resolve(outcomeOf(response.statusCode ?? 0)))
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

/** Never throws: what went wrong is its outcome. */
export async function post(
  message: Message,
  { guard, resolve, clock, ending }: PostOptions,
): Promise<Outcome> {
  const late = new AbortController()
  const cancel = clock.after(answerMilliseconds, () => late.abort())
  const signal = AbortSignal.any([late.signal, ending])
  try {
    const url = new URL(message.url)
    const host = hostOf(url)
    const broken = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('broken off')), { once: true })
    })
    broken.catch(() => {})
    const literal = isIP(host)
    const found =
      literal === 0 ? await Promise.race([resolve(host), broken]) : [{ address: host, family: literal }]
    if (found.length === 0) return failed(`${host} has no address`)
    const refused = found
      .map(({ address }) => whyRefused(url, address, guard))
      .find((why) => why !== undefined)
    if (refused !== undefined) return failed(refused)
    const [first] = found
    const connect: RequestOptions = {
      signal,
      lookup: (_host, options, done) => {
        if (options.all === true) done(null, [...found])
        else done(null, first!.address, first!.family)
      },
    }
    const headers = {
      ...message.headers,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(message.body)),
      'user-agent': 'Twostep',
    }
    return await Promise.race([send({ ...message, headers }, connect), broken])
  } catch (error) {
    if (late.signal.aborted)
      return failed(`the receiver did not answer within ${answerMilliseconds / 1_000} seconds`)
    const { message: why, code } = error as NodeJS.ErrnoException
    return failed(why === '' ? String(code ?? 'the connection failed') : why)
  } finally {
    cancel()
  }
}
