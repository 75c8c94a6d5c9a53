// Checksums over a run's log, chained: that of an observation covers all that is stored of it and the checksum before, so
// a byte that changed, an observation that is missing and one that was put in are all found by whoever reads the log from
// there on. Observations of before schema 7 have none: the chain of their run begins after them.
//
// Cost: one SHA-256 over each body and its columns, about 3 ms a megabyte, when it is stored and when it is read.

import { createHash } from 'node:crypto'
import { damaged } from './damage.ts'
import type { StoredObservation } from './storage.ts'

/** Of the observation before; null = there is none, or it has none. */
export type Checksum = Uint8Array | null

export function checksumOf(before: Checksum, observation: StoredObservation): Buffer {
  const { number, receivedAt, kind, fromStep, toStep, body, columns } = observation
  const hash = createHash('sha256')
  if (before !== null) hash.update(before)
  hash.update(`${number} ${receivedAt} ${kind} ${fromStep} ${toStep}\n`)
  hash.update(body)
  if (columns !== null) hash.update(columns)
  return hash.digest()
}

export type ChainedObservation = StoredObservation & { readonly checksum: Checksum }

/**
 * The observations that follow number `after`, if they are the ones that were stored.
 * @throws ServerError `storage-damaged`, naming the run and the observation.
 */
export function verified(
  runId: string,
  rows: readonly ChainedObservation[],
  { after, checksum }: { readonly after: number; readonly checksum: Checksum },
): StoredObservation[] {
  let number = after
  let before = checksum
  return rows.map(({ checksum: stored, ...observation }) => {
    number++
    if (observation.number !== number)
      throw damaged(`observation ${number} of run "${runId}" is missing from the log`)
    if (stored === null ? before !== null : !checksumOf(before, observation).equals(stored))
      throw damaged(`observation ${number} of run "${runId}" is not what was stored: its checksum differs`)
    before = stored
    return observation
  })
}
