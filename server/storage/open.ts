// The storage that the settings name.

import type { Config } from '../config.ts'
import { CommandError } from '../errors.ts'
import { reserveBytes } from './sqlite/room.ts'
import { openSqliteStorage } from './sqlite/sqliteStorage.ts'
import type { Storage } from './storage.ts'

export type StoragePlace = Pick<Config, 'databaseFile' | 'databaseUrl'>

/** The driver of PostgreSQL is loaded where it is needed. @throws CommandError naming the database and what to do. */
export async function openStorage(
  { databaseFile, databaseUrl }: StoragePlace,
  { readOnly = false } = {},
): Promise<Storage> {
  if (databaseUrl === null)
    return openSqliteStorage({ file: databaseFile, ...(readOnly ? { readOnly } : { reserve: reserveBytes }) })
  const { openPostgresStorage } = await import('./postgres/postgresStorage.ts')
  return openPostgresStorage({ url: databaseUrl, readOnly })
}

/** For commands that work on the file itself. */
export function demandFile({ databaseUrl }: StoragePlace, command: string, instead: string): void {
  if (databaseUrl !== null)
    throw new CommandError(`${command} is for a SQLite file; of a PostgreSQL ${instead}`)
}
