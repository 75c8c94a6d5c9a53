// A batch in one statement, and so in one round trip and one transaction: the row of the run, which is changed only if the
// log is as long as the writer believes (../fence.ts), and with it rows of every other table from arrays of columns.

import { crc32 } from 'node:zlib'
import { limits } from '../../../protocol/limits.ts'
import { type Checksum, checksumOf } from '../chain.ts'
import { snapshotChecksum } from '../checksums.ts'
import { rowOf } from '../rows.ts'
import type { Batch, RunRecord, StoredReadings } from '../storage.ts'
import type { Value } from './connect.ts'
import { places } from './tools.ts'

export const runColumns = [
  'id',
  'name',
  'project',
  'tags',
  'lifecycle',
  'created_at',
  'last_seen_at',
  'stale_at',
  'flush_seconds_mean',
  'steps_per_second',
  'observation_count',
  'decision_count',
  'tuner_version',
  'refolded_from',
  'summary',
  'step',
  'loss',
  'held_out_loss',
  'held_out_loss_best',
  'accuracy',
  'accuracy_best',
  'search',
] as const

/** What of a batch is no run's record: rows of other tables. */
export type Slice = Omit<Batch, 'run' | 'client' | 'readings' | 'deliveries'> & {
  readonly readings?: readonly StoredReadings[]
  readonly client?: Batch['client']
  /** How long the log is with it. */
  readonly last: number
}

/** Bytes that the slice adds to what a run takes. */
export const bytesOf = ({ observations, decisions, readings = [] }: Slice): number => {
  const texts = [...observations, ...decisions, ...readings].reduce((sum, { body }) => sum + body.length, 0)
  return observations.reduce((sum, { columns }) => sum + (columns?.length ?? 0), texts)
}

/** `own` = a query that gives the key; the slice's values begin at a place. Every table is written, or none. */
export function sliceSql(first: number): string {
  const at = (i: number) => `$${first + i}`
  return `
  o AS (INSERT INTO observations (run, number, received_at, kind, from_step, to_step, body, checksum, columns)
    SELECT own.key, number, received_at, kind, from_step, to_step, body, checksum,
      CASE WHEN size > 0 THEN substring(${at(32)}::bytea FROM place FOR size) END
    FROM own, unnest(${at(0)}::bigint[], ${at(1)}::bigint[], ${at(2)}::text[], ${at(3)}::bigint[], ${at(4)}::bigint[],
      ${at(5)}::text[], ${at(6)}::bytea[], ${at(33)}::integer[], ${at(34)}::integer[])
      AS u (number, received_at, kind, from_step, to_step, body, checksum, place, size)),
  d AS (INSERT INTO decisions (run, number, kind, step, body)
    SELECT own.key, u.* FROM own, unnest(${at(7)}::bigint[], ${at(8)}::text[], ${at(9)}::bigint[], ${at(10)}::text[]) AS u),
  e AS (INSERT INTO readings (run, number, from_step, to_step, body)
    SELECT own.key, u.* FROM own, unnest(${at(11)}::bigint[], ${at(12)}::bigint[], ${at(13)}::bigint[], ${at(14)}::text[]) AS u),
  k AS (INSERT INTO chunks (run, signal, level, chunk, body, checksum)
    SELECT own.key, signal, level, chunk, substring(${at(18)}::bytea FROM place FOR size), checksum
    FROM own, unnest(${at(15)}::text[], ${at(16)}::integer[], ${at(17)}::bigint[], ${at(19)}::bigint[], ${at(30)}::integer[],
      ${at(31)}::integer[]) AS u (signal, level, chunk, checksum, place, size)
    ON CONFLICT (run, signal, level, chunk) DO UPDATE SET body = excluded.body, checksum = excluded.checksum),
  s AS (INSERT INTO snapshots (run, number, tuner_version, state, series, checksum)
    SELECT own.key, ${at(20)}::bigint, ${at(21)}::text, ${at(22)}::text, ${at(23)}::text, ${at(24)}::bigint
    FROM own WHERE ${at(20)}::bigint IS NOT NULL
    ON CONFLICT (run) DO UPDATE SET number = excluded.number, tuner_version = excluded.tuner_version,
      state = excluded.state, series = excluded.series, checksum = excluded.checksum),
  b AS (INSERT INTO batches (run, client_id, sequence, after, last)
    SELECT own.key, ${at(25)}::text, ${at(26)}::bigint, ${at(28)}::bigint, ${at(29)}::bigint
    FROM own WHERE ${at(25)}::text IS NOT NULL),
  c AS (INSERT INTO clients (run, client_id, last_sequence, last_answer)
    SELECT own.key, ${at(25)}::text, ${at(26)}::bigint, ${at(27)}::text FROM own WHERE ${at(25)}::text IS NOT NULL
    ON CONFLICT (run, client_id) DO UPDATE SET last_sequence = excluded.last_sequence,
      last_answer = excluded.last_answer, written = nextval('client_writes'))`
}

const nothing = new Uint8Array(0)

