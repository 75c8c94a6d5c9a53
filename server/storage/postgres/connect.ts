// Connections to a PostgreSQL: two bounded pools, one for what is written and read in passing, one for views, so that
// readers never wait for writers nor keep them waiting; statements prepared once a connection; failures in sentences
// that name the database and never its password.

import pg from 'pg'
import { CommandError, ServerError } from '../../errors.ts'
import { damaged, databaseDamaged } from '../damage.ts'

const connectionsMax = 10
export const viewsMax = 4
/** A call waits so long for a connection, a statement so long for its end, before the job is told to come back. */
const connectMilliseconds = 5_000
const statementMilliseconds = 30_000
/** An answer that never comes: the network is gone. */
const answerMilliseconds = 35_000
const viewWaitMilliseconds = 20_000

export type Value =
  | null
  | number
  | string
  | boolean
  | Uint8Array
  | readonly (null | number | string | Uint8Array)[]
export type Query = <T>(sql: string, ...values: Value[]) => Promise<T[]>

/** int8 as a number: keys, steps and times stay below 2 ** 53. */
const types = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    id === 20 ? Number : pg.types.getTypeParser(id, format as 'text'),
} as pg.CustomTypesConfig

/** Host, port and name of a database, for people. @throws CommandError of a URL that is none. */
export function placeOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url)
    return `${hostname || 'localhost'}${port === '' ? '' : `:${port}`}${pathname}`
  } catch {
    throw new CommandError('the storage must look like postgresql://user:password@host:5432/database', 2)
  }
}

export function createPool(url: string, max: number, readOnly: boolean): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    types,
    connectionTimeoutMillis: max === viewsMax ? viewWaitMilliseconds : connectMilliseconds,
    statement_timeout: statementMilliseconds,
    query_timeout: answerMilliseconds,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'twostep',
    ...(readOnly ? { options: '-c default_transaction_read_only=on' } : {}),
  })
  // A connection that breaks while nobody uses it is taken out of the pool; the next call opens another.
  pool.on('error', () => {})
  return pool
}

export const createPools = (
  url: string,
  readOnly: boolean,
): { readonly main: pg.Pool; readonly views: pg.Pool } => ({
  main: createPool(url, connectionsMax, readOnly),
  views: createPool(url, viewsMax, readOnly),
})

/** Names of prepared statements; their number is that of the statements in this folder. */
const names = new Map<string, string>()

export const queryOn =
  (client: pg.Pool | pg.PoolClient): Query =>
  async <T>(sql: string, ...values: Value[]) => {
    let name = names.get(sql)
    if (name === undefined) {
      name = `t${names.size}`
      names.set(sql, name)
    }
    return (await client.query({ name, text: sql, values: values as unknown[] })).rows as T[]
  }

/** SQLSTATE, or the code of the system. */
export const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' ? code : undefined
}

/** Whether it is because of a row that is there already. */
export const isConflict = (error: unknown, constraint: string): boolean =>
  codeOf(error) === '23505' && (error as { constraint?: unknown }).constraint === constraint

const words = (error: unknown): string => {
  // A name with several addresses: one failure each, and no message of its own.
  const one = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  return one instanceof Error ? one.message : String(one)
}

/** A failed call as an answer to the job: it keeps its batch and sends it again. */
export function storageError(error: unknown, place: string): ServerError {
  if (error instanceof ServerError) return error
  const code = codeOf(error) ?? ''
  if (code === '53100')
    return new ServerError(
      'disk-full',
      `there is no space left for the database ${place}: nothing of this request was stored and everything accepted before is kept; free some space and send it again`,
      { cause: error, retryAfterSeconds: 30 },
    )
  if (code.startsWith('XX0'))
    return databaseDamaged(`the database ${place} is damaged (${words(error)})`, error)
  // A text that was stored as JSON and is none any more: of one row.
  if (error instanceof SyntaxError)
    return damaged(`a row of the database ${place} cannot be read (${words(error)})`, error)
  return new ServerError(
    'storage-failed',
    `the database ${place} could not be used (${words(error)}): send this request again`,
    { cause: error, retryAfterSeconds: 5 },
  )
}

/** Why the server does not start. */
export function openFailure(error: unknown, place: string): CommandError {
  if (error instanceof CommandError) return error
  const code = codeOf(error instanceof AggregateError ? error.errors[0] : error) ?? ''
  const help: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there: is PostgreSQL running, and is the port right?',
    ENOTFOUND: 'there is no host of that name',
    EAI_AGAIN: 'the name of the host could not be looked up',
    '28P01': 'the user or the password is wrong',
    '28000': 'the user may not log in like this',
    '3D000': 'there is no such database: `createdb` makes one',
    '42501': 'the user may not make tables there: make it the owner of the database',
    '53300': 'PostgreSQL has no connection left: it needs 14 for a server',
  }
  return new CommandError(`the database ${place} cannot be used: ${help[code] ?? words(error)}`)
}
