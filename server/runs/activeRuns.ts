// The runs in memory: the tuner's state, the newest buckets of the series, the clients' sequences. Bounded
// by bytes: the least recently used one is let go, which loses nothing, since all of it follows from the storage. A run
// comes back from its snapshot and the tail of its log, or, if the snapshot is missing or of another version
// of the tuner, from the whole log (decision record 0002).

import type { HeldOut } from '../../protocol/vocabulary.ts'
import type { Log } from '../log.ts'
import { readStored } from '../storage/damage.ts'
import type { RunRecord, Snapshot, Storage, StoredDecision, StoredReadings } from '../storage/storage.ts'
import { foldLog, storedDecision } from './fold.ts'
import { heldOutAfter } from './heldOut.ts'
import { encodeReadings, stepRange } from './points.ts'
import { runNotFound } from './runErrors.ts'
import { RunSeries } from './runSeries.ts'
import type { FoldState, Tuner } from './tuner.ts'

/** Of all runs in memory together, as estimated below: a thousand runs of a few signals, or some twenty of 200 metrics. */
export const activeBytesMax = 160 * 1024 * 1024
/** What a run takes beside its series: the tuner's state, mostly, which is bounded. */
const runBytes = 128 * 1024

export type ActiveRun = {
  record: RunRecord
  state: FoldState
  series: RunSeries
  readonly sequences: Map<string, number>
  /** Since the last snapshot. */
  observationsUnsaved: number
  samplesUnsaved: number
}

export type ActiveRunsOptions = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly log: Log
  /** Runs that are being worked on are never let go. */
  readonly isBusy: (runId: string) => boolean
  /** By default `activeBytesMax`. */
  readonly activeBytesMax?: number | undefined
}

export class ActiveRuns {
  private readonly options: ActiveRunsOptions
  private readonly runs = new Map<string, ActiveRun>()
  private readonly sizes = new Map<string, number>()
  private bytes = 0

  constructor(options: ActiveRunsOptions) {
    this.options = options
  }

  /** Only to be called in the run's own line. @throws ServerError `run-not-found`. */
  async get(runId: string): Promise<ActiveRun> {
    const known = this.runs.get(runId)
    const run = known ?? (await this.load(runId))
    this.put(runId, run)
    return run
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

  get size(): number {
    return this.runs.size
  }

  private async load(runId: string): Promise<ActiveRun> {
    const { storage, tuner } = this.options
    const record = await storage.run(runId)
    if (record === undefined) throw runNotFound(runId)
    const snapshot = await storage.snapshot(runId)
    const sequences = new Map(await storage.clientSequences(runId))
    if (snapshot === undefined || snapshot.tunerVersion !== tuner.version)
      return { ...(await this.refold(record)), sequences }
    return { ...(await this.resume(record, snapshot)), sequences }
  }

  private async resume(record: RunRecord, snapshot: Snapshot): Promise<Omit<ActiveRun, 'sequences'>> {
    const { storage, tuner } = this.options
    const series = new RunSeries(storage, record.id, snapshot.series)
    let state = readStored(`snapshot of run "${record.id}"`, () => JSON.parse(snapshot.state) as FoldState)
    let samplesUnsaved = 0
    for await (const page of foldLog(storage, tuner, record.id, { state, after: snapshot.number })) {
      state = page.state
      await series.add([...page.samples, ...page.readingPoints])
      samplesUnsaved += page.samples.reduce((sum, { steps }) => sum + steps.length, 0)
    }
    const observationsUnsaved = record.observationCount - snapshot.number
    return { record, state, series, observationsUnsaved, samplesUnsaved }
  }

  /** Derives everything anew and stores it in one transaction. */
  private async refold(record: RunRecord): Promise<Omit<ActiveRun, 'sequences'>> {
    const { storage, tuner, log } = this.options
    log('info', 'refolding the log', { runId: record.id, observations: record.observationCount })
    const series = new RunSeries(storage, record.id)
    const decisions: StoredDecision[] = []
    const allReadings: StoredReadings[] = []
    let state = tuner.initialState()
    let heldOut: HeldOut | undefined
    for await (const page of foldLog(storage, tuner, record.id, { state, after: 0 })) {
      state = page.state
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

export const snapshotOf = (tuner: Tuner, number: number, state: FoldState, series: RunSeries): Snapshot => ({
  number,
  tunerVersion: tuner.version,
  state: JSON.stringify(state),
  series: series.head(),
})
