// The command line's calls to a running server; a missing one is a sentence, not a stack.

import type { z } from 'zod'
import { problemSchema } from '../../protocol/schemas.ts'
import { apiPrefix } from '../../protocol/version.ts'
import { onOneLine } from '../controls.ts'
import { CommandError } from '../errors.ts'

export const defaultServerUrl = 'http://127.0.0.1:7317'

/** The server that jobs and readers speak to, from the environment. */
export const readEnvironmentServer = (environment: Readonly<Record<string, string | undefined>>): string =>
  environment.TWOSTEP_SERVER_URL || defaultServerUrl

/** @throws CommandError where a header cannot carry it; its value is a secret, also where it is wrong. */
function bearer(token: string): string {
  if (/^[!-~]+$/.test(token)) return token
  throw new CommandError('TWOSTEP_TOKEN must be visible ASCII characters, got others', 2)
}

/** What the server answers where a read itself, which is made of the command line, is wrong. */
const wrongUsage: ReadonlySet<number> = new Set([400, 422])

/** Parameters of a query whose option is called otherwise. */
const optionNames: Readonly<Record<string, string>> = { q: 'search', runId: 'run-id' }
const queryNames = [
  ...['q', 'runId', 'project', 'tag', 'state', 'sort', 'order', 'after', 'before', 'limit', 'kind', 'run'],
  ...['signals', 'from', 'to', 'points', 'format'],
]
const queryName = new RegExp(`(?<![\\w"])\\?(${queryNames.join('|')})(=|(?![\\w=]))`, 'g')

/** What a server says of a query, as who typed a command knows it: `?limit` is `--limit`. */
export const asOptions = (detail: string): string =>
  detail.replaceAll(queryName, (_, name: string) => `--${optionNames[name] ?? name}`)

/** Where a server is. @throws CommandError where that is no address, with which no server could be started either. */
export function demandAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return text.replace(/\/$/, '')
  throw new CommandError(
    `--server and TWOSTEP_SERVER_URL must be an address such as ${defaultServerUrl}, got "${text}"`,
    2,
  )
}

/** Which server, and what lets one in where it demands a token. */
export type Remote = { readonly server: string; readonly token?: string }

/** Where a connection that was there is closed under a request: the server is there, or was. */
const brokenOff: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** What a failed request is called by the system. */
export const failureWord = (error: unknown): string =>
  (error as Error & { cause?: { code?: string } }).cause?.code ?? (error as Error).message

/** Calls a path under /api/v1. @throws CommandError if there is no server or it answers with a problem. */
export async function callRemote(
  { server: serverUrl, token = process.env.TWOSTEP_TOKEN }: Remote,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  let response: Response
  const place = demandAddress(serverUrl)
  const headers = new Headers(init.headers)
  if (token) headers.set('authorization', `Bearer ${bearer(token)}`)
  try {
    response = await fetch(`${place}${apiPrefix}${path}`, { ...init, headers })
  } catch (error) {
    const cause = failureWord(error)
    if (brokenOff.has(cause))
      throw new CommandError(
        `${serverUrl} closed the connection before it had answered (${cause}): its log says why, if it is a twostep server`,
      )
    throw new CommandError(
      `no twostep server answers at ${serverUrl} (${cause}): start one with \`twostep serve\`, or name another with --server or TWOSTEP_SERVER_URL`,
    )
  }
  if (response.ok) return response
  const type = response.headers.get('content-type') ?? ''
  if (!type.includes('problem+json'))
    throw new CommandError(`${serverUrl} answered ${response.status}: is it a twostep server?`)
  const { detail, code } = parseAnswer(problemSchema, await response.text(), serverUrl)
  if (code === 'token-missing')
    throw new CommandError(`${serverUrl} demands a token: give it with TWOSTEP_TOKEN`)
  const isMisread = init.method === undefined && wrongUsage.has(response.status)
  throw new CommandError(`${asOptions(onOneLine(detail))} (${code})`, isMisread ? 2 : 1)
}

/** What posts a value. */
export const jsonBody = (body: object): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})

/** GETs a path under /api/v1. @throws CommandError if there is no server or it answers with a problem. */
export async function readRemote(remote: Remote, path: string): Promise<{ text: string; json: boolean }> {
  const response = await callRemote(remote, path)
  const type = response.headers.get('content-type') ?? ''
  return { text: await response.text(), json: type.includes('application/json') }
}

/** @throws CommandError if the text is not the answer that was asked for. */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string, serverUrl: string): T {
  const { data, error } = schema.safeParse(JSON.parse(text))
  if (error === undefined) return data
  const [first] = error.issues
  throw new CommandError(
    `${serverUrl} answered otherwise than this twostep understands (${first?.path.join('.')}: ${first?.message}): is it of another version?`,
  )
}
