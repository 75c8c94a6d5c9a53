// CRC-32 of what follows from the log and is kept for speed, chunks and snapshots, so that a damaged page is no chart of
// other numbers.

import { crc32 } from 'node:zlib'
import { derivedDamaged } from './damage.ts'
import type { Snapshot, StoredChunk } from './storage.ts'

/** As stored: without a checksum before schema 7. */
export type CheckedChunk = StoredChunk & { readonly checksum: number | null }
export type CheckedSnapshot = Snapshot & { readonly checksum: number | null }

const pieceOf = (signal: string): string => `a stored piece of the series "${signal}"`
export const theSnapshot = 'the snapshot'

const isWhole = ({ checksum, body }: Pick<CheckedChunk, 'checksum' | 'body'>): boolean =>
  checksum === null || checksum === crc32(body)

/** Of a run. @throws Damage of what follows from its log. */
export const openedOf =
  (runId: string) =>
  (row: CheckedChunk): StoredChunk => {
    if (!isWhole(row)) throw derivedDamaged(runId, pieceOf(row.signal))
    const { checksum: _, ...chunk } = row
    return chunk
  }

/** Pieces that are read at once where all of a run's are looked at. */
export const chunksAtOnce = 256
/** Before the first piece of a run, in the order of their keys. */
const beforeAll = ['', -1, -1] as const

/**
 * What of a run is not what was stored, each signal once.
 * @param reads `pageAfter`: `chunksAtOnce` pieces at most, those that follow a key
 */
export async function damagedPiecesOf(reads: {
  pageAfter(key: readonly [signal: string, level: number, chunk: number]): Promise<readonly CheckedChunk[]>
  snapshot(): Promise<CheckedSnapshot | undefined>
}): Promise<string[]> {
  const found = new Set<string>()
  for (let page = await reads.pageAfter(beforeAll); ; ) {
    for (const row of page) if (!isWhole(row)) found.add(pieceOf(row.signal))
    const last = page.at(-1)
    if (page.length < chunksAtOnce || last === undefined) break
    page = await reads.pageAfter([last.signal, last.level, last.chunk])
  }
  const snapshot = await reads.snapshot()
  if (snapshot !== undefined && !isWholeSnapshot(snapshot)) found.add(theSnapshot)
  return [...found]
}

export const snapshotChecksum = ({ number, tunerVersion, state, series }: Snapshot): number =>
  crc32(`${number}\n${tunerVersion}\n${state}\n${series}`)

export const isWholeSnapshot = ({ checksum, ...snapshot }: CheckedSnapshot): boolean =>
  checksum === null || checksum === snapshotChecksum(snapshot)
