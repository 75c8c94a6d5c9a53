// What charts are read from, on any connection: the storage's own, or one that stands at one moment (views.ts).

import type { SeriesReads, StoredChunk } from '../storage.ts'
import type { SqlValue } from './driver.ts'

type Tools = {
  readonly get: <T>(sql: string, ...values: SqlValue[]) => T | undefined
  readonly all: <T>(sql: string, ...values: SqlValue[]) => T[]
  readonly attempt: <T>(work: () => T) => Promise<T>
}

const tables = { samples: 'observations', readings: 'readings' } as const

/** −1 is no key: a query for an unknown run finds nothing. */
export const keyIn = ({ get }: Pick<Tools, 'get'>, runId: string): number =>
  get<{ key: number }>('SELECT key FROM runs WHERE id = ?', runId)?.key ?? -1

export const seriesReads = (tools: Tools): SeriesReads => ({
  chunkRange: (runId, { signal, level, fromChunk, toChunk }) =>
    tools.attempt(() =>
      tools.all<StoredChunk>(
        `SELECT signal, level, chunk, body FROM chunks
         WHERE run = ? AND signal = ? AND level = ? AND chunk BETWEEN ? AND ? ORDER BY chunk`,
        keyIn(tools, runId),
        signal,
        level,
        fromChunk,
        toChunk,
      ),
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
  rowBody: (runId, source, number) =>
    tools.attempt(() => {
      const sql = `SELECT body FROM ${tables[source]} WHERE run = ? AND number = ?`
      return tools.get<{ body: string }>(sql, keyIn(tools, runId), number)?.body
    }),
})
