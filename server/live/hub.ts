// From the runs' events to the browsers that watch them. Decisions are reliable: each in order, and those that
// a slow socket could not take are read from the storage later. Samples and summaries are coalesced to frames,
// at most ten a second, one encoding for all sockets that can take them.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import type { Clock } from '../clock.ts'
import type { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { RunEvent } from '../runs/apply.ts'
import { type Points, stepRange } from '../runs/points.ts'
import { summaryAt } from '../runs/runRecord.ts'
import type { Runs } from '../runs/runs.ts'
import { type SeriesReader, wholeRange } from '../runs/seriesReader.ts'
import type { RunRecord, Storage } from '../storage/storage.ts'
import { frameEntriesMax, frameOf, onlySignals } from './frames.ts'
import { isOverBudget, type LiveSocket, mayHear, type Subscription } from './outlet.ts'
import { alike, besides, type Frame, markTold, newDecisions } from './together.ts'

export const frameMilliseconds = 100
/** Lists of runs are told of changes this often. */
export const listMilliseconds = 1_000
/** Buckets of one signal for a socket that has missed some. */
const missedPointsMax = 500
const decisionsPerRead = 50

export type HubOptions = {
  readonly storage: Storage
  readonly runs: Runs
  readonly reader: SeriesReader
  readonly clock: Clock
  readonly log: Log
  readonly inHand: InHand
  /** Sends one event to several sockets, encoded once. */
  readonly send: (
    sockets: readonly LiveSocket[],
    event: 'decision' | 'transition' | 'samples' | 'run' | 'removed',
    message: unknown,
  ) => void
}

type Watched = {
  readonly subscriptions: Set<Subscription>
  points: Points[]
  /** Those since the last frame, for who gets them within it. */
  decisions: Decision[]
  /** The last step that was heard of. */
  toStep: number
  record: RunRecord | undefined
  lastFrameAt: number
  timer: (() => void) | undefined
  catchingUp: boolean
}

export class Hub {
  private readonly options: HubOptions
  private readonly watched = new Map<string, Watched>()
  private readonly listeners = new Set<LiveSocket>()
  private readonly listChanges = new Map<string, RunRecord>()
  private listTimer: (() => void) | undefined

  constructor(options: HubOptions) {
    this.options = options
    options.runs.onEvent((event) => this.take(event))
  }

  stop(): void {
    for (const watched of this.watched.values()) watched.timer?.()
    this.watched.clear()
    this.listTimer?.()
    this.listTimer = undefined
  }

  /** Watches the list of runs. */
  listen(socket: LiveSocket): void {
    this.listeners.add(socket)
  }

  leave(socket: LiveSocket): void {
    this.listeners.delete(socket)
  }

  /** To be called in the run's line, at the moment of which the answer to the subscription is. */
  subscribe(subscription: Subscription): void {
    const { runId } = subscription
    const watched = this.watched.get(runId)
    // What is pending is in the answer already; those who were here before get it now.
    if (watched !== undefined) this.sendFrame(runId, watched)
    const place = watched ?? {
      subscriptions: new Set(),
      points: [],
      decisions: [],
      toStep: 0,
      record: undefined,
      lastFrameAt: Number.NEGATIVE_INFINITY,
      timer: undefined,
      catchingUp: false,
    }
    place.subscriptions.add(subscription)
    this.watched.set(runId, place)
    if (subscription.missedDecisions) this.schedule(runId, place)
  }

  /** The answer is on its way: what came meanwhile follows. */
  release(subscription: Subscription): void {
    subscription.isHeld = false
    const watched = this.watched.get(subscription.runId)
    if (watched?.subscriptions.has(subscription)) this.schedule(subscription.runId, watched)
  }

  unsubscribe(subscription: Subscription): void {
    const watched = this.watched.get(subscription.runId)
    if (watched === undefined) return
    watched.subscriptions.delete(subscription)
    if (watched.subscriptions.size > 0) return
    watched.timer?.()
    this.watched.delete(subscription.runId)
  }

  watches(runId: string): boolean {
    return this.watched.has(runId)
  }

  watchedRuns(): readonly string[] {
    return [...this.watched.keys()]
  }

  /** Whether somebody watches the list of runs. */
  get hasLists(): boolean {
    return this.listeners.size > 0
  }

  /** What happened to a run, to be told to whoever watches it. */
  take(event: RunEvent): void {
    if (event.kind === 'removed') {
      const { project } = event
      this.close(
        event.runId,
        [...this.listeners].filter((socket) => mayHear(socket, project)),
      )
      return
    }
    const { record } = event
    this.noteListChange(record)
    const watched = this.watched.get(record.id)
    if (watched === undefined) return
    // Whatever it is: what another server did may come as one with what it wrote to the log.
    this.dropForeign(watched, record)
    if (watched.subscriptions.size === 0) return
    watched.record = record
    if (event.kind === 'jumped')
      for (const subscription of watched.subscriptions) {
        subscription.missedDecisions = true
        miss(subscription, watched.toStep)
      }
    if (event.kind === 'batch') {
      for (const decision of event.decisions) this.sendDecision(watched, decision)
      this.gather(watched, event.points)
    }
    this.schedule(record.id, watched)
  }

  /** A run is gone. @param lists who else is to be told, beside those that watch it */
  close(runId: string, lists: readonly LiveSocket[] = []): void {
    const sockets = new Set(lists)
    const gone = this.watched.get(runId)
    for (const { socket } of gone?.subscriptions ?? []) sockets.add(socket)
    gone?.timer?.()
    this.watched.delete(runId)
    this.listChanges.delete(runId)
    this.options.send([...sockets], 'removed', { runId })
  }

  /** A run that was moved to another project is gone for those who may not see that one. */
  private dropForeign(watched: Watched, { id, project }: RunRecord): void {
    for (const subscription of watched.subscriptions) {
      if (mayHear(subscription.socket, project)) continue
      this.options.send([subscription.socket], 'removed', { runId: id })
      this.unsubscribe(subscription)
    }
  }

  private gather(watched: Watched, points: readonly Points[]): void {
    for (const entry of points) watched.points.push(entry)
    watched.toStep = Math.max(watched.toStep, stepRange(points)?.to ?? 0)
    const excess = watched.points.length - frameEntriesMax
    if (excess <= 0) return
    const left = stepRange(watched.points.splice(0, excess))
    // The socket gets the steps that were left out as buckets from the storage.
    if (left !== undefined) for (const subscription of watched.subscriptions) miss(subscription, left.from)
  }

  private sendDecision(watched: Watched, decision: Decision): void {
    const ready: LiveSocket[] = []
    watched.decisions.push(decision)
    for (const subscription of watched.subscriptions) {
      if (subscription.together) continue
      if (subscription.missedDecisions || decision.number <= subscription.lastDecision) continue
      if (subscription.isHeld || isOverBudget(subscription.socket)) {
        subscription.missedDecisions = true
        continue
      }
      subscription.lastDecision = decision.number
      ready.push(subscription.socket)
    }
    this.tell(ready, decision)
  }

  /** A change of the regime comes as an event of its own as well. */
  private tell(sockets: readonly LiveSocket[], decision: Decision): void {
    const message = { runId: decision.runId, decision }
    this.options.send(sockets, 'decision', message)
    if (decision.kind === 'transition') this.options.send(sockets, 'transition', message)
  }

  private schedule(runId: string, watched: Watched): void {
    if (watched.timer !== undefined) return
    const { clock } = this.options
    const wait = Math.max(0, watched.lastFrameAt + frameMilliseconds - clock.monotonic())
    watched.timer = clock.after(wait, () => {
      watched.timer = undefined
      this.sendFrame(runId, watched)
    })
  }

  private sendFrame(runId: string, watched: Watched): void {
    const { clock, send } = this.options
    watched.timer?.()
    watched.timer = undefined
    watched.lastFrameAt = clock.monotonic()
    const { points, record, decisions } = watched
    watched.points = []
    watched.decisions = []
    watched.record = undefined
    const ready: Subscription[] = []
    let behind = false
    const range = stepRange(points)
    for (const subscription of watched.subscriptions) {
      const late =
        subscription.isHeld || isOverBudget(subscription.socket) || subscription.missedFromStep !== undefined
      if (!late) ready.push(subscription)
      else if (range !== undefined) miss(subscription, range.from)
      if (late && record !== undefined) subscription.missedRun = true
      if (late && subscription.together && decisions.length > 0) subscription.missedDecisions = true
      behind ||= late || subscription.missedDecisions
    }
    const run = record && summaryAt(record, clock.now())
    const told = this.sendSamples(runId, { points, run, decisions }, ready)
    const others = ready.filter((subscription) => !told.has(subscription))
    const sockets = others.map(({ socket }) => socket)
    for (const subscription of others)
      for (const decision of newDecisions(subscription, decisions)) this.tell([subscription.socket], decision)
    for (const subscription of ready) markTold(subscription, decisions)
    if (run !== undefined) send(sockets, 'run', { run })
    if (behind) this.catchUp(runId, watched)
  }

  /** Returns those who were told the rest with their samples. */
  private sendSamples(
    runId: string,
    frame: Frame,
    ready: readonly Subscription[],
  ): ReadonlySet<Subscription> {
    const told = new Set<Subscription>()
    for (const group of alike(ready, frame.decisions)) {
      const { signals, together } = group[0]!
      const samples = frameOf(runId, onlySignals(frame.points, signals))
      if (samples === undefined) continue
      const sockets = group.map(({ socket }) => socket)
      this.options.send(sockets, 'samples', { ...samples, ...besides(group, frame) })
      if (together) for (const subscription of group) told.add(subscription)
    }
    return told
  }

  /** Gives late sockets what they missed, as far as their budgets go, and comes back for the rest. */
  private catchUp(runId: string, watched: Watched): void {
    if (watched.catchingUp) return
    watched.catchingUp = true
    const work = async () => {
      for (const subscription of watched.subscriptions) await this.catchUpOne(subscription)
    }
    const caughtUp = work()
      .catch((error) => this.options.log('warn', 'a live page could not catch up', { runId, error }))
      .finally(() => {
        watched.catchingUp = false
        const late = [...watched.subscriptions].some(
          (one) => one.missedDecisions || one.missedFromStep !== undefined || one.missedRun,
        )
        if (late && this.watched.get(runId) === watched) this.schedule(runId, watched)
      })
    this.options.inHand.hold(caughtUp)
  }

  private async catchUpOne(subscription: Subscription): Promise<void> {
    const { runs, reader, send } = this.options
    const { socket, runId } = subscription
    if (subscription.isHeld) return
    while (subscription.missedDecisions && !isOverBudget(socket)) {
      await runs.inLine(runId, () => this.sendStoredDecisions(subscription))
      await nextTurn()
    }
    if (isOverBudget(socket)) return
    if (subscription.missedFromStep !== undefined) {
      const from = subscription.missedFromStep
      const points = Math.min(subscription.points, missedPointsMax)
      const { series } = await reader.live(runId, { ...wholeRange, from, points }, ({ series }) => {
        subscription.missedFromStep = undefined
        return subscription.signals && series.names().filter((name) => subscription.signals?.has(name))
      })
      send([socket], 'samples', { runId, thinned: true, series })
    }
    if (subscription.missedRun) {
      subscription.missedRun = false
      const run: RunSummary = await runs.summary(runId)
      send([socket], 'run', { run })
    }
  }

  private async sendStoredDecisions(subscription: Subscription): Promise<void> {
    const { storage } = this.options
    const { socket, runId } = subscription
    const query = { after: subscription.lastDecision, limit: decisionsPerRead }
    const page = await storage.decisions(runId, query)
    for (const { number, body } of page) {
      if (isOverBudget(socket)) return
      subscription.lastDecision = number
      this.tell([socket], JSON.parse(body) as Decision)
    }
    if (page.length < decisionsPerRead) subscription.missedDecisions = false
  }

  private noteListChange(record: RunRecord): void {
    if (this.listeners.size === 0) return
    this.listChanges.set(record.id, record)
    this.listTimer ??= this.options.clock.after(listMilliseconds, () => this.sendListChanges())
  }

  private sendListChanges(): void {
    const { clock, send } = this.options
    this.listTimer = undefined
    const changes = [...this.listChanges.values()]
    this.listChanges.clear()
    // A socket over its budget misses this change of the list, and gets the run's next one.
    const ready = [...this.listeners].filter((socket) => !isOverBudget(socket))
    for (const record of changes) {
      const hearing = ready.filter((socket) => mayHear(socket, record.project))
      send(hearing, 'run', { run: summaryAt(record, clock.now()) })
    }
  }
}

function miss(subscription: Subscription, fromStep: number): void {
  subscription.missedFromStep = Math.min(fromStep, subscription.missedFromStep ?? fromStep)
}
