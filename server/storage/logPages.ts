// A run's log in pages whose memory is that of a long observation or two, and whose checking takes no longer than theirs.

import type { RunReads, StoredObservation } from './storage.ts'

/** Observations that are read at once: so many, or fewer where they are long. */
const readAtOnce = 16
const bytesAtOnce = 1_000_000

const bytesOf = ({ body, columns }: StoredObservation): number => body.length + (columns?.length ?? 0)

/** The observations after a number up to another one, by default to the end; none where there are none. */
export async function* logPages(
  reads: Pick<RunReads, 'observations'>,
  runId: string,
  { after, upTo = Number.POSITIVE_INFINITY }: { readonly after: number; readonly upTo?: number },
): AsyncGenerator<readonly StoredObservation[], void, void> {
  // How long they are is not known before the first.
  let wanted = 1
  for (let last = after; last < upTo; ) {
    const page = await reads.observations(runId, { after: last, limit: Math.min(wanted, upTo - last) })
    if (page.length === 0) return
    yield page
    last = page.at(-1)!.number
    const bytes = page.reduce((sum, observation) => sum + bytesOf(observation), 0)
    wanted = Math.min(readAtOnce, Math.max(1, Math.floor((bytesAtOnce * page.length) / bytes)))
  }
}
