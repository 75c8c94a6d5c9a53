// Lists of runs on SQLite. What a list is ordered and searched by stands in columns of its own, and all of them in one
// index (schema.ts), so that finding, counting and ordering read that index alone and never a summary; only the rows of
// the page are then read whole. One narrow pass over all runs: 10,000 take some 10 ms.

import type { RunCounts, RunGroup, RunSort, RunState } from '../../../protocol/vocabulary.ts'
import { ServerError } from '../../errors.ts'
import type { RunPage, RunQuery, RunRecord } from '../storage.ts'
import type { SqlValue } from './driver.ts'
import { type Row, recordOf } from './rows.ts'

type All = <T>(sql: string, ...values: SqlValue[]) => T[]
type Sql = { readonly text: string; readonly values: readonly SqlValue[] }

const namesMax = 100
const groupsMax = 200

/** `now` once. */
const state = "CASE WHEN stale_at <= ? THEN 'stale' ELSE lifecycle END"
/** As people look at them: what asks for somebody first. */
const stateOrder: readonly RunState[] = ['waiting', 'running', 'paused', 'stale', 'diverged', 'finished']
const stateRank = `CASE ${state} ${stateOrder.map((name, i) => `WHEN '${name}' THEN ${i}`).join(' ')} END`

const sorts: Readonly<Record<RunSort, string>> = {
  seen: 'last_seen_at',
  created: 'created_at',
  name: 'lower(name)',
  state: stateRank,
  step: 'step',
  loss: 'loss',
  heldOut: 'held_out_loss',
  heldOutBest: 'held_out_loss_best',
  accuracy: 'accuracy',
  accuracyBest: 'accuracy_best',
  duration: 'last_seen_at - created_at',
}

/** The WHERE clause of a listing. */
function filterOf(query: Omit<RunQuery, 'limit'>): Sql {
  const conditions: string[] = []
  const values: SqlValue[] = []
  const add = (condition: string, ...given: SqlValue[]) => {
    conditions.push(condition)
    values.push(...given)
  }
  if (query.within !== undefined) add('project = ?', query.within)
  if (query.project !== undefined) add('project = ?', query.project)
  if (query.tag !== undefined)
    add('EXISTS (SELECT 1 FROM json_each(runs.tags) AS one WHERE one.value = ?)', query.tag)
  if (query.state === 'stale') add('stale_at <= ?', query.now)
  else if (query.state !== undefined)
    add('lifecycle = ? AND (stale_at IS NULL OR stale_at > ?)', query.state, query.now)
  const words = query.text?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
  for (const word of words) add('instr(search, ?) > 0', word)
  return { text: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values }
}

/** Where a page ended: whether its last run waited, the value that it is ordered by, its key. */
type Cursor = { readonly rank: number; readonly value: SqlValue; readonly key: number }

const encodeCursor = ({ rank, value, key }: Cursor): string =>
  Buffer.from(JSON.stringify([rank, value, key])).toString('base64url')

function decodeCursor(text: string): Cursor {
  try {
    const [rank, value, key] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    const isValue = value === null || typeof value === 'number' || typeof value === 'string'
    if (Number.isInteger(rank) && Number.isInteger(key) && isValue)
      return { rank: rank as number, value, key: key as number }
  } catch {
    // As below: it is none of ours.
  }
  throw new ServerError('invalid-request', '?after must be the "next" of an earlier answer', {
    errors: [{ pointer: '?after', detail: 'must be the "next" of an earlier answer' }],
  })
}

/** What comes after a cursor: by rank, then runs with a value in their order, then those without, then by key. */
function afterSql({ rank, value, key }: Cursor, order: 'asc' | 'desc'): Sql {
  const beyond = order === 'asc' ? '>' : '<'
  const inRank =
    value === null
      ? { text: `value IS NULL AND key ${beyond} ?`, values: [key] }
      : {
          text: `value IS NULL OR value ${beyond} ? OR (value = ? AND key ${beyond} ?)`,
          values: [value, value, key],
        }
  return { text: `WHERE rank > ? OR (rank = ? AND (${inRank.text}))`, values: [rank, rank, ...inRank.values] }
}

