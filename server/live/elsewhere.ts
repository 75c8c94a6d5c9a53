// Where several servers share a database: what pages of this one learn of runs that another one writes to. A server tells
// the others no more than which runs have changed, a few times a second; who has a page that watches one of them reads what
// is new from its log, and tells the page as if it had been written here. A word that was lost is made up for by looking.

import type { Namespace } from 'socket.io'
import type { Clock } from '../clock.ts'
import { ServerError } from '../errors.ts'
import type { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { Replicas } from '../replicas/replicas.ts'
import type { Runs } from '../runs/runs.ts'
import type { Hub } from './hub.ts'
import type { BetweenServers } from './outlet.ts'

/** Changes are gathered for so long. */
export const wordMilliseconds = 100
/** What fits into a notification of PostgreSQL (8,000 bytes) with names of the greatest length. */
const runsPerWord = 50
/** Watched runs are looked at this often, whatever was told. */
export const lookMilliseconds = 2_000
/** Runs that are read for lists in one round; the others wait for the next. */
const listedPerRound = 200
const listMilliseconds = 1_000

export type ElsewhereOptions = {
  // biome-ignore lint/suspicious/noExplicitAny: of a namespace only what goes between servers is used
  readonly namespace: Namespace<any, any, BetweenServers, any>
  readonly runs: Runs
  readonly hub: Hub
  readonly replicas: Pick<Replicas, 'present'>
  readonly clock: Clock
  readonly log: Log
  readonly inHand: InHand
}

export class Elsewhere {
  private readonly options: ElsewhereOptions
  private readonly changed = new Set<string>()
  private readonly listed = new Set<string>()
  private isStopped = false
  private telling: (() => void) | undefined
  private listing: (() => void) | undefined
  private looking: () => void

  constructor(options: ElsewhereOptions) {
    this.options = options
    const { namespace, runs, hub, clock, inHand } = options
    runs.onEvent((event, isOwn) => {
      if (!isOwn || this.isStopped || this.isAlone()) return
      if (event.kind === 'removed') namespace.serverSideEmit('removed', event.runId, event.project)
      else this.note(event.record.id)
    })
    namespace.on('changed', (runIds) => {
      for (const runId of runIds) this.hear(runId)
    })
    namespace.on('removed', (runId, project) => hub.take({ kind: 'removed', runId, project }))
    this.looking = clock.after(lookMilliseconds, () => void inHand.hold(this.look()))
  }

  stop(): void {
    this.isStopped = true
    for (const cancel of [this.telling, this.listing, this.looking]) cancel?.()
  }

  private isAlone(): boolean {
    return this.options.replicas.present.length === 1
  }

  private note(runId: string): void {
    this.changed.add(runId)
    this.telling ??= this.options.clock.after(wordMilliseconds, () => {
      this.telling = undefined
      const runIds = [...this.changed]
      this.changed.clear()
      for (let i = 0; i < runIds.length; i += runsPerWord)
        this.options.namespace.serverSideEmit('changed', runIds.slice(i, i + runsPerWord))
    })
  }

  private hear(runId: string): void {
    const { hub, clock, inHand } = this.options
    if (hub.watches(runId)) inHand.hold(this.catchUp(runId))
    else if (hub.hasLists && !this.isStopped) {
      this.listed.add(runId)
      this.listing ??= clock.after(listMilliseconds, () => void inHand.hold(this.list()))
    }
  }

  private async catchUp(runId: string): Promise<void> {
    const { runs, hub, log } = this.options
    try {
      await runs.catchUp(runId)
    } catch (error) {
      if (error instanceof ServerError && error.code === 'run-not-found') hub.close(runId)
      // Busy, perhaps: there is another word, or another look.
      else log('debug', 'a watched run was not read', { runId, error })
    }
  }

  /** Tells lists of the runs that have changed. */
  private async list(): Promise<void> {
    const { runs, hub, clock, log, inHand } = this.options
    const runIds = [...this.listed].slice(0, listedPerRound)
    for (const runId of runIds) {
      this.listed.delete(runId)
      try {
        hub.take({ kind: 'changed', record: await runs.record(runId) })
      } catch (error) {
        log('debug', 'a listed run was not read', { runId, error })
      }
    }
    this.listing = undefined
    if (this.listed.size > 0 && !this.isStopped)
      this.listing = clock.after(listMilliseconds, () => void inHand.hold(this.list()))
  }

  private async look(): Promise<void> {
    const { hub, clock, inHand } = this.options
    if (!this.isAlone()) for (const runId of hub.watchedRuns()) await this.catchUp(runId)
    if (!this.isStopped) this.looking = clock.after(lookMilliseconds, () => void inHand.hold(this.look()))
  }
}
