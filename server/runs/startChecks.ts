// What is looked at before the first request: whether all that was acknowledged is still there, and whether the newest
// part of the runs that go on is what was stored. Nothing is mended and nothing keeps the server from starting: it is said
// in the log, kept as a notice (/healthz), and damage makes the server not ready (/readyz).

import type { Clock } from '../clock.ts'
import { ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Storage } from '../storage/storage.ts'

/** The whole of every log would take as long as the database is large; `twostep doctor` looks through that. */
export const tailsCheckedMax = 200

type Parts = { readonly storage: Storage; readonly clock: Clock; readonly log: Log }

export async function checkAtStart({ storage, clock, log }: Parts): Promise<void> {
  const now = clock.now()
  for (const detail of await storage.settleLosses(now))
    log('error', 'what was acknowledged is missing: the newest part of the database was cut or put back', {
      detail,
    })
  let left = tailsCheckedMax
  for (const state of ['running', 'waiting', 'paused', 'stale'] as const) {
    if (left < 1) return
    const { runs } = await storage.listRuns({ state, limit: left, now })
    left -= runs.length
    for (const { id } of runs) await checkTail({ storage, clock, log }, id)
  }
}

async function checkTail({ storage, clock, log }: Parts, runId: string): Promise<void> {
  try {
    await storage.checkTail(runId)
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== 'storage-damaged') throw error
    const detail = error.message
    log('error', 'a stored run is damaged', { runId, detail })
    try {
      const known = await storage.notices()
      if (!known.some((notice) => notice.detail === detail))
        await storage.addNotice({ at: clock.now(), kind: 'damage', detail })
    } catch (failure) {
      log('error', 'the notice of it could not be stored', { error: failure })
    }
  }
}
