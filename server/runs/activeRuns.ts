// The runs in memory: the tuner's state, the newest buckets of the series, the clients' sequences. Bounded
// by bytes: the least recently used one is let go, which loses nothing, since all of it follows from the storage. A run
// comes back from its snapshot and the tail of its log, or, if the snapshot is missing or of another version
// of the tuner, from the whole log (decision record 0002).
//
// Where several servers share a storage, what one of them has in memory may be behind what another has written. Then it is
// brought up to now by folding what is new in the log, all of it read at one moment (decision record 0040).

import type { Decision, HeldOut } from '../../protocol/vocabulary.ts'
import type { Log } from '../log.ts'
import { theSnapshot } from '../storage/checksums.ts'
import { Damage, isDerivedDamage, logCut, readDerived } from '../storage/damage.ts'
import type {
  RunReads,
  RunRecord,
  Snapshot,
  Storage,
  StoredDecision,
  StoredReadings,
} from '../storage/storage.ts'
import { foldLog, storedDecision } from './fold.ts'
import { heldOutAfter } from './heldOut.ts'
import { encodeReadings, type Points, stepRange } from './points.ts'
import { runNotFound, runOfNewer } from './runErrors.ts'
import { RunSeries } from './runSeries.ts'
import type { FoldState, Tuner } from './tuner.ts'

/** Of all runs in memory together, as estimated below: a thousand runs of a few signals, or some twenty of 200 metrics. */
export const activeBytesMax = 160 * 1024 * 1024
/** What a run takes beside its series: the tuner's state, mostly, which is bounded. */
const runBytes = 128 * 1024
/** Who is further behind reads the run anew: what is gathered on the way is bounded. */
const behindMax = 256
/** Chunks that were changed here and are saved by another server; with more of them the run is read anew. */
const foreignChunksMax = 4_000

export type ActiveRun = {
  record: RunRecord
  state: FoldState
  series: RunSeries
  readonly sequences: Map<string, number>
  /** Since the last snapshot. */
  observationsUnsaved: number
  samplesUnsaved: number
}

/** What became of a run elsewhere, as it is told here. */
export type ForeignEvent =
  | {
      readonly kind: 'batch'
      readonly record: RunRecord
      readonly decisions: readonly Decision[]
      readonly points: readonly Points[]
    }
  | { readonly kind: 'changed'; readonly record: RunRecord }
  /** It was read anew: whoever watches it has missed an unknown part. */
  | { readonly kind: 'jumped'; readonly record: RunRecord }

export type ActiveRunsOptions = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly log: Log
  /** Runs that are being worked on are never let go. */
  readonly isBusy: (runId: string) => boolean
  /** Whether other servers write to the same runs. */
  readonly isShared: boolean
  /** False while a server of a newer version takes part: it would refold what this one does. */
  readonly mayRefold: () => boolean
  /** Called in the run's line. */
  readonly caughtUp: (event: ForeignEvent) => void
  /** By default `activeBytesMax`. */
  readonly activeBytesMax?: number | undefined
}

/** What is in memory was not made of what is stored before it. */
class Unfit extends Error {}

export class ActiveRuns {
  private readonly options: ActiveRunsOptions
  private readonly runs = new Map<string, ActiveRun>()
  private readonly sizes = new Map<string, number>()
  private bytes = 0
  /** Runs whose chunks are not what was stored: they are folded anew when they are next used. */
  private readonly broken = new Set<string>()
  /** Those whose log is damaged, too: what was made of all of it stays, and whoever needs a damaged piece is refused. */
  private readonly unmendable = new Set<string>()
  private mendCount = 0

  constructor(options: ActiveRunsOptions) {
    this.options = options
  }

  /** As it is stored. Only to be called in the run's own line. @throws ServerError `run-not-found`. */
  async get(runId: string): Promise<ActiveRun> {
    const known = this.runs.get(runId)
    const run = known === undefined ? await this.load(runId) : await this.current(known)
    this.put(runId, run)
    return run
  }

  /**
   * As this server knows it, which may be behind where several share the storage: for what is stored only if it was not.
   * Only to be called in the run's own line. @throws ServerError `run-not-found`.
   */
  async known(runId: string): Promise<ActiveRun> {
    const known = this.runs.get(runId)
    if (known === undefined) return this.get(runId)
    this.put(runId, known)
    return known
  }

  /** Makes the run the most recently used one. */
  put(runId: string, run: ActiveRun): void {
    this.drop(runId)
    const size = runBytes + run.series.bytes()
    this.runs.set(runId, run)
    this.sizes.set(runId, size)
    this.bytes += size
    const { isBusy, activeBytesMax: bytesMax = activeBytesMax } = this.options
    for (const id of this.runs.keys()) {
      if (this.bytes <= bytesMax) return
      if (id !== runId && !isBusy(id)) this.drop(id)
    }
  }

