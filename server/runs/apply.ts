// Fold, then append and save: how a batch of observations becomes part of a run. It is folded beside the run's present
// state, and becomes that state only after the one transaction that stores it, so that a failed write leaves what is
// stored as it was; what is in memory of the run is then forgotten, and read again from there.

import type { Decision, Observation, RunOptions } from '../../protocol/vocabulary.ts'
import { type Clock, isoTime } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { isMoved, runMoved } from '../storage/fence.ts'
import type { Batch, RunRecord, Storage, StoredObservation } from '../storage/storage.ts'
import type { Listeners } from '../webhooks/webhooks.ts'
import { type ActiveRun, type ForeignEvent, snapshotOf } from './activeRuns.ts'
import { foldObservations, samplePoints, storedDecision } from './fold.ts'
import { heldOutAfter } from './heldOut.ts'
import { encodeObservation, type ObservationBody } from './observationCodec.ts'
import { encodeReadings, type Points, pointsOfReadings, stepRange } from './points.ts'
import { firstRecord, nextRecord } from './runRecord.ts'
import { RunSeries } from './runSeries.ts'
import type { FoldState, Tuner } from './tuner.ts'

/**
 * A snapshot is due after this much of the log: the newest chunks of all series are most of what it writes, and those that are not
 * full yet are written again by the next. Who reads a run after a restart folds at most that much again (some 40 ms).
 */
export const snapshotSamples = 16_000
export const snapshotObservations = 64
export const snapshotChunks = 2_000

export type RunEvent =
  | ForeignEvent
  | { readonly kind: 'removed'; readonly runId: string; readonly project: string }

export type ApplyContext = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly clock: Clock
  readonly log: Log
  /** How long things took. */
  readonly metrics: Pick<Metrics, 'folded' | 'stored'>
  readonly webhooks: Pick<Listeners, 'owed' | 'stored'>
  /** Called after the write, in the run's line. */
  readonly committed: (run: ActiveRun, event: RunEvent) => void
  /** The write failed: what is in memory of the run no longer counts. */
  readonly failed: (runId: string) => void
}

export function readingsOf(points: readonly Points[], number: number): Pick<Batch, 'readings'> {
  const range = stepRange(points)
  if (range === undefined) return {}
  return { readings: { number, fromStep: range.from, toStep: range.to, body: encodeReadings(points) } }
}

const snapshotParts = (tuner: Tuner, number: number, state: FoldState, series: RunSeries) => ({
  chunks: series.dirtyChunks(),
  snapshot: snapshotOf(tuner, number, state, series),
})

/** Starts a run: its first observation and what follows from it. */
export async function beginRun(
  context: ApplyContext,
  runId: string,
  options: RunOptions,
): Promise<ActiveRun> {
  const { storage, tuner, clock, webhooks } = context
  const now = clock.now()
  const body: ObservationBody = { kind: 'start', runId, options }
  const observation: Observation = { ...body, number: 1, receivedAt: isoTime(now) }
  const { state, decisions, readings } = foldObservations(tuner, tuner.initialState(), [observation])
  const series = new RunSeries(storage, runId)
  const points = pointsOfReadings(readings)
  await series.add(points)
  const record = firstRecord(runId, tuner, state, decisions.length, now)
  const deliveries = webhooks.owed({ before: undefined, after: record, decisions })
  const isNew = await storage.createRun({
    run: record,
    observations: [encodeObservation(body, { number: 1, receivedAt: now })],
    decisions: decisions.map(storedDecision),
    ...readingsOf(points, 1),
    deliveries,
    ...snapshotParts(tuner, 1, state, series),
  })
  // Another server was faster.
  if (!isNew) throw runMoved(runId, 0)
  series.markSaved()
  webhooks.stored(deliveries)
  const run: ActiveRun = {
    record,
    state,
    series,
    sequences: new Map(),
    observationsUnsaved: 0,
    samplesUnsaved: 0,
  }
  context.committed(run, { kind: 'batch', record, decisions, points })
  return run
}

/** What a batch makes of a run: computed, and not yet stored. */
export type FoldedBatch = {
  readonly record: RunRecord
  readonly state: FoldState
  readonly decisions: readonly Decision[]
  readonly observations: readonly StoredObservation[]
  readonly samples: readonly Points[]
  readonly readings: readonly Points[]
  /** Samples in a telemetry batch; null for what did not come from the job. */
  readonly steps: number | null
}

/**
 * Folds observations beside the run's present state; nothing of the run changes.
 * @param steps samples in a telemetry batch; null = not from the job
 */
export function foldBatch(
  { tuner, clock, metrics }: ApplyContext,
  run: ActiveRun,
  bodies: readonly ObservationBody[],
  steps: number | null = null,
): FoldedBatch {
  const now = clock.now()
  const first = run.record.observationCount + 1
  const receivedAt = isoTime(now)
  const observations = bodies.map((body, i): Observation => ({ ...body, number: first + i, receivedAt }))
  const began = clock.monotonic()
  const { state, decisions, readings } = foldObservations(tuner, run.state, observations)
  metrics.folded(observations.length, (clock.monotonic() - began) / 1_000)
  const counts = { observations: bodies.length, decisions: decisions.length }
  const phasesOf = () => tuner.summaryOf(state).phases
  const heldOut = heldOutAfter(run.record.summary.heldOut, readings, phasesOf)
  return {
    record: nextRecord(run.record, tuner, state, counts, { now, steps }, heldOut),
    state,
    decisions,
    observations: bodies.map((body, i) => encodeObservation(body, { number: first + i, receivedAt: now })),
    samples: samplePoints(observations),
    readings: pointsOfReadings(readings),
    steps,
  }
}

/**
 * Stores a folded batch, whole or not at all, and makes it the run's state. `client` is the row of the client that
 * sent it.
 * @throws ServerError from the storage; the run in memory, whose series have the batch already, is dropped then.
 */
export async function saveBatch(
  context: ApplyContext,
  run: ActiveRun,
  batch: FoldedBatch,
  client?: Batch['client'],
): Promise<void> {
  const { storage, tuner, log, metrics, clock, webhooks } = context
  const { record, state, decisions } = batch
  const points = [...batch.samples, ...batch.readings]
  await run.series.add(points)
  const observationsUnsaved = run.observationsUnsaved + batch.observations.length
  const samplesUnsaved = run.samplesUnsaved + (batch.steps ?? 0)
  const save =
    samplesUnsaved >= snapshotSamples ||
    observationsUnsaved >= snapshotObservations ||
    run.series.dirtyCount() >= snapshotChunks
  const deliveries = webhooks.owed({ before: run.record, after: record, decisions })
  const began = clock.monotonic()
  try {
    await storage.append({
      run: record,
      observations: batch.observations,
      decisions: decisions.map(storedDecision),
      ...readingsOf(batch.readings, record.observationCount),
      ...(client === undefined ? {} : { client }),
      deliveries,
      ...(save ? snapshotParts(tuner, record.observationCount, state, run.series) : {}),
    })
  } catch (error) {
    context.failed(record.id)
    if (!isMoved(error)) log('error', 'a batch could not be stored', { runId: record.id, error })
    throw error
  }
  metrics.stored((clock.monotonic() - began) / 1_000)
  webhooks.stored(deliveries)
  if (save) run.series.markSaved()
  run.observationsUnsaved = save ? 0 : observationsUnsaved
  run.samplesUnsaved = save ? 0 : samplesUnsaved
  run.record = record
  run.state = state
  context.committed(run, { kind: 'batch', record, decisions, points })
}
