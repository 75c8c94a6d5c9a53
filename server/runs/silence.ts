// Runs that fall silent: pages see it without asking, and who listens is told once of each time, also of one that came while no
// server watched.

import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { RunRecord, Storage } from '../storage/storage.ts'
import type { Listeners } from '../webhooks/webhooks.ts'
import { isStale } from './runRecord.ts'
import { StaleWatch } from './staleWatch.ts'

/** More are not looked for at once. */
const runsMax = 1_000

export type SilenceOptions = {
  readonly storage: Pick<Storage, 'run' | 'listRuns' | 'webhooks'>
  readonly clock: Clock
  readonly log: Log
  readonly webhooks: Pick<Listeners, 'wentStale'>
  /** Whether it is this server that tells of a run, where there are several. */
  readonly owns: (runId: string) => boolean
  readonly inLine: (runId: string, task: () => Promise<void>) => Promise<void>
  /** Called in the run's line. */
  readonly changed: (record: RunRecord) => void
}

export class Silence {
  private readonly options: SilenceOptions
  private readonly watch: StaleWatch
  private telling: Promise<void> = Promise.resolve()
  private isStopped = false

  constructor(options: SilenceOptions) {
    this.options = options
    this.watch = new StaleWatch(options.clock, (runId) => void this.announce(runId))
  }

  /** Watches the runs that are alive: those that were when the server stopped, or another one did. */
  async watchAlive(): Promise<void> {
    const { storage, clock } = this.options
    for (const state of ['running', 'waiting'] as const) {
      const { runs } = await storage.listRuns({ state, limit: runsMax, now: clock.now() })
      for (const record of runs) this.see(record)
    }
  }

  /** Tells of runs that fell silent while nobody watched them; of more than `runsMax` the rest is told at the next start. */
  tellMissed(): Promise<void> {
    const { storage, clock, log } = this.options
    const tell = async () => {
      for (const runId of await storage.webhooks.untoldStale(clock.now(), runsMax))
        if (!this.isStopped) await this.announce(runId)
    }
    this.telling = this.telling
      .then(tell)
      .catch((error) => log('warn', 'runs that fell silent were not read', { error }))
    return this.telling
  }

  /** Takes note of a run's newest record. */
  see(record: RunRecord): void {
    this.watch.see(record)
  }

  forget(runId: string): void {
    this.watch.forget(runId)
  }

  /** A run that was elsewhere: that it is silent, if it is, is no news. To be called in its line. */
  async came(record: RunRecord): Promise<void> {
    const { webhooks, clock, log, changed } = this.options
    if (isStale(record, clock.now()))
      await webhooks
        .wentStale(record, false)
        .catch((error) => log('warn', 'that a run is silent was not noted', { runId: record.id, error }))
    this.see(record)
    changed(record)
  }

  async stop(): Promise<void> {
    this.isStopped = true
    this.watch.stop()
    await this.telling
  }

  private async announce(runId: string): Promise<void> {
    const { storage, clock, log, webhooks, owns, inLine, changed } = this.options
    if (!owns(runId)) return
    const tell = async () => {
      const record = await storage.run(runId)
      if (record === undefined) return
      changed(record)
      if (isStale(record, clock.now())) await webhooks.wentStale(record)
    }
    await inLine(runId, tell).catch((error) =>
      log('warn', 'a stale run could not be announced', { runId, error }),
    )
  }
}
