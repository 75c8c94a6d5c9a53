// Brings the tables to this version, one server at a time, each version in a transaction with its number.

import type pg from 'pg'
import { CommandError } from '../../errors.ts'
import { migrations, schemaVersion } from './schema.ts'

/** Any number that others do not use: "2stp". */
const lockNumber = 0x32737470

/** −1 = the database holds nothing of ours. */
async function versionOf(client: pg.PoolClient, place: string): Promise<number> {
  const found = await client.query<{ own: string | null; runs: string | null }>(
    "SELECT to_regclass('twostep_schema')::text AS own, to_regclass('runs')::text AS runs",
  )
  const { own, runs } = found.rows[0]!
  if (own !== null)
    return (await client.query<{ version: number }>('SELECT version FROM twostep_schema')).rows[0]!.version
  if (runs !== null)
    throw new CommandError(
      `the database ${place} has a table "runs" of another program: give this server a database of its own`,
    )
  return -1
}

async function migrateFrom(client: pg.PoolClient, from: number): Promise<void> {
  for (let version = Math.max(from, 0); version < schemaVersion; version++) {
    await client.query('BEGIN')
    try {
      if (version === 0 && from === -1)
        await client.query(
          'CREATE TABLE twostep_schema (version integer NOT NULL, checked_at timestamptz); INSERT INTO twostep_schema VALUES (0, NULL)',
        )
      await client.query(migrations[version]!)
      await client.query(`UPDATE twostep_schema SET version = ${version + 1}`)
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    }
  }
}

/** @throws CommandError of a newer schema, or of a database of another program. */
export async function migrate(client: pg.PoolClient, place: string, readOnly: boolean): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('SHOW server_encoding')
  if (rows[0]!.server_encoding !== 'UTF8')
    throw new CommandError(
      `the database ${place} has the encoding ${rows[0]!.server_encoding}: UTF8 is needed (createdb --encoding UTF8 --template template0)`,
    )
  if (!readOnly) await client.query(`SELECT pg_advisory_lock(${lockNumber})`)
  try {
    const version = await versionOf(client, place)
    if (version > schemaVersion)
      throw new CommandError(
        `the database ${place} was written by a newer twostep (schema ${version}, this one knows up to ${schemaVersion}): use that version, or another database`,
      )
    if (version === schemaVersion) return
    if (readOnly)
      throw new CommandError(
        `the database ${place} holds nothing of this version yet: the next start of \`twostep serve\` on it makes its tables, or upgrades those of an older version, and keeps all runs`,
      )
    await migrateFrom(client, version)
  } finally {
    if (!readOnly) await client.query(`SELECT pg_advisory_unlock(${lockNumber})`)
  }
}
