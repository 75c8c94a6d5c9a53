// CRC-32 of what follows from the log and is kept for speed, chunks and snapshots, so that a damaged page is no chart of
// other numbers.

import { crc32 } from 'node:zlib'
import { damaged } from './damage.ts'
import type { Snapshot, StoredChunk } from './storage.ts'

/** As stored: without a checksum before schema 7. */
export type CheckedChunk = StoredChunk & { readonly checksum: number | null }

/** @throws ServerError `storage-damaged`. */
export function opened({ checksum, ...chunk }: CheckedChunk): StoredChunk {
  if (checksum !== null && checksum !== crc32(chunk.body))
    throw damaged(
      `a stored piece of the series "${chunk.signal}" is not what was stored: its checksum differs`,
    )
  return chunk
}

export const snapshotChecksum = ({ number, tunerVersion, state, series }: Snapshot): number =>
  crc32(`${number}\n${tunerVersion}\n${state}\n${series}`)
