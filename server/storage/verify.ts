// Looks through all that is stored: the pages of the file, each run's log against its checksums and counts, the number of
// its decisions, what follows from the log and is kept for speed, and the logs of runs that were deleted and can be restored.
// Reads everything once; a server may be writing meanwhile.

import { damaged, logCut } from './damage.ts'
import { logPages } from './logPages.ts'
import type { RemovedRun, RunRecord, Storage } from './storage.ts'

const runsAtOnce = 100
const decisionsAtOnce = 500

export type Verified = {
  /** With those that were deleted and can be restored. */
  readonly runs: number
  readonly observations: number
  /** Damaged pieces, each with its run, that follow from a log: nothing is lost, they are made anew when they are next read. */
  readonly madeAnew: readonly string[]
}

/** @throws ServerError `storage-damaged` at the first thing that is lost: not as it was stored, and in no log. */
export async function verifyStorage(storage: Storage): Promise<Verified> {
  await storage.checkPages()
  let runs = 0
  let observations = 0
  const madeAnew: string[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const page = await storage.listRuns({
      limit: runsAtOnce,
      now: 0,
      ...(after === undefined ? {} : { after }),
    })
    for (const run of page.runs) {
      observations += await verifyRun(storage, run)
      for (const what of await storage.damagedPieces(run.id)) madeAnew.push(`${what} of run "${run.id}"`)
    }
    runs += page.runs.length
    after = page.next
  }
  for (const removed of await storage.removedRuns()) {
    observations += await verifyRemoved(storage, removed)
    runs++
  }
  return { runs, observations, madeAnew }
}

async function verifyRemoved(storage: Storage, removed: RemovedRun): Promise<number> {
  const { id, observationCount } = removed.record
  const reads = { observations: storage.removedObservations(removed) }
  let observations = 0
  for await (const page of logPages(reads, id, { after: 0 })) observations = page.at(-1)!.number
  if (observations >= observationCount) return observations
  // It was deleted for good while this was read.
  if (!(await storage.removedRuns()).some(({ key }) => key === removed.key)) return observations
  throw logCut(id, observations, observationCount)
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
