// Chunks and snapshots on PostgreSQL, held to their checksums. A snapshot that is not what was stored is left out: the log
// gives it anew.

import { type CheckedChunk, opened, snapshotChecksum } from '../checksums.ts'
import type { ChunkKey, RunReads, Snapshot, StoredChunk } from '../storage.ts'
import type { Query } from './connect.ts'
import { keySql, type Tools } from './tools.ts'

const selectChunks = (
  key: string,
) => `SELECT chunks.signal, chunks.level, chunks.chunk, body, checksum FROM chunks
  JOIN unnest($2::text[], $3::integer[], $4::bigint[]) AS wanted (signal, level, chunk)
  ON chunks.signal = wanted.signal AND chunks.level = wanted.level AND chunks.chunk = wanted.chunk
  WHERE run = ${key}`

const columnsOf = (keys: readonly ChunkKey[]) =>
  [keys.map(({ signal }) => signal), keys.map(({ level }) => level), keys.map(({ chunk }) => chunk)] as const

/** @param key of the run's rows */
export const chunksOf = async (
  query: Query,
  key: number,
  keys: readonly ChunkKey[],
): Promise<readonly StoredChunk[]> =>
  (await query<CheckedChunk>(selectChunks('$1'), key, ...columnsOf(keys))).map(opened)

export type DerivedTools = Pick<Tools, 'query' | 'attempt'> & {
  readonly noteDamage: (found: string) => void
}

export function derivedReads({
  query,
  attempt,
  noteDamage,
}: DerivedTools): Pick<RunReads, 'snapshot' | 'chunks'> {
  return {
    chunks: (runId, keys) =>
      attempt(async () =>
        (await query<CheckedChunk>(selectChunks(keySql(1)), runId, ...columnsOf(keys))).map(opened),
      ),
    snapshot: (runId) =>
      attempt(async () => {
        const [row] = await query<Snapshot & { checksum: number }>(
          `SELECT number, tuner_version AS "tunerVersion", state, series, checksum FROM snapshots WHERE run = ${keySql(1)}`,
          runId,
        )
        if (row === undefined) return undefined
        const { checksum, ...snapshot } = row
        if (checksum === snapshotChecksum(snapshot)) return snapshot
        noteDamage(`the snapshot of run "${runId}" is not what was stored; the run is made anew from its log`)
        return undefined
      }),
  }
}
