// The run that a log becomes, while the log is read: the tuner's state, the newest buckets of the series, and what of
// both has to be stored next. Its memory does not grow with the log, but for 12 characters a decision.

import { type LogHeader, limits } from '../../protocol/schemas.ts'
import type { Decision, HeldOut, SignalReading } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import { snapshotOf } from '../runs/activeRuns.ts'
import { telemetryAnswer } from '../runs/answers.ts'
import { readingsOf, snapshotChunks } from '../runs/apply.ts'
import { foldObservations, samplePoints, storedDecision } from '../runs/fold.ts'
import { heldOutAfter } from '../runs/heldOut.ts'
import { decodeObservation } from '../runs/observationCodec.ts'
import { type Points, pointsOfReadings } from '../runs/points.ts'
import { firstRecord, nextRecord } from '../runs/runRecord.ts'
import { RunSeries } from '../runs/runSeries.ts'
import type { FoldState, Tuner } from '../runs/tuner.ts'
import type {
  ClientRecord,
  Intake,
  RunRecord,
  Snapshot,
  Storage,
  StoredDecision,
  StoredObservation,
} from '../storage/storage.ts'
import { decisionHash } from './decisionHash.ts'
import { lineError } from './lines.ts'

/** What is stored at once; each is one write to the disk. */
const sliceObservations = 64
const sliceSamples = 4_000

export type GrowingRunOptions = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly intake: Intake
  /** Of the new run. */
  readonly id: string
  readonly header: LogHeader
}
export type Grown = {
  readonly record: RunRecord
  readonly snapshot: Snapshot
  readonly clients: readonly ClientRecord[]
  /** Of the decisions as they would be under the id in the file. */
  readonly hashes: readonly string[]
}

export class GrowingRun {
  private readonly options: GrowingRunOptions
  private readonly series: RunSeries
  private state: FoldState
  private first: RunRecord | undefined
  private observationCount = 0
  private readonly hashes: string[] = []
  private observations: StoredObservation[] = []
  private decisions: StoredDecision[] = []
  private readings: SignalReading[] = []
  private samples = 0
  private heldOut: HeldOut | undefined

  constructor(options: GrowingRunOptions) {
    const { storage, tuner, intake, id } = options
    this.options = options
    this.state = tuner.initialState()
    // Chunks that were let go are among the rows of the intake, not of a run.
    this.series = new RunSeries({ ...storage, chunks: (_id, keys) => intake.chunks(keys) }, id)
  }

  /** @throws ServerError `invalid-request`, `too-many-metrics`, naming the line. */
  async add(given: StoredObservation, line: number): Promise<void> {
    const { tuner } = this.options
    const stored = given.number === 1 ? this.renamed(given) : given
    const observation = decodeObservation(stored)
    const { state, decisions, readings } = foldObservations(tuner, this.state, [observation])
    const samples = samplePoints([observation])
    await this.chart([...samples, ...pointsOfReadings(readings)], line)
    this.state = state
    this.heldOut = heldOutAfter(this.heldOut, readings, () => tuner.summaryOf(state).phases)
    this.observationCount++
    this.observations.push(stored)
    for (const reading of readings) this.readings.push(reading)
    this.samples += samples.reduce((sum, { steps }) => sum + steps.length, 0)
    for (const decision of decisions) this.keep(decision)
    this.first ??= this.firstRecord()
  }

  /** The start names the run. */
  private renamed(start: StoredObservation): StoredObservation {
    const { id, header } = this.options
    if (id === header.run.id) return start
    const body = JSON.parse(start.body) as object
    return { ...start, body: JSON.stringify({ ...body, runId: id }) }
  }

  private keep(decision: Decision): void {
    const stored = storedDecision(decision)
    const { id, header } = this.options
    const isSame = id === header.run.id
    this.decisions.push(stored)
    this.hashes.push(
      decisionHash(isSame ? stored.body : JSON.stringify({ ...decision, runId: header.run.id })),
    )
  }

  private async chart(points: readonly Points[], line: number): Promise<void> {
    try {
      await this.series.add(points)
    } catch (error) {
      if (error instanceof ServerError && error.code === 'invalid-request')
        throw lineError('invalid-request', line, error.message)
      throw error
    }
    const count = this.series.metricCount()
    if (count > limits.metricsMax)
      throw lineError(
        'too-many-metrics',
        line,
        `/body/columns/metrics would bring the run to ${count} own metrics, allowed are ${limits.metricsMax}`,
      )
  }

  private firstRecord(): RunRecord {
    const { tuner, id, header } = this.options
    const { name, project, tags, createdAt, lastSeenAt, flushSecondsMean, stepsPerSecond } = header.run
    const record = firstRecord(id, tuner, this.state, this.hashes.length, Date.parse(createdAt))
    const seen = { lastSeenAt: Date.parse(lastSeenAt), flushSecondsMean, stepsPerSecond }
    return { ...record, name, project, tags, ...seen }
  }

  /** Stores what has come together, if it is much. */
  async storeIfDue(): Promise<void> {
    const isDue =
      this.observations.length >= sliceObservations ||
      this.samples >= sliceSamples ||
      this.series.dirtyCount() >= snapshotChunks
    if (isDue) await this.store()
  }

  private async store(): Promise<void> {
    await this.options.intake.append({
      observations: this.observations,
      decisions: this.decisions,
      ...readingsOf(pointsOfReadings(this.readings), this.observationCount),
      chunks: this.series.dirtyChunks(),
    })
    this.series.markSaved()
    this.observations = []
    this.decisions = []
    this.readings = []
    this.samples = 0
  }

  /** Stores the rest, and tells what makes it a run. To be called after the first observation. */
  async finish(): Promise<Grown> {
    const { tuner, header } = this.options
    await this.store()
    const { first, state, series, observationCount, hashes } = this
    const counts = {
      observations: observationCount - first!.observationCount,
      decisions: hashes.length - first!.decisionCount,
    }
    const record = nextRecord(first!, tuner, state, counts, { now: 0, steps: null }, this.heldOut)
    const clients = header.clients.map(({ clientId, lastSequence }) => {
      const answer = telemetryAnswer(state.actions, record, [], 0, lastSequence + 1)
      return { clientId, lastSequence, lastAnswer: JSON.stringify(answer) }
    })
    return { record, snapshot: snapshotOf(tuner, observationCount, state, series), clients, hashes }
  }
}
