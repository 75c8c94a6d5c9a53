// Looks through all that is stored: the pages of the file, each run's log against its checksums and counts, the number of
// its decisions. Reads everything once; a server may be writing meanwhile.

import { damaged } from './damage.ts'
import { logPages } from './logPages.ts'
import type { RunRecord, Storage } from './storage.ts'

const runsAtOnce = 100
const decisionsAtOnce = 500

export type Verified = { readonly runs: number; readonly observations: number }

/** @throws ServerError `storage-damaged` at the first thing that is not as it was stored. */
export async function verifyStorage(storage: Storage): Promise<Verified> {
  await storage.checkPages()
  let runs = 0
  let observations = 0
  for (let after: string | null | undefined; after !== null; ) {
    const page = await storage.listRuns({
      limit: runsAtOnce,
      now: 0,
      ...(after === undefined ? {} : { after }),
    })
    for (const run of page.runs) observations += await verifyRun(storage, run)
    runs += page.runs.length
    after = page.next
  }
  return { runs, observations }
}

async function verifyRun(
  storage: Storage,
  { id, observationCount, decisionCount }: RunRecord,
): Promise<number> {
  let observations = 0
  for await (const page of logPages(storage, id, { after: 0 })) observations = page.at(-1)!.number
  let decisions = 0
  for (let isDone = false; !isDone; ) {
    const page = await storage.decisions(id, { after: decisions, limit: decisionsAtOnce })
    decisions = page.at(-1)?.number ?? decisions
    isDone = page.length < decisionsAtOnce
  }
  // A run that is gone by now was deleted while this was read.
  if (
    (observations >= observationCount && decisions >= decisionCount) ||
    (await storage.run(id)) === undefined
  )
    return observations
  throw damaged(
    `run "${id}" has ${observations} observations and ${decisions} decisions, and ${observationCount} and ${decisionCount} were stored`,
  )
}
