// Between a run's record and its row: the same columns in every database.

import type { RunOptions } from '../../protocol/vocabulary.ts'
import type { RemovedRun, RunRecord } from './storage.ts'

export type ColumnValue = null | number | string

export type Row = {
  readonly key: number
  readonly id: string
  readonly name: string
  readonly project: string
  readonly tags: string
  readonly lifecycle: RunRecord['lifecycle']
  readonly created_at: number
  readonly last_seen_at: number
  readonly stale_at: number | null
  readonly flush_seconds_mean: number | null
  readonly steps_per_second: number | null
  readonly observation_count: number
  readonly decision_count: number
  readonly tuner_version: string
  readonly refolded_from: string | null
  readonly summary: string
}

/** What a search looks into: all that a run is called and set to, settings as `name=value`, in small letters. */
export function searchText(
  id: string,
  { name, project, tags }: Pick<RunRecord, 'name' | 'project' | 'tags'>,
  { framework, optimizer, settings }: Pick<RunOptions, 'framework' | 'optimizer' | 'settings'>,
): string {
  const set = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  return [id, name, project, ...tags, framework, optimizer.name, ...set].join('\n').toLowerCase()
}

/** The row's values in the order of the table, without its key. */
export function rowOf(run: RunRecord): ColumnValue[] {
  return [
    run.id,
    run.name,
    run.project,
    JSON.stringify(run.tags),
    run.lifecycle,
    run.createdAt,
    run.lastSeenAt,
    run.staleAt,
    run.flushSecondsMean,
    run.stepsPerSecond,
    run.observationCount,
    run.decisionCount,
    run.tunerVersion,
    run.refoldedFrom,
    JSON.stringify(run.summary),
    ...listedOf(run),
  ]
}

/** What lists are ordered and searched by, beside the columns above. */
function listedOf(run: RunRecord): ColumnValue[] {
  const { step, loss, heldOut, options } = run.summary
  const measured = [heldOut?.loss, heldOut?.lossBest, heldOut?.accuracy, heldOut?.accuracyBest]
  return [step, loss, ...measured.map((value) => value ?? null), searchText(run.id, run, options)]
}

export function recordOf(row: Row): RunRecord {
  return {
    id: row.id,
    name: row.name,
    project: row.project,
    tags: JSON.parse(row.tags) as string[],
    lifecycle: row.lifecycle,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    staleAt: row.stale_at,
    flushSecondsMean: row.flush_seconds_mean,
    stepsPerSecond: row.steps_per_second,
    observationCount: row.observation_count,
    decisionCount: row.decision_count,
    tunerVersion: row.tuner_version,
    refoldedFrom: row.refolded_from,
    summary: JSON.parse(row.summary) as RunRecord['summary'],
  }
}

/** @param row `run` is the key of its other rows */
export const removedOf = (row: {
  readonly run: number
  readonly removedAt: number
  readonly record: string
}): RemovedRun => ({
  key: row.run,
  removedAt: row.removedAt,
  record: JSON.parse(row.record) as RunRecord,
})
