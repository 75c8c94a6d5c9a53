// What charts are read from, on any connection: the storage's own, or one that stands at one moment (views.ts). Chunks and
// samples are held to their checksums (derived.ts, chain.ts), each row of samples to its own and that of the row before.

import { type ChainedObservation, type Checksum, verified } from '../chain.ts'
import { type CheckedChunk, openedOf } from '../checksums.ts'
import type { SeriesReads, StoredObservation, StoredRow } from '../storage.ts'
import type { SqlValue } from './driver.ts'

type Tools = {
  readonly get: <T>(sql: string, ...values: SqlValue[]) => T | undefined
  readonly all: <T>(sql: string, ...values: SqlValue[]) => T[]
  readonly attempt: <T>(work: () => T) => Promise<T>
}

const tables = { samples: 'observations', readings: 'readings' } as const

const selectChecksum = 'SELECT checksum FROM observations WHERE run = ? AND number = ?'
const selectWhole = `SELECT number, received_at AS receivedAt, kind, from_step AS fromStep, to_step AS toStep, body,
  columns, checksum FROM observations WHERE run = ?`
const selectObservations = `${selectWhole} AND number > ? ORDER BY number LIMIT ?`
const selectObservation = `${selectWhole} AND number = ?`

/** −1 is no key: a query for an unknown run finds nothing. */
export const keyIn = ({ get }: Pick<Tools, 'get'>, runId: string): number =>
  get<{ key: number }>('SELECT key FROM runs WHERE id = ?', runId)?.key ?? -1

/** Null where there is none, or it has none. */
export const checksumAt = ({ get }: Pick<Tools, 'get'>, key: number, number: number): Checksum =>
  get<{ checksum: Checksum }>(selectChecksum, key, number)?.checksum ?? null

/** What follows in the log after a number. @throws ServerError `storage-damaged` where it is not what was stored. */
export function observationsAfter(
  tools: Pick<Tools, 'get' | 'all'>,
  run: { readonly id: string; readonly key: number },
  { after, limit }: { readonly after: number; readonly limit: number },
): StoredObservation[] {
  const rows = tools.all<ChainedObservation>(selectObservations, run.key, after, limit)
  return verified(run.id, rows, { after, checksum: checksumAt(tools, run.key, after) })
}

/** One of them; undefined = the log has none of this number. */
function observationAt(
  tools: Pick<Tools, 'get'>,
  run: { readonly id: string; readonly key: number },
  number: number,
): StoredObservation | undefined {
  const row = tools.get<ChainedObservation>(selectObservation, run.key, number)
  if (row === undefined) return undefined
  const before = { after: number - 1, checksum: checksumAt(tools, run.key, number - 1) }
  return verified(run.id, [row], before)[0]
}

export const seriesReads = (tools: Tools): SeriesReads => ({
  chunkRange: (runId, { signal, level, fromChunk, toChunk }) =>
    tools.attempt(() =>
      tools
        .all<CheckedChunk>(
          `SELECT signal, level, chunk, body, checksum FROM chunks
           WHERE run = ? AND signal = ? AND level = ? AND chunk BETWEEN ? AND ? ORDER BY chunk`,
          keyIn(tools, runId),
          signal,
          level,
          fromChunk,
          toChunk,
        )
        .map(openedOf(runId)),
    ),
  rowNumbers: (runId, { source, fromStep, toStep, after, limit }) =>
    tools.attempt(() =>
      tools
        // `to_step IS NOT NULL` lets SQLite use the partial index of observations.
        .all<{ number: number }>(
          `SELECT number FROM ${tables[source]} WHERE run = ? AND to_step IS NOT NULL AND to_step >= ?
           AND from_step <= ? AND number > ? ORDER BY number LIMIT ?`,
          keyIn(tools, runId),
          fromStep,
          toStep,
          after,
          limit,
        )
        .map(({ number }) => number),
    ),
  row: (runId, source, number) =>
    tools.attempt(() => {
      const key = keyIn(tools, runId)
      if (source === 'samples') return observationAt(tools, { id: runId, key }, number)
      const sql = 'SELECT body, NULL AS columns FROM readings WHERE run = ? AND number = ?'
      return tools.get<StoredRow>(sql, key, number)
    }),
})
