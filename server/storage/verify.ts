// Looks through all that is stored: the pages of the file, each run's log against its checksums and counts, the number of
// its decisions. Reads everything once; a server may be writing meanwhile.

import { damaged } from './damage.ts'
import type { RunRecord, Storage } from './storage.ts'

const runsAtOnce = 100
const observationsAtOnce = 16
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
  const read = async (limit: number, page: (after: number) => Promise<readonly { number: number }[]>) => {
    for (let after = 0; ; ) {
      const entries = await page(after)
      after = entries.at(-1)?.number ?? after
      if (entries.length < limit) return after
    }
  }
  const observations = await read(observationsAtOnce, (after) =>
    storage.observations(id, { after, limit: observationsAtOnce }),
  )
  const decisions = await read(decisionsAtOnce, (after) =>
    storage.decisions(id, { after, limit: decisionsAtOnce }),
  )
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
