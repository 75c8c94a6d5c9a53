// The command line's calls to a running server; a missing one is a sentence, not a stack.

import { apiPrefix } from '../../protocol/version.ts'
import type { Problem } from '../../protocol/vocabulary.ts'
import { CommandError } from '../errors.ts'

export const defaultServerUrl = 'http://127.0.0.1:7317'

/** The server that jobs and readers speak to, from the environment. */
export const readEnvironmentServer = (environment: Readonly<Record<string, string | undefined>>): string =>
  environment.TWOSTEP_SERVER_URL || defaultServerUrl

/** GETs a path under /api/v1. @throws CommandError if there is no server or it answers with a problem. */
export async function readRemote(serverUrl: string, path: string): Promise<{ text: string; json: boolean }> {
  let response: Response
  try {
    response = await fetch(`${serverUrl.replace(/\/$/, '')}${apiPrefix}${path}`)
  } catch (error) {
    const cause = (error as Error & { cause?: { code?: string } }).cause?.code ?? (error as Error).message
    throw new CommandError(
      `no twostep server answers at ${serverUrl} (${cause}): start one with \`twostep serve\`, or name another with --server or TWOSTEP_SERVER_URL`,
    )
  }
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  if (response.ok) return { text, json: type.includes('application/json') }
  if (!type.includes('problem+json'))
    throw new CommandError(`${serverUrl} answered ${response.status}: is it a twostep server?`)
  const problem = JSON.parse(text) as Problem
  throw new CommandError(`${problem.detail} (${problem.code})`)
}

export async function readRemoteJson<T>(serverUrl: string, path: string): Promise<T> {
  const { text } = await readRemote(serverUrl, path)
  return JSON.parse(text) as T
}