export function listRuns(all: All, query: RunQuery): RunPage {
  const { sort = 'created', order = 'desc', waitingFirst = false, limit, now } = query
  const filter = filterOf(query)
  const rank = waitingFirst ? `(${state}) <> 'waiting'` : '0'
  const after = query.after === undefined ? undefined : afterSql(decodeCursor(query.after), order)
  const sql = `SELECT key, rank, value FROM
    (SELECT key, ${rank} AS rank, ${sorts[sort]} AS value FROM runs INDEXED BY runs_list ${filter.text})
    ${after?.text ?? ''} ORDER BY rank, value IS NULL, value ${order}, key ${order} LIMIT ?`
  const nows = [...(waitingFirst ? [now] : []), ...(sort === 'state' ? [now] : [])]
  const found = all<Cursor>(sql, ...nows, ...filter.values, ...(after?.values ?? []), limit + 1)
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const counted = (text: string, values: readonly SqlValue[]) =>
    all<{ count: number }>(`SELECT count(*) AS count FROM runs INDEXED BY runs_list ${text}`, ...values)[0]!
      .count
  const whole = filterOf({ now, ...(query.within === undefined ? {} : { within: query.within }) })
  const everything = counted(whole.text, whole.values)
  return {
    runs: recordsOf(all, page),
    next: found.length > limit && last !== undefined ? encodeCursor(last) : null,
    total: filter.text === whole.text ? everything : counted(filter.text, filter.values),
    all: everything,
  }
}

function recordsOf(all: All, page: readonly Cursor[]): RunRecord[] {
  const keys = JSON.stringify(page.map(({ key }) => key))
  const rows = all<Row>('SELECT * FROM runs WHERE key IN (SELECT value FROM json_each(?))', keys)
  const byKey = new Map(rows.map((row) => [row.key, row]))
  return page.map(({ key }) => recordOf(byKey.get(key)!))
}

export function countRuns(all: All, now: number, within?: string): RunCounts {
  const { text, values } = filterOf({ now, ...(within === undefined ? {} : { within }) })
  const named = (from: string, column: string) =>
    all<{ name: string; count: number }>(
      `SELECT ${column} AS name, count(*) AS count FROM ${from} ${text} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${namesMax}`,
      ...values,
    ).map(({ name, count }) => ({ name, count }))
  const states = all<{ name: RunState; count: number }>(
    `SELECT ${state} AS name, count(*) AS count FROM runs INDEXED BY runs_list ${text} GROUP BY 1`,
    now,
    ...values,
  )
  return {
    states: stateOrder.flatMap((name) =>
      states.filter((one) => one.name === name).map((one) => ({ ...one })),
    ),
    projects: named('runs INDEXED BY runs_list', 'project'),
    tags: named('runs INDEXED BY runs_list, json_each(tags)', 'value'),
  }
}

type GroupRow = { readonly name: string; readonly count: number } & Readonly<Record<string, number | null>>

const spreads = { loss: 'loss', heldOutBest: 'held_out_loss_best', accuracyBest: 'accuracy_best' } as const
const spreadSql = Object.entries(spreads)
  .flatMap(([name, column]) =>
    ['count', 'avg', 'min', 'max'].map((of) => `${of}(${column}) AS ${name}_${of}`),
  )
  .join(', ')

function spreadOf(row: GroupRow, name: keyof typeof spreads): RunGroup['loss'] {
  const [count, mean, min, max] = ['count', 'avg', 'min', 'max'].map((of) => row[`${name}_${of}`] ?? null)
  return count && mean !== null && min !== null && max !== null
    ? { count, mean: mean!, min: min!, max: max! }
    : null
}

export function groupRuns(all: All, query: Omit<RunQuery, 'limit'>, by: 'project' | 'tag'): RunGroup[] {
  const { text, values } = filterOf(query)
  const [from, column] =
    by === 'tag'
      ? ['runs INDEXED BY runs_list, json_each(tags)', 'value']
      : ['runs INDEXED BY runs_list', 'project']
  return all<GroupRow>(
    `SELECT ${column} AS name, count(*) AS count, ${spreadSql} FROM ${from} ${text}
     GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${groupsMax}`,
    ...values,
  ).map((row) => ({
    name: row.name,
    count: row.count,
    loss: spreadOf(row, 'loss'),
    heldOutBest: spreadOf(row, 'heldOutBest'),
    accuracyBest: spreadOf(row, 'accuracyBest'),
  }))
}
