// Between a run's record and its row, from a query to SQL, and the statements that more than one file uses.

import type { RunQuery, RunRecord } from '../storage.ts'
import type { SqlValue } from './driver.ts'

/** The key first: null = a new one. */
export const insertRun = `INSERT INTO runs (key, id, name, project, tags, lifecycle, created_at, last_seen_at,
  stale_at, flush_seconds_mean, steps_per_second, observation_count, decision_count, tuner_version,
  refolded_from, summary) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
export const insertClient = `INSERT OR REPLACE INTO clients (run, client_id, last_sequence, last_answer)
  VALUES (?, ?, ?, ?)`
export const selectChunk = `SELECT signal, level, chunk, body FROM chunks
  WHERE run = ? AND signal = ? AND level = ? AND chunk = ?`

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

/** The row's values in the order of the table, without its key. */
export function rowOf(run: RunRecord): SqlValue[] {
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
  ]
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

/** The WHERE clause of a listing and its values. */
export function runFilter(query: RunQuery): { readonly where: string; readonly values: SqlValue[] } {
  const conditions: string[] = []
  const values: SqlValue[] = []
  const add = (condition: string, ...given: SqlValue[]) => {
    conditions.push(condition)
    values.push(...given)
  }
  if (query.after !== undefined) add('key < ?', Number(query.after))
  if (query.project !== undefined) add('project = ?', query.project)
  if (query.tag !== undefined) add('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)', query.tag)
  if (query.state === 'stale') add('stale_at <= ?', query.now)
  else if (query.state !== undefined)
    add('lifecycle = ? AND (stale_at IS NULL OR stale_at > ?)', query.state, query.now)
  if (query.text !== undefined) {
    const pattern = `%${query.text.replace(/[\\%_]/g, '\\$&')}%`
    add("(id LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\')", pattern, pattern)
  }
  return { where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values }
}
