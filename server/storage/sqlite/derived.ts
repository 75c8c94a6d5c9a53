// Chunks and snapshots: what follows from the log and is kept for speed. Each carries a CRC-32 of its bytes, so that a
// damaged page is no chart of other numbers. A snapshot that is not what was stored is left out: the log gives it anew.

import { crc32 } from 'node:zlib'
import {
  type CheckedChunk,
  type CheckedSnapshot,
  chunksAtOnce,
  damagedPiecesOf,
  isWholeSnapshot,
  openedOf,
  snapshotChecksum,
  theSnapshot,
} from '../checksums.ts'
import { type DamageWatch, derivedDamaged } from '../damage.ts'
import type { ChunkKey, Snapshot, Storage, StoredChunk } from '../storage.ts'
import { selectChunk } from './rows.ts'
import type { Tools } from './tools.ts'

const insertChunk = `INSERT INTO chunks (run, signal, level, chunk, body, checksum) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET body = excluded.body, checksum = excluded.checksum`
const insertSnapshot = `INSERT OR REPLACE INTO snapshots (run, number, tuner_version, state, series, checksum)
  VALUES (?, ?, ?, ?, ?, ?)`
const selectSnapshot =
  'SELECT number, tuner_version AS tunerVersion, state, series, checksum FROM snapshots WHERE run = ?'

/** @throws Damage of what follows from the log. */
export function chunkAt(
  { prepare }: Pick<Tools, 'prepare'>,
  run: { readonly id: string; readonly key: number },
  { signal, level, chunk }: ChunkKey,
): StoredChunk | undefined {
  const row = prepare(selectChunk).get(run.key, signal, level, chunk) as CheckedChunk | undefined
  return row && openedOf(run.id)(row)
}

export function derivedWrites({ prepare }: Pick<Tools, 'prepare'>): {
  insertChunk(run: number, chunk: StoredChunk): void
  insertSnapshot(run: number, snapshot: Snapshot): void
} {
  return {
    insertChunk: (run, { signal, level, chunk, body }) =>
      void prepare(insertChunk).run(run, signal, level, chunk, body, crc32(body)),
    insertSnapshot: (run, snapshot) => {
      const { number, tunerVersion, state, series } = snapshot
      prepare(insertSnapshot).run(run, number, tunerVersion, state, series, snapshotChecksum(snapshot))
    },
  }
}

export type DerivedTools = Pick<Tools, 'prepare' | 'attempt' | 'keyOf'> & {
  readonly damage: DamageWatch
}

export function derivedReads({
  prepare,
  attempt,
  keyOf,
  damage,
}: DerivedTools): Pick<Storage, 'snapshot' | 'chunks'> {
  return {
    snapshot: (runId) =>
      attempt(() => {
        const row = prepare(selectSnapshot).get(keyOf(runId)) as CheckedSnapshot | undefined
        if (row === undefined) return undefined
        const { checksum: _, ...snapshot } = row
        if (isWholeSnapshot(row)) return snapshot
        damage.met(derivedDamaged(runId, theSnapshot))
        return undefined
      }),
    chunks: (runId, keys) =>
      attempt(() => {
        const run = { id: runId, key: keyOf(runId) }
        return keys.flatMap((key) => chunkAt({ prepare }, run, key) ?? [])
      }),
  }
}

const selectChunks = `SELECT signal, level, chunk, body, checksum FROM chunks WHERE run = ?
  AND (signal, level, chunk) > (?, ?, ?) ORDER BY signal, level, chunk LIMIT ${chunksAtOnce}`

/** Page by page, so that other work comes between. */
export const derivedChecks = ({
  prepare,
  attempt,
  keyOf,
}: Pick<DerivedTools, 'prepare' | 'attempt' | 'keyOf'>): Pick<Storage, 'damagedPieces'> => ({
  damagedPieces: (runId) =>
    damagedPiecesOf({
      pageAfter: (key) => attempt(() => prepare(selectChunks).all(keyOf(runId), ...key) as CheckedChunk[]),
      snapshot: () => attempt(() => prepare(selectSnapshot).get(keyOf(runId)) as CheckedSnapshot | undefined),
    }),
})
