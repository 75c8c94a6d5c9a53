// A run's record from its folded state and the time of its batches: what lists and heads of pages show.
// `stale` is never stored: it is what a record looks like some time after its last telemetry, and it ends by
// itself with the next batch.

import type { HeldOut, RunState, RunSummary } from '../../protocol/vocabulary.ts'
import { isoTime } from '../clock.ts'
import type { RunRecord } from '../storage/storage.ts'
import type { FoldState, Tuner } from './tuner.ts'

/** A run is stale after the larger of a minute and 20 of its usual pauses between batches. */
export const staleSecondsMin = 60
export const staleFlushes = 20
/** One long pause (an outage, a suspended laptop) must not stretch the usual one. */
export const flushSecondsMax = 60
const smoothing = 0.2

const smooth = (mean: number | null, value: number) =>
  mean === null ? value : mean + smoothing * (value - mean)

/** When a run last seen then becomes stale; null if it never does in this state. */
function staleTime(record: Pick<RunRecord, 'lifecycle' | 'lastSeenAt' | 'flushSecondsMean'>): number | null {
  if (record.lifecycle !== 'running' && record.lifecycle !== 'waiting') return null
  const seconds = Math.max(staleSecondsMin, staleFlushes * (record.flushSecondsMean ?? 0))
  return Math.round(record.lastSeenAt + 1_000 * seconds)
}

export const isStale = (record: RunRecord, now: number): boolean =>
  record.staleAt !== null && now >= record.staleAt

export const stateOf = (record: RunRecord, now: number): RunState =>
  isStale(record, now) ? 'stale' : record.lifecycle

/** The summary as shown at a time. */
export function summaryAt(record: RunRecord, now: number): RunSummary {
  const { summary, name, project, tags } = record
  return {
    ...summary,
    options: { ...summary.options, name, project, tags },
    state: stateOf(record, now),
    decisionCount: record.decisionCount,
    createdAt: isoTime(record.createdAt),
    lastSeenAt: isoTime(record.lastSeenAt),
    stepsPerSecond: record.stepsPerSecond,
  }
}

export type Seen = {
  readonly now: number
  /** Steps in the batch; null if it was no telemetry (a person's command keeps a silent run stale). */
  readonly steps: number | null
}

/** The record after a batch was folded into `state`. */
export function nextRecord(
  record: RunRecord,
  tuner: Tuner,
  state: FoldState,
  counts: { readonly observations: number; readonly decisions: number },
  seen: Seen,
  heldOut: HeldOut | undefined,
): RunRecord {
  const timing = seen.steps === null ? record : timed(record, seen.now, seen.steps)
  const next = {
    ...timing,
    lifecycle: state.lifecycle,
    observationCount: record.observationCount + counts.observations,
    decisionCount: record.decisionCount + counts.decisions,
  }
  // The arms of a search are there only while it goes on.
  const { race: _, ...before } = record.summary
  return {
    ...next,
    staleAt: staleTime(next),
    summary: {
      ...before,
      ...tuner.summaryOf(state),
      ...(heldOut === undefined ? {} : { heldOut }),
      state: state.lifecycle,
      decisionCount: next.decisionCount,
    },
  }
}

function timed(record: RunRecord, now: number, steps: number): RunRecord {
  const elapsed = (now - record.lastSeenAt) / 1_000
  const flush = Math.min(Math.max(elapsed, 0), flushSecondsMax)
  return {
    ...record,
    lastSeenAt: Math.max(now, record.lastSeenAt),
    flushSecondsMean: smooth(record.flushSecondsMean, flush),
    stepsPerSecond:
      elapsed > 0 && steps > 0 ? smooth(record.stepsPerSecond, steps / elapsed) : record.stepsPerSecond,
  }
}

/** The record of a run that begins. */
export function firstRecord(
  id: string,
  tuner: Tuner,
  state: FoldState,
  decisions: number,
  now: number,
): RunRecord {
  const head = tuner.summaryOf(state)
  const record = {
    id,
    name: head.options.name,
    project: head.options.project,
    tags: head.options.tags,
    lifecycle: state.lifecycle,
    createdAt: now,
    lastSeenAt: now,
    flushSecondsMean: null,
    stepsPerSecond: null,
    observationCount: 1,
    decisionCount: decisions,
    tunerVersion: tuner.version,
    refoldedFrom: null,
    summary: {
      ...head,
      id,
      state: state.lifecycle,
      decisionCount: decisions,
      createdAt: isoTime(now),
      lastSeenAt: isoTime(now),
      stepsPerSecond: null,
    },
  }
  return { ...record, staleAt: staleTime(record) }
}
