// The SQL of lists of runs, which differs little between databases: each says in a dialect what does. `?` is a value's place.

import type { RunCounts, RunGroup, RunSort, RunState } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import type { ColumnValue } from './rows.ts'
import type { RunPage, RunQuery, RunRecord } from './storage.ts'

export type Dialect = {
  /** The table, with what makes it read by its index. */
  readonly runs: string
  /** The table beside each of its tags, and the tag. */
  readonly runsByTag: string
  readonly tag: string
  /** Whether a run has a tag, and whether its search text has a word: one value each. */
  readonly hasTag: string
  readonly hasWord: string
}

export type Sql = { readonly text: string; readonly values: readonly ColumnValue[] }

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
function filterOf(dialect: Dialect, query: Omit<RunQuery, 'limit'>): Sql {
  const conditions: string[] = []
  const values: ColumnValue[] = []
  const add = (condition: string, ...given: ColumnValue[]) => {
    conditions.push(condition)
    values.push(...given)
  }
  if (query.within !== undefined) add('project = ?', query.within)
  if (query.project !== undefined) add('project = ?', query.project)
  if (query.tag !== undefined) add(dialect.hasTag, query.tag)
  if (query.state === 'stale') add('stale_at <= ?', query.now)
  else if (query.state !== undefined)
    add('lifecycle = ? AND (stale_at IS NULL OR stale_at > ?)', query.state, query.now)
  const words = query.text?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
  for (const word of words) add(dialect.hasWord, word)
  return { text: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values }
}

/** Where a page ended: whether its last run waited, the value that it is ordered by, its key. */
export type Cursor = { readonly rank: number; readonly value: ColumnValue; readonly key: number }

const encodeCursor = ({ rank, value, key }: Cursor): string =>
  Buffer.from(JSON.stringify([rank, value, key])).toString('base64url')

/** What a sort orders by, so that a database never gets a value of another type, nor one that it cannot hold. */
function isValueOf(sort: RunSort, value: unknown): value is ColumnValue {
  switch (sort) {
    case 'name':
      return typeof value === 'string' && !/[\0\p{Cs}]/u.test(value)
    case 'state':
      return stateOrder.some((_state, rank) => rank === value)
    case 'seen':
    case 'created':
    case 'duration':
      return value === null || Number.isSafeInteger(value)
    default:
      return value === null || Number.isFinite(value)
  }
}

function decodeCursor(text: string, sort: RunSort): Cursor {
  try {
    const [rank, value, key] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if ((rank === 0 || rank === 1) && Number.isSafeInteger(key) && isValueOf(sort, value))
      return { rank, value, key: key as number }
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

/** The page: one more row than asked for, so that its end is known; how many match; how many there are. */
export function pageQueries(dialect: Dialect, query: RunQuery): { page: Sql; total: Sql; all: Sql } {
  const { sort = 'created', order = 'desc', waitingFirst = false, limit, now } = query
  const filter = filterOf(dialect, query)
  const rank = waitingFirst ? `CASE WHEN (${state}) = 'waiting' THEN 0 ELSE 1 END` : '0'
  const after = query.after === undefined ? undefined : afterSql(decodeCursor(query.after, sort), order)
  const text = `SELECT key, rank, value FROM
    (SELECT key, ${rank} AS rank, ${sorts[sort]} AS value FROM ${dialect.runs} ${filter.text}) AS listed
    ${after?.text ?? ''} ORDER BY rank, value IS NULL, value ${order}, key ${order} LIMIT ?`
  const nows = [...(waitingFirst ? [now] : []), ...(sort === 'state' ? [now] : [])]
  const counted = ({ text, values }: Sql): Sql => ({
    text: `SELECT count(*) AS count FROM ${dialect.runs} ${text}`,
    values,
  })
  const within = query.within === undefined ? {} : { within: query.within }
  return {
    page: { text, values: [...nows, ...filter.values, ...(after?.values ?? []), limit + 1] },
    total: counted(filter),
    all: counted(filterOf(dialect, { now, ...within })),
  }
}

/** @param records of the page's keys, by key */
export function pageOf(
  found: readonly Cursor[],
  limit: number,
  records: ReadonlyMap<number, RunRecord>,
  counts: Pick<RunPage, 'total' | 'all'>,
): RunPage {
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return {
    // One that was deleted between the two reads is in no list.
    runs: page.flatMap(({ key }) => records.get(key) ?? []),
    next: found.length > limit && last !== undefined ? encodeCursor(last) : null,
    ...counts,
  }
}

export type NameCount<T extends string = string> = { readonly name: T; readonly count: number }

export function countQueries(
  dialect: Dialect,
  now: number,
  within?: string,
): { states: Sql; projects: Sql; tags: Sql } {
  const { text, values } = filterOf(dialect, { now, ...(within === undefined ? {} : { within }) })
  const named = (from: string, column: string): Sql => ({
    text: `SELECT ${column} AS name, count(*) AS count FROM ${from} ${text} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${namesMax}`,
    values,
  })
  return {
    states: {
      text: `SELECT ${state} AS name, count(*) AS count FROM ${dialect.runs} ${text} GROUP BY 1`,
      values: [now, ...values],
    },
    projects: named(dialect.runs, 'project'),
    tags: named(dialect.runsByTag, dialect.tag),
  }
}

export function countsOf(
  states: readonly NameCount<RunState>[],
  projects: readonly NameCount[],
  tags: readonly NameCount[],
): RunCounts {
  const plain = <T extends string>({ name, count }: NameCount<T>) => ({ name, count })
  return {
    states: stateOrder.flatMap((name) => states.filter((one) => one.name === name).map(plain)),
    projects: projects.map(plain),
    tags: tags.map(plain),
  }
}

export type GroupRow = { readonly name: string; readonly count: number } & Readonly<
  Record<string, number | null>
>

const spreads = { loss: 'loss', heldOutBest: 'held_out_loss_best', accuracyBest: 'accuracy_best' } as const
const spreadSql = Object.entries(spreads)
  .flatMap(([name, column]) =>
    ['count', 'avg', 'min', 'max'].map((of) => `${of}(${column}) AS "${name}_${of}"`),
  )
  .join(', ')

function spreadOf(row: GroupRow, name: keyof typeof spreads): RunGroup['loss'] {
  const [count, mean, min, max] = ['count', 'avg', 'min', 'max'].map((of) => row[`${name}_${of}`] ?? null)
  return count && mean !== null && min !== null && max !== null
    ? { count, mean: mean!, min: min!, max: max! }
    : null
}

export function groupQuery(dialect: Dialect, query: Omit<RunQuery, 'limit'>, by: 'project' | 'tag'): Sql {
  const { text, values } = filterOf(dialect, query)
  const [from, column] = by === 'tag' ? [dialect.runsByTag, dialect.tag] : [dialect.runs, 'project']
  return {
    text: `SELECT ${column} AS name, count(*) AS count, ${spreadSql} FROM ${from} ${text}
     GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${groupsMax}`,
    values,
  }
}

export const groupOf = (row: GroupRow): RunGroup => ({
  name: row.name,
  count: row.count,
  loss: spreadOf(row, 'loss'),
  heldOutBest: spreadOf(row, 'heldOutBest'),
  accuracyBest: spreadOf(row, 'accuracyBest'),
})
