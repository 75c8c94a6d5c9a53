// What is deleted by itself, and only that: ended runs that are older than a person has said, runs that were deleted and
// whose days of grace are over, and, where a person has bounded the storage, the oldest ended runs beyond the bound. Never
// in silence: each round that deletes a run that nobody had deleted is in the log and among the notices of /healthz.

import { formatPlural } from '../../protocol/numbers.ts'
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

/** Since when a run that has ended is there untouched. */
type Aged = { readonly id: string; readonly since: number }

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

  /** Ended runs, the one that has been there longest first. */
  private async ended(): Promise<Aged[]> {
    const { storage, clock } = this.options
    // One that somebody wanted back has its whole term again.
    const restored = await storage.access.lastDone('restoreRun')
    const found: RunRecord[] = []
    for (const state of ['finished', 'diverged'] as const) {
      const query = { state, order: 'asc', limit: runsAtOnce, now: clock.now() } as const
      found.push(...(await storage.listRuns(query)).runs)
    }
    return found
      .map(({ id, lastSeenAt }) => ({ id, since: Math.max(lastSeenAt, restored.get(id) ?? 0) }))
      .sort((a, b) => a.since - b.since)
  }

  private async removeOld(days: number): Promise<void> {
    const before = this.options.clock.now() - days * dayMilliseconds
    const old = (await this.ended()).filter(({ since }) => since < before)
    const removed: Aged[] = []
    const reason = `it ended more than ${formatPlural(days, 'day')} ago`
    for (const run of old) {
      if (this.isStopped) break
      if (await this.options.remove(run.id, false, reason)) removed.push(run)
    }
    const they = removed.length === 1 ? 'was deleted (it' : 'were deleted (they'
    await this.tell(
      removed,
      `ended more than ${formatPlural(days, 'day')} ago and ${they} can be restored for ${graceDays} days)`,
    )
  }

  private async keepWithin(): Promise<void> {
    const { storage, bytesMax, remove, log } = this.options
    if (bytesMax === null) return
    const deleted: Aged[] = []
    let ended: Aged[] | undefined
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
    const they = deleted.length === 1 ? 'was' : 'were'
    await this.tell(
      deleted,
      `${they} deleted for good, the oldest of those that have ended: runs take at most ${bytesMax} bytes`,
    )
  }

  private async tell(runs: readonly Aged[], what: string): Promise<void> {
    if (runs.length === 0) return
    const { storage, clock, log } = this.options
    const names = runs.slice(0, namesShown).map(({ id }) => `"${id}"`)
    const more = runs.length > namesShown ? ` and ${runs.length - namesShown} more` : ''
    const detail = `${names.join(', ')}${more} ${what}`
    log('warn', 'runs were deleted by the settings for their retention', { detail })
    await storage.addNotice({ at: clock.now(), kind: 'removed', detail } satisfies Notice)
  }
}
