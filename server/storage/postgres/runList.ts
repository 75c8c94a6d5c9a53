// Lists of runs on PostgreSQL: one pass over the narrow columns of all runs (a summary lies outside of its row), then the
// rows of the page.

import type { RunCounts, RunGroup, RunState } from '../../../protocol/vocabulary.ts'
import { type Row, recordOf } from '../rows.ts'
import {
  type Cursor,
  countQueries,
  countsOf,
  type Dialect,
  type GroupRow,
  groupOf,
  groupQuery,
  type NameCount,
  pageOf,
  pageQueries,
  type Sql,
} from '../runLists.ts'
import type { RunPage, RunQuery } from '../storage.ts'
import type { Query } from './connect.ts'
import { numbered } from './tools.ts'

// In the collation "C" small letters, order and search go by bytes, as in SQLite.
const dialect: Dialect = {
  runs: 'runs',
  runsByTag: `runs, LATERAL (SELECT value COLLATE "C" AS tag FROM jsonb_array_elements_text(tags::jsonb) AS one(value)) AS tagged`,
  tag: 'tag',
  hasTag:
    'EXISTS (SELECT 1 FROM jsonb_array_elements_text(runs.tags::jsonb) AS one(value) WHERE one.value = ?)',
  hasWord: 'strpos(search, ?) > 0',
}

const rowsOf = <T>(query: Query, { text, values }: Sql): Promise<T[]> => query<T>(numbered(text), ...values)

export async function listRuns(query: Query, wanted: RunQuery): Promise<RunPage> {
  const queries = pageQueries(dialect, wanted)
  const counted = async (sql: Sql) => (await rowsOf<{ count: number }>(query, sql))[0]!.count
  const found = await rowsOf<Cursor>(query, queries.page)
  const all = await counted(queries.all)
  const total = queries.total.text === queries.all.text ? all : await counted(queries.total)
  const rows = await query<Row>(
    'SELECT * FROM runs WHERE key = ANY ($1::bigint[])',
    found.map(({ key }) => key),
  )
  const records = new Map(rows.map((row) => [row.key, recordOf(row)]))
  return pageOf(found, wanted.limit, records, { total, all })
}

export async function countRuns(query: Query, now: number, within?: string): Promise<RunCounts> {
  const { states, projects, tags } = countQueries(dialect, now, within)
  return countsOf(
    await rowsOf<NameCount<RunState>>(query, states),
    await rowsOf<NameCount>(query, projects),
    await rowsOf<NameCount>(query, tags),
  )
}

export async function groupRuns(
  query: Query,
  wanted: Omit<RunQuery, 'limit'>,
  by: 'project' | 'tag',
): Promise<RunGroup[]> {
  return (await rowsOf<GroupRow>(query, groupQuery(dialect, wanted, by))).map(groupOf)
}
