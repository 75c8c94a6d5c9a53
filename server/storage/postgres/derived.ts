// Chunks and snapshots on PostgreSQL, held to their checksums. A snapshot that is not what was stored is left out: the log
// gives it anew.

import {
  type CheckedChunk,
  type CheckedSnapshot,
  chunksAtOnce,
  damagedPiecesOf,
  isWholeSnapshot,
  openedOf,
  theSnapshot,
} from '../checksums.ts'
import { type DamageWatch, derivedDamaged } from '../damage.ts'
import type { ChunkKey, RunReads, Storage, StoredChunk } from '../storage.ts'
import type { Query } from './connect.ts'
import { keySql, type Tools } from './tools.ts'

const selectChunks = (
  key: string,
) => `SELECT chunks.signal, chunks.level, chunks.chunk, body, checksum FROM chunks
  JOIN unnest($2::text[], $3::integer[], $4::bigint[]) AS wanted (signal, level, chunk)
  ON chunks.signal = wanted.signal AND chunks.level = wanted.level AND chunks.chunk = wanted.chunk
  WHERE run = ${key}`

const selectSnapshot = `SELECT number, tuner_version AS "tunerVersion", state, series, checksum FROM snapshots
  WHERE run = ${keySql(1)}`

const columnsOf = (keys: readonly ChunkKey[]) =>
  [keys.map(({ signal }) => signal), keys.map(({ level }) => level), keys.map(({ chunk }) => chunk)] as const

/** @param key of the run's rows */
export const chunksOf = async (
  query: Query,
  key: number,
  keys: readonly ChunkKey[],
): Promise<readonly StoredChunk[]> =>
  (await query<CheckedChunk>(selectChunks('$1'), key, ...columnsOf(keys))).map(openedOf('import'))

export type DerivedTools = Pick<Tools, 'query' | 'attempt'> & {
  readonly damage: DamageWatch
}

export function derivedReads({
  query,
  attempt,
  damage,
}: DerivedTools): Pick<RunReads, 'snapshot' | 'chunks'> {
  return {
    chunks: (runId, keys) =>
      attempt(async () =>
        (await query<CheckedChunk>(selectChunks(keySql(1)), runId, ...columnsOf(keys))).map(openedOf(runId)),
      ),
    snapshot: (runId) =>
      attempt(async () => {
        const [row] = await query<CheckedSnapshot>(selectSnapshot, runId)
        if (row === undefined) return undefined
        const { checksum: _, ...snapshot } = row
        if (isWholeSnapshot(row)) return snapshot
        damage.met(derivedDamaged(runId, theSnapshot))
        return undefined
      }),
  }
}

const selectPage = `SELECT signal, level, chunk, body, checksum FROM chunks WHERE run = ${keySql(1)}
  AND (signal, level, chunk) > ($2, $3, $4) ORDER BY signal, level, chunk LIMIT ${chunksAtOnce}`

export const derivedChecks = ({
  query,
  attempt,
}: Pick<DerivedTools, 'query' | 'attempt'>): Pick<Storage, 'damagedPieces'> => ({
  damagedPieces: (runId) =>
    attempt(() =>
      damagedPiecesOf({
        pageAfter: (key) => query<CheckedChunk>(selectPage, runId, ...key),
        snapshot: async () => (await query<CheckedSnapshot>(selectSnapshot, runId))[0],
      }),
    ),
})
