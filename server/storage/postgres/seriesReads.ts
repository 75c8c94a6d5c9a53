// What charts and folds are read from, on any connection: the pool's, or that of a view. What is read of a log is held to its
// checksums (../chain.ts), chunks to theirs.

import { type ChainedObservation, type Checksum, verified } from '../chain.ts'
import { type CheckedChunk, openedOf } from '../checksums.ts'
import type { SeriesReads, StoredObservation, StoredRow } from '../storage.ts'
import type { Query } from './connect.ts'
import { keySql, type Tools } from './tools.ts'

const tables = { samples: 'observations', readings: 'readings' } as const

// The row before, too: its checksum begins the chain.
const selectObservations = (
  key: string,
) => `SELECT number, received_at AS "receivedAt", kind, from_step AS "fromStep",
  to_step AS "toStep", CASE WHEN number = $2 THEN '' ELSE body END AS body,
  CASE WHEN number > $2 THEN columns END AS columns, checksum
  FROM observations WHERE run = ${key} AND number >= $2 ORDER BY number LIMIT $3`
const ofRun = selectObservations(keySql(1))
const ofKey = selectObservations('$1')

/** What follows in the log after a number. @param key of a run that was removed. @throws ServerError `storage-damaged` where it is not what was stored. */
export async function observationsAfter(
  query: Query,
  runId: string,
  { after, limit }: { readonly after: number; readonly limit: number },
  key?: number,
): Promise<StoredObservation[]> {
  const [sql, which] = key === undefined ? [ofRun, runId] : [ofKey, key]
  const rows = await query<ChainedObservation>(sql, which, after, limit + 1)
  const before = rows[0]?.number === after ? rows.shift() : undefined
  const checksum: Checksum = before?.checksum ?? null
  return verified(runId, rows.slice(0, limit), { after, checksum })
}

export const seriesReads = ({ query, attempt }: Pick<Tools, 'query' | 'attempt'>): SeriesReads => ({
  chunkRange: (runId, { signal, level, fromChunk, toChunk }) =>
    attempt(async () =>
      (
        await query<CheckedChunk>(
          `SELECT signal, level, chunk, body, checksum FROM chunks WHERE run = ${keySql(1)} AND signal = $2
           AND level = $3 AND chunk BETWEEN $4 AND $5 ORDER BY chunk`,
          runId,
          signal,
          level,
          fromChunk,
          toChunk,
        )
      ).map(openedOf(runId)),
    ),
  rowNumbers: (runId, { source, fromStep, toStep, after, limit }) =>
    attempt(async () => {
      const rows = await query<{ number: number }>(
        `SELECT number FROM ${tables[source]} WHERE run = ${keySql(1)} AND to_step IS NOT NULL AND to_step >= $2
         AND from_step <= $3 AND number > $4 ORDER BY number LIMIT $5`,
        runId,
        fromStep,
        toStep,
        after,
        limit,
      )
      return rows.map(({ number }) => number)
    }),
  row: (runId, source, number) =>
    attempt(async () => {
      if (source === 'samples') {
        const [found] = await query<ChainedObservation>(
          `SELECT number FROM observations WHERE run = ${keySql(1)} AND number = $2`,
          runId,
          number,
        )
        if (found === undefined) return undefined
        return (await observationsAfter(query, runId, { after: number - 1, limit: 1 }))[0]
      }
      const sql = `SELECT body, NULL AS columns FROM readings WHERE run = ${keySql(1)} AND number = $2`
      return (await query<StoredRow>(sql, runId, number))[0]
    }),
})
