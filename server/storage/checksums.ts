// CRC-32 of what follows from the log and is kept for speed, chunks and snapshots, so that a damaged page is no chart of
// other numbers.

import { crc32 } from 'node:zlib'
import { derivedDamaged } from './damage.ts'
import type { Snapshot, StoredChunk } from './storage.ts'

/** As stored: without a checksum before schema 7. */
export type CheckedChunk = StoredChunk & { readonly checksum: number | null }
export type CheckedSnapshot = Snapshot & { readonly checksum: number | null }

export const pieceOf = (signal: string): string => `a stored piece of the series "${signal}"`
export const theSnapshot = 'the snapshot'

export const isWhole = ({ checksum, body }: Pick<CheckedChunk, 'checksum' | 'body'>): boolean =>
  checksum === null || checksum === crc32(body)

/** Of a run. @throws Damage of what follows from its log. */
export const openedOf =
  (runId: string) =>
  (row: CheckedChunk): StoredChunk => {
    if (!isWhole(row)) throw derivedDamaged(runId, pieceOf(row.signal))
    const { checksum: _, ...chunk } = row
    return chunk
  }

export const snapshotChecksum = ({ number, tunerVersion, state, series }: Snapshot): number =>
  crc32(`${number}\n${tunerVersion}\n${state}\n${series}`)

export const isWholeSnapshot = ({ checksum, ...snapshot }: CheckedSnapshot): boolean =>
  checksum === null || checksum === snapshotChecksum(snapshot)