/** Where each begins among all of them, counted from 1. */
function placesOf(parts: readonly Uint8Array[]): number[] {
  let place = 1
  return parts.map(({ length }) => {
    place += length
    return place - length
  })
}

export function sliceValues(slice: Slice, before: Checksum): { values: Value[]; checksum: Checksum } {
  const { observations, decisions, readings = [], chunks = [], snapshot, client, last } = slice
  const columns = observations.map((observation) => observation.columns ?? nothing)
  const chunkBodies = chunks.map(({ body }) => body)
  let checksum = before
  const checksums = observations.map((observation) => {
    const next = checksumOf(checksum, observation)
    checksum = next
    return next
  })
  const values: Value[] = [
    observations.map(({ number }) => number),
    observations.map(({ receivedAt }) => receivedAt),
    observations.map(({ kind }) => kind),
    observations.map(({ fromStep }) => fromStep),
    observations.map(({ toStep }) => toStep),
    observations.map(({ body }) => body),
    checksums,
    decisions.map(({ number }) => number),
    decisions.map(({ kind }) => kind),
    decisions.map(({ step }) => step),
    decisions.map(({ body }) => body),
    readings.map(({ number }) => number),
    readings.map(({ fromStep }) => fromStep),
    readings.map(({ toStep }) => toStep),
    readings.map(({ body }) => body),
    chunks.map(({ signal }) => signal),
    chunks.map(({ level }) => level),
    chunks.map(({ chunk }) => chunk),
    // One value for all, as bytes: elements of an array would be written out in hexadecimal digits.
    Buffer.concat(chunkBodies),
    chunkBodies.map((body) => crc32(body)),
    snapshot?.number ?? null,
    snapshot?.tunerVersion ?? null,
    snapshot?.state ?? null,
    snapshot?.series ?? null,
    snapshot === undefined ? null : snapshotChecksum(snapshot),
    client?.clientId ?? null,
    client?.lastSequence ?? null,
    client?.lastAnswer ?? null,
    last - observations.length,
    last,
    placesOf(chunkBodies),
    chunkBodies.map(({ length }) => length),
    Buffer.concat(columns),
    placesOf(columns),
    columns.map(({ length }) => length),
  ]
  return { values, checksum }
}

const rowCount = runColumns.length

/** Values: the row, its bytes, the slice. No row = there is a run of that id. */
export const createSql = `WITH own AS (INSERT INTO runs (${runColumns.join(', ')}, bytes)
    VALUES (${places(rowCount + 1)}) ON CONFLICT (id) DO NOTHING RETURNING key), ${sliceSql(rowCount + 2)}
  SELECT key FROM own`

const changes = runColumns.map((column, i) => `${column} = $${i + 1}`).join(', ')

/** What an append leaves as it was, and does not write over where another server has changed it. */
const unchanged = ['name', 'project', 'tags', 'tuner_version'] as const
/** Values: the row, the bytes that come, the believed count, the key, the slice. No row = the run is not as believed. */
export const appendSql = `WITH own AS (UPDATE runs SET ${changes}, bytes = bytes + $${rowCount + 1}
    WHERE id = $1 AND observation_count = $${rowCount + 2} AND key = $${rowCount + 3}
    AND ${unchanged.map((column) => `${column} = $${runColumns.indexOf(column) + 1}`).join(' AND ')} RETURNING key),
    ${sliceSql(rowCount + 4)}
  SELECT key FROM own`

/** The same for a key that is a run's that is taken in, and that nobody sweeps meanwhile: the key, the slice. */
export const intakeSql = `WITH own AS (UPDATE deletions SET due = now() + interval '1 hour' WHERE run = $1
    RETURNING run AS key), ${sliceSql(2)} SELECT key FROM own`

/** For a transaction that goes on with the key: the row, the believed count, the believed version of the tuner (null = any). */
export const updateSql = `UPDATE runs SET ${changes} WHERE id = $1 AND observation_count = $${rowCount + 1}
  AND ($${rowCount + 2}::text IS NULL OR tuner_version = $${rowCount + 2}) RETURNING key`

/** With a key of before, the row, its bytes. */
export const insertSql = `INSERT INTO runs (key, ${runColumns.join(', ')}, bytes) VALUES (${places(rowCount + 2)})
  ON CONFLICT (id) DO NOTHING RETURNING key`

/** Rows of one key: the key, the slice. */
export const insertSliceSql = `WITH own AS (SELECT $1::bigint AS key), ${sliceSql(2)} SELECT key FROM own`

/** Of older clients the answer goes, where their batches tell what they sent. */
export const foldClientsSql = `DELETE FROM clients WHERE run = $1 AND client_id IN (
  SELECT client_id FROM clients WHERE run = $1 AND EXISTS (
    SELECT 1 FROM batches WHERE batches.run = clients.run AND batches.client_id = clients.client_id
    AND batches.sequence = clients.last_sequence)
  ORDER BY written DESC OFFSET ${limits.clientsMax})`

export const rowValues = (run: RunRecord): Value[] => rowOf(run)
export const noSlice: Slice = { observations: [], decisions: [], last: 0 }
