// What is looked at before the first request: whether all that was acknowledged is still there, and whether the newest
// part of the runs that go on is what was stored. Nothing is mended and nothing keeps the server from starting: it is said
// in the log and kept as a notice (/healthz; damageNotices.ts).

import type { Clock } from '../clock.ts'
import { ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Storage } from '../storage/storage.ts'
import type { DamageNotices } from './damageNotices.ts'

/** The whole of every log would take as long as the database is large; `twostep doctor` looks through that. */
export const tailsCheckedMax = 200

type Parts = {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly damageNotices: DamageNotices
}

export async function checkAtStart({ storage, clock, log, damageNotices }: Parts): Promise<void> {
  const now = clock.now()
  for (const detail of await storage.settleLosses(now))
    log('error', 'what was acknowledged is missing: the newest part of the database was cut or put back', {
      detail,
    })
  let left = tailsCheckedMax
  for (const state of ['running', 'waiting', 'paused', 'stale'] as const) {
    if (left < 1) break
    const { runs } = await storage.listRuns({ state, limit: left, now })
    left -= runs.length
    for (const { id } of runs) await checkTail(storage, id)
  }
  await damageNotices.settled()
}

/** Damage is told by who hears of all of it. */
async function checkTail(storage: Storage, runId: string): Promise<void> {
  try {
    await storage.checkTail(runId)
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== 'storage-damaged') throw error
  }
}
