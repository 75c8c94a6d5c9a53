// `twostep token`: tokens of a running server, over its API, or, where nobody holds a token of an admin any more, of the
// data themselves while no server uses them (`--offline`).

import { scopes } from '../../protocol/lists.ts'
import { createTokenSchema, newTokenSchema, type Token, tokenListSchema } from '../../protocol/schemas.ts'
import type { CreateToken, NewToken, Scope } from '../../protocol/vocabulary.ts'
import { Audit } from '../access/audit.ts'
import { localCaller } from '../access/caller.ts'
import { Tokens } from '../access/tokens.ts'
import { isoTime, realClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { onOneLine } from '../controls.ts'
import { CommandError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { openStorage } from '../storage/open.ts'
import { print } from './print.ts'
import { type ReadOptions, timeOf } from './read.ts'
import { callRemote, jsonBody, parseAnswer, readRemote } from './remote.ts'
import { table } from './sentences.ts'
import { randomId, randomSecret } from './serve.ts'

const dayMilliseconds = 86_400_000

/** Scopes as they are typed, with commas between. @throws CommandError */
export function scopesOf(text: string): Scope[] {
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.find((name) => !(scopes as readonly string[]).includes(name))
  if (wrong === undefined) return names as Scope[]
  throw new CommandError(`--scope must list some of ${scopes.join(', ')}, got "${wrong}"`, 2)
}

/** What the API takes for the end of a token: a day of the calendar, not what else might be read as one. */
const moment = createTokenSchema.shape.expiresAt

/** `30d`, a date, which begins at midnight UTC, or a moment such as `2030-01-31T18:00:00Z`. @throws CommandError */
export function endOf(text: string | undefined, now: number): string | null {
  if (text === undefined) return null
  const days = /^(\d{1,5})d$/.exec(text)?.[1]
  if (days !== undefined) return isoTime(now + Number(days) * dayMilliseconds)
  const { success } = moment.safeParse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  if (success) return isoTime(Date.parse(text))
  throw new CommandError(`--expires must be days such as 30d or a date such as 2030-01-31, got "${text}"`, 2)
}

function printNew({ token, secret }: NewToken, json: boolean): void {
  if (json) print(JSON.stringify({ token, secret }))
  else
    print(
      `${secret}\n\nThe token "${onOneLine(token.name)}" (${token.scopes.join(', ')}): copy it now, it is not shown again.`,
    )
}

export type CreateOptions = ReadOptions & {
  readonly scope: string
  readonly project?: string
  readonly expires?: string
  readonly offline?: boolean
}

/** `twostep token create NAME`. @throws CommandError */
export async function createToken(name: string, options: CreateOptions, config: () => Config): Promise<void> {
  const wish: CreateToken = {
    name,
    scopes: scopesOf(options.scope),
    project: options.project ?? null,
    expiresAt: endOf(options.expires, realClock.now()),
  }
  const made = options.offline ? await createOffline(wish, config()) : await createAt(options, wish)
  printNew(made, options.json === true)
}

async function createAt(options: ReadOptions, wish: CreateToken): Promise<NewToken> {
  const response = await callRemote(options, '/tokens', jsonBody(wish))
  return parseAnswer(newTokenSchema, await response.text(), options.server)
}

async function createOffline(wish: CreateToken, config: Config): Promise<NewToken> {
  const storage = await openStorage(config)
  try {
    const tokens = new Tokens({
      store: storage.access,
      clock: realClock,
      log: silentLog,
      isRequired: config.requireTokens,
      newId: () => randomId('token'),
      newSecret: randomSecret,
    })
    await tokens.load()
    const audit = new Audit({ store: storage.access, clock: realClock, log: silentLog })
    const caller = { name: localCaller.name, tokenId: null }
    const action = { operation: 'createToken', runId: null, from: 'offline', requestId: randomId('request') }
    const end = await audit.begin(caller, action)
    const made = await tokens.create(wish)
    end(201, { detail: `token "${wish.name}": ${wish.scopes.join(', ')}`, reason: '' })
    return made
  } catch (error) {
    throw error instanceof CommandError ? error : new CommandError((error as Error).message)
  } finally {
    await storage.close()
  }
}

async function listed(options: ReadOptions): Promise<{ text: string; tokens: readonly Token[] }> {
  const { text } = await readRemote(options, '/tokens')
  return { text, tokens: parseAnswer(tokenListSchema, text, options.server).tokens }
}

/** `twostep token list`. @throws CommandError */
export async function listTokens(options: ReadOptions): Promise<void> {
  const { text, tokens } = await listed(options)
  if (options.json === true || tokens.length === 0) {
    print(options.json === true ? text : 'No tokens.')
    return
  }
  const rows = tokens.map(({ id, name, scopes, project, state, expiresAt, lastUsedAt }) => [
    ...[id, name, scopes.join(','), project ?? 'all', state],
    ...[timeOf(expiresAt), timeOf(lastUsedAt)],
  ])
  print(table([['ID', 'NAME', 'MAY', 'PROJECT', 'STATE', 'EXPIRES', 'LAST USED'], ...rows]))
}

/** The token in force that is meant by its id or its name. @throws CommandError */
async function meant(options: ReadOptions, named: string): Promise<Token> {
  const { tokens } = await listed(options)
  const found = tokens.filter(({ id, name, state }) => id === named || (name === named && state === 'active'))
  if (found.length === 1) return found[0]!
  throw new CommandError(
    found.length === 0
      ? `there is no token "${named}" in force`
      : `several tokens are called "${named}": name one by its id (${found.map(({ id }) => id).join(', ')})`,
  )
}

/** `twostep token revoke NAME`. @throws CommandError */
export async function revokeToken(named: string, options: ReadOptions): Promise<void> {
  const { id, name } = await meant(options, named)
  await callRemote(options, `/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' })
  print(options.json === true ? JSON.stringify({ id, name }) : `The token "${onOneLine(name)}" is revoked.`)
}

/** `twostep token rotate NAME`. @throws CommandError */
export async function rotateToken(
  named: string,
  options: ReadOptions & { readonly grace?: string },
): Promise<void> {
  const graceSeconds = Number(options.grace ?? 0)
  if (!Number.isInteger(graceSeconds) || graceSeconds < 0)
    throw new CommandError(`--grace must be whole seconds, got "${options.grace}"`, 2)
  const { id } = await meant(options, named)
  const path = `/tokens/${encodeURIComponent(id)}/rotate`
  const response = await callRemote(options, path, jsonBody({ graceSeconds }))
  printNew(parseAnswer(newTokenSchema, await response.text(), options.server), options.json === true)
}
