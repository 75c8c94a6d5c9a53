// Chunks and snapshots: what follows from the log and is kept for speed. Each carries a CRC-32 of its bytes, so that a
// damaged page is no chart of other numbers. A snapshot that is not what was stored is left out: the log gives it anew.

import { crc32 } from 'node:zlib'
import { type CheckedChunk, opened, snapshotChecksum } from '../checksums.ts'
import type { ChunkKey, Snapshot, Storage, StoredChunk } from '../storage.ts'
import { selectChunk } from './rows.ts'
import type { Tools } from './tools.ts'

const insertChunk = `INSERT INTO chunks (run, signal, level, chunk, body, checksum) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET body = excluded.body, checksum = excluded.checksum`
const insertSnapshot = `INSERT OR REPLACE INTO snapshots (run, number, tuner_version, state, series, checksum)
  VALUES (?, ?, ?, ?, ?, ?)`
const selectSnapshot =
  'SELECT number, tuner_version AS tunerVersion, state, series, checksum FROM snapshots WHERE run = ?'

export function chunkAt(
  { prepare }: Pick<Tools, 'prepare'>,
  run: number,
  { signal, level, chunk }: ChunkKey,
): StoredChunk | undefined {
  const row = prepare(selectChunk).get(run, signal, level, chunk) as CheckedChunk | undefined
  return row && opened(row)
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
  readonly noteDamage: (found: string) => void
}

export function derivedReads({
  prepare,
  attempt,
  keyOf,
  noteDamage,
}: DerivedTools): Pick<Storage, 'snapshot' | 'chunks'> {
  return {
    snapshot: (runId) =>
      attempt(() => {
        const row = prepare(selectSnapshot).get(keyOf(runId)) as
          | (Snapshot & { checksum: number | null })
          | undefined
        if (row === undefined) return undefined
        const { checksum, ...snapshot } = row
        if (checksum === null || checksum === snapshotChecksum(snapshot)) return snapshot
        noteDamage(`the snapshot of run "${runId}" is not what was stored; the run is made anew from its log`)
        return undefined
      }),
    chunks: (runId, keys) =>
      attempt(() => {
        const run = keyOf(runId)
        return keys.flatMap((key) => chunkAt({ prepare }, run, key) ?? [])
      }),
  }
}
