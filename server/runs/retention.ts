// What is deleted by itself, and only that: ended runs that are older than a person has said, runs that were deleted and
// whose days of grace are over, and, where a person has bounded the storage, the oldest ended runs beyond the bound. Never
// in silence: each round that deletes a run that nobody had deleted is in the log and among the notices of /healthz.

import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Notice, RunRecord, Storage } from '../storage/storage.ts'

const dayMilliseconds = 86_400_000
/** A run that was deleted can be restored for so long. */
export const graceDays = 7
export const roundMilliseconds = 3_600_000
/** More ended runs than this are looked at in the next round. */
const runsAtOnce = 200
const namesShown = 5

export type RetentionOptions = {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  /** null = runs are kept, however old or large. */
  readonly days: number | null
  readonly bytesMax: number | null
  /** Whether it is this server that tidies, where there are several. */
  readonly isDue?: () => boolean
  /** False where it was not to be deleted any more. `reason` is for the audit. */
  readonly remove: (runId: string, forGood: boolean, reason: string) => Promise<boolean>
}

export class Retention {
  private readonly options: RetentionOptions
  private cancel: (() => void) | undefined
  private round: Promise<void> = Promise.resolve()
  private isStopped = false

  constructor(options: RetentionOptions) {
    this.options = options
  }

  /** One round now, and one an hour after each. */
  start(): void {
    const { clock, log } = this.options
    this.round = this.tidy()
      .catch((error) => log('error', 'the retention of runs failed', { error }))
      .then(() => {
        if (!this.isStopped) this.cancel = clock.after(roundMilliseconds, () => this.start())
      })
  }

  async stop(): Promise<void> {
    this.isStopped = true
    this.cancel?.()
    await this.round
  }

  /** One round. */
  async tidy(): Promise<void> {
    const { storage, clock, days, isDue = () => true } = this.options
    if (!isDue()) return
    if (days !== null) await this.removeOld(days)
    while ((await storage.purgeRemoved(clock.now() - graceDays * dayMilliseconds)) > 0 && !this.isStopped)
      await storage.settled()
    await this.keepWithin()
  }

  /** Ended runs, those that were created first at the beginning. */
  private async ended(): Promise<RunRecord[]> {
    const { storage, clock } = this.options
    const found: RunRecord[] = []
    for (const state of ['finished', 'diverged'] as const) {
      const query = { state, order: 'asc', limit: runsAtOnce, now: clock.now() } as const
      found.push(...(await storage.listRuns(query)).runs)
    }
    return found.sort((a, b) => a.lastSeenAt - b.lastSeenAt)
  }

  private async removeOld(days: number): Promise<void> {
    const before = this.options.clock.now() - days * dayMilliseconds
    const old = (await this.ended()).filter(({ lastSeenAt }) => lastSeenAt < before)
    const removed: RunRecord[] = []
    const reason = `it ended more than ${days} days ago`
    for (const run of old) if (await this.options.remove(run.id, false, reason)) removed.push(run)
    await this.tell(
      removed,
      `ended more than ${days} days ago and were deleted (they can be restored for ${graceDays} days)`,
    )
  }

  private async keepWithin(): Promise<void> {
    const { storage, bytesMax, remove, log } = this.options
    if (bytesMax === null) return
    const deleted: RunRecord[] = []
    let ended: RunRecord[] | undefined
    while ((await storage.usedBytes()) > bytesMax && !this.isStopped) {
      const oldest = (await storage.removedRuns()).at(-1)
      if (oldest !== undefined) await storage.purgeRemoved(oldest.removedAt + 1)
      else {
        ended ??= await this.ended()
        const run = ended.shift()
        if (run === undefined) {
          log('warn', 'the runs take more than TWOSTEP_STORAGE_MAX_BYTES, and none of them has ended', {
            bytesMax,
          })
          break
        }
        const reason = `runs take at most ${bytesMax} bytes`
        if (await remove(run.id, true, reason)) deleted.push(run)
      }
      await storage.settled()
    }
    await this.tell(
      deleted,
      `were deleted for good, the oldest of those that have ended: runs take at most ${bytesMax} bytes`,
    )
  }

  private async tell(runs: readonly RunRecord[], what: string): Promise<void> {
    if (runs.length === 0) return
    const { storage, clock, log } = this.options
    const names = runs.slice(0, namesShown).map(({ id }) => `"${id}"`)
    const more = runs.length > namesShown ? ` and ${runs.length - namesShown} more` : ''
    const detail = `${names.join(', ')}${more} ${what}`
    log('warn', 'runs were deleted by the settings for their retention', { detail })
    await storage.addNotice({ at: clock.now(), kind: 'removed', detail } satisfies Notice)
  }
}
