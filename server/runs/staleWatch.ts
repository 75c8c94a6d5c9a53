// Notices when a run falls silent, so that pages learn of it without asking. One timer for all runs, set to
// the earliest time at which one may become stale.

import type { Clock } from '../clock.ts'
import type { RunRecord } from '../storage/storage.ts'

export class StaleWatch {
  private readonly clock: Clock
  private readonly becameStale: (runId: string) => void
  private readonly due = new Map<string, number>()
  private timer: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(clock: Clock, becameStale: (runId: string) => void) {
    this.clock = clock
    this.becameStale = becameStale
  }

  /** Takes note of a run's newest record. Bounded by the number of runs that are not stale. */
  see(record: RunRecord): void {
    if (record.staleAt === null || record.staleAt <= this.clock.now()) {
      this.due.delete(record.id)
      return
    }
    this.due.set(record.id, record.staleAt)
    this.schedule(record.staleAt)
  }

  forget(runId: string): void {
    this.due.delete(runId)
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.due.clear()
  }

  private schedule(at: number): void {
    if (this.timer !== undefined && this.timer.at <= at) return
    this.timer?.cancel()
    const wait = Math.max(0, at - this.clock.now())
    this.timer = { at, cancel: this.clock.after(wait, () => this.check()) }
  }

  private check(): void {
    this.timer = undefined
    const now = this.clock.now()
    let earliest = Number.POSITIVE_INFINITY
    for (const [runId, at] of this.due) {
      if (at > now) {
        earliest = Math.min(earliest, at)
        continue
      }
      this.due.delete(runId)
      this.becameStale(runId)
    }
    if (earliest < Number.POSITIVE_INFINITY) this.schedule(earliest)
  }
}