  phases(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { record } of this.runs.values()) {
      const { phase } = record.summary
      counts.set(phase, (counts.get(phase) ?? 0) + 1)
    }
    return counts
  }

  /** Forgets what is in memory; the storage knows what holds. */
  drop(runId: string): void {
    this.bytes -= this.sizes.get(runId) ?? 0
    this.sizes.delete(runId)
    this.runs.delete(runId)
  }

  /** What follows from the run's log is damaged: whoever needs the run next makes it anew. */
  break(runId: string): void {
    this.drop(runId)
    if (!this.unmendable.has(runId)) this.broken.add(runId)
  }

  /** The run is gone, and with it what was known of it. */
  forget(runId: string): void {
    this.drop(runId)
    this.broken.delete(runId)
    this.unmendable.delete(runId)
  }

  /** Whether the run in memory, if it is there, is still the one with these series. */
  holds(runId: string, series: RunSeries): boolean {
    const known = this.runs.get(runId)
    return known === undefined || known.series === series
  }

  /** How often a run was folded anew by the tuner that had folded it. */
  get mends(): number {
    return this.mendCount
  }

  get size(): number {
    return this.runs.size
  }

  private async load(runId: string): Promise<ActiveRun> {
    const { storage, isShared, caughtUp } = this.options
    if (!isShared) return this.read(runId, storage)
    const run = await this.atOneMoment((view) => this.read(runId, view))
    caughtUp({ kind: 'jumped', record: run.record })
    return run
  }

  private async atOneMoment<T>(read: (view: RunReads) => Promise<T>): Promise<T> {
    const view = await this.options.storage.view()
    try {
      await view.stand()
      return await read(view)
    } finally {
      view.close()
    }
  }

  /** What is in memory, brought up to what is stored. */
  private async current(known: ActiveRun): Promise<ActiveRun> {
    const { storage, isShared, caughtUp } = this.options
    if (!isShared) return known
    const { id, observationCount } = known.record
    const stored = await storage.run(id)
    if (
      stored !== undefined &&
      isSame(stored, known.record) &&
      stored.observationCount === observationCount
    ) {
      const isChanged = personal(stored) !== personal(known.record)
      known.record = stored
      if (isChanged) caughtUp({ kind: 'changed', record: stored })
      return known
    }
    // Whatever comes of it, what is in memory is no more what it was.
    this.drop(id)
    if (stored !== undefined && isSame(stored, known.record) && this.canFollow(known, stored))
      try {
        return await this.atOneMoment((view) => this.follow(known, view))
      } catch (error) {
        if (!(error instanceof Unfit) && !isDerivedDamage(error)) throw error
      }
    return this.load(id)
  }

  private canFollow({ record, series }: ActiveRun, stored: RunRecord): boolean {
    const behind = stored.observationCount - record.observationCount
    return behind > 0 && behind <= behindMax && series.dirtyCount() <= foreignChunksMax
  }

  /** Folds what is new in the log. @throws Unfit if that cannot be done from here. */
  private async follow(run: ActiveRun, view: RunReads): Promise<ActiveRun> {
    const { tuner, caughtUp } = this.options
    const { id, observationCount: after } = run.record
    const record = await view.run(id)
    if (record === undefined) throw runNotFound(id)
    if (!isSame(record, run.record)) throw new Unfit()
    const chunks: RunReads['chunks'] = async (runId, keys) => {
      // Of a newer snapshot than what is folded here: its chunks hold some of it already.
      const snapshot = await view.snapshot(runId)
      // None: it is damaged, and nobody knows what the chunks hold.
      if (snapshot === undefined || snapshot.number > after) throw new Unfit()
      return view.chunks(runId, keys)
    }
    const decisions: Decision[] = []
    const points: Points[] = []
    let { state, samplesUnsaved } = run
    for await (const page of foldLog(view, tuner, id, { state, after })) {
      state = page.state
      const added = [...page.samples, ...page.readingPoints]
      await run.series.add(added, { chunks })
      decisions.push(...page.decisions)
      points.push(...added)
      samplesUnsaved += samplesIn(page.samples)
    }
    caughtUp({ kind: 'batch', record, decisions, points })
    return {
      ...{ record, state, series: run.series, samplesUnsaved },
      sequences: new Map(await view.clientSequences(id)),
      observationsUnsaved: run.observationsUnsaved + record.observationCount - after,
    }
  }

  private async read(runId: string, reads: RunReads): Promise<ActiveRun> {
    const { tuner, mayRefold, storage } = this.options
    const record = await reads.run(runId)
    if (record === undefined) throw runNotFound(runId)
    const snapshot = await reads.snapshot(runId)
    const sequences = new Map(await reads.clientSequences(runId))
    if (snapshot?.tunerVersion === tuner.version && !this.broken.has(runId))
      try {
        return { ...(await this.resume(record, snapshot, reads)), sequences }
      } catch (error) {
        if (!isDerivedDamage(error)) throw error
      }
    if (!mayRefold()) throw runOfNewer(runId)
    try {
      return { ...(await this.refold(record, reads)), sequences }
    } catch (error) {
      storage.damage.met(error)
      if (error instanceof Damage && error.part === 'log') this.unmendable.add(runId)
      throw error
    } finally {
      // Where it failed the run goes on from its snapshot, if that is whole: who wants the damaged piece tries once more.
      this.broken.delete(runId)
    }
  }

  private async resume(
    record: RunRecord,
    snapshot: Snapshot,
    reads: RunReads,
  ): Promise<Omit<ActiveRun, 'sequences'>> {
    const { storage, tuner } = this.options
    const begin = () => ({
      series: new RunSeries(storage, record.id, snapshot.series),
      state: JSON.parse(snapshot.state) as FoldState,
    })
    const { series, ...begun } = readDerived(record.id, theSnapshot, begin)
    let { state } = begun
    let samplesUnsaved = 0
    for await (const page of foldLog(reads, tuner, record.id, { state, after: snapshot.number })) {
      state = page.state
      await series.add([...page.samples, ...page.readingPoints], reads)
      samplesUnsaved += samplesIn(page.samples)
    }
    const observationsUnsaved = record.observationCount - snapshot.number
    return { record, state, series, observationsUnsaved, samplesUnsaved }
  }

  /**
   * Derives everything anew and stores it in one transaction.
   * @throws ServerError `storage-damaged` of a log that is not whole: what was made of all of it stays.
   */
  private async refold(record: RunRecord, reads: RunReads): Promise<Omit<ActiveRun, 'sequences'>> {
    const { storage, tuner, log } = this.options
    log('info', 'refolding the log', { runId: record.id, observations: record.observationCount })
    const series = new RunSeries(storage, record.id)
    const decisions: StoredDecision[] = []
    const allReadings: StoredReadings[] = []
    let state = tuner.initialState()
    let heldOut: HeldOut | undefined
    let last = 0
    for await (const page of foldLog(reads, tuner, record.id, { state, after: 0 })) {
      state = page.state
      last = page.lastNumber
      decisions.push(...page.decisions.map(storedDecision))
      heldOut = heldOutAfter(heldOut, page.readings, () => tuner.summaryOf(page.state).phases)
      await series.add([...page.samples, ...page.readingPoints])
      const range = stepRange(page.readingPoints)
      if (range !== undefined)
        allReadings.push({
          number: page.lastNumber,
          fromStep: range.from,
          toStep: range.to,
          body: encodeReadings(page.readingPoints),
        })
    }
    if (last < record.observationCount) throw logCut(record.id, last, record.observationCount)
    if (record.tunerVersion === tuner.version) this.mendCount++
    const { heldOut: _before, ...withoutHeldOut } = record.summary
    const measured = heldOut === undefined ? {} : { heldOut }
    const next: RunRecord = {
      ...record,
      lifecycle: state.lifecycle,
      decisionCount: decisions.length,
      tunerVersion: tuner.version,
      refoldedFrom: record.tunerVersion === tuner.version ? record.refoldedFrom : record.tunerVersion,
      summary: { ...withoutHeldOut, ...tuner.summaryOf(state), decisionCount: decisions.length, ...measured },
    }
    await storage.replaceDerived({
      run: next,
      decisions,
      allReadings,
      chunks: series.dirtyChunks(),
      snapshot: snapshotOf(tuner, record.observationCount, state, series),
    })
    series.markSaved()
    return { record: next, state, series, observationsUnsaved: 0, samplesUnsaved: 0 }
  }
}

/** Whether two records are of the same run, derived by the same tuner: a deleted run's id may be used again. */
const isSame = (one: RunRecord, other: RunRecord): boolean =>
  one.createdAt === other.createdAt &&
  one.tunerVersion === other.tunerVersion &&
  one.observationCount >= other.observationCount

/** What people change of a run without an observation. */
const personal = ({ name, project, tags }: RunRecord): string => JSON.stringify([name, project, tags])

const samplesIn = (samples: readonly Points[]): number =>
  samples.reduce((sum, { steps }) => sum + steps.length, 0)

export const snapshotOf = (tuner: Tuner, number: number, state: FoldState, series: RunSeries): Snapshot => ({
  number,
  tunerVersion: tuner.version,
  state: JSON.stringify(state),
  series: series.head(),
})
