// Lists of runs on SQLite. What a list is ordered and searched by stands in columns of its own, and all of them in one
// index (schema.ts), so that finding, counting and ordering read that index alone and never a summary; only the rows of
// the page are then read whole. One narrow pass over all runs: 10,000 take some 10 ms.

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
import type { SqlValue } from './driver.ts'

type All = <T>(sql: string, ...values: SqlValue[]) => T[]

const dialect: Dialect = {
  runs: 'runs INDEXED BY runs_list',
  runsByTag: 'runs INDEXED BY runs_list, json_each(tags)',
  tag: 'value',
  hasTag: 'EXISTS (SELECT 1 FROM json_each(runs.tags) AS one WHERE one.value = ?)',
  hasWord: 'instr(search, ?) > 0',
}

export function listRuns(all: All, query: RunQuery): RunPage {
  const queries = pageQueries(dialect, query)
  const counted = ({ text, values }: Sql) => all<{ count: number }>(text, ...values)[0]!.count
  const found = all<Cursor>(queries.page.text, ...queries.page.values)
  const everything = counted(queries.all)
  const total = queries.total.text === queries.all.text ? everything : counted(queries.total)
  const keys = JSON.stringify(found.map(({ key }) => key))
  const rows = all<Row>('SELECT * FROM runs WHERE key IN (SELECT value FROM json_each(?))', keys)
  const records = new Map(rows.map((row) => [row.key, recordOf(row)]))
  return pageOf(found, query.limit, records, { total, all: everything })
}

export function countRuns(all: All, now: number, within?: string): RunCounts {
  const { states, projects, tags } = countQueries(dialect, now, within)
  return countsOf(
    all<NameCount<RunState>>(states.text, ...states.values),
    all<NameCount>(projects.text, ...projects.values),
    all<NameCount>(tags.text, ...tags.values),
  )
}

export function groupRuns(all: All, query: Omit<RunQuery, 'limit'>, by: 'project' | 'tag'): RunGroup[] {
  const { text, values } = groupQuery(dialect, query, by)
  return all<GroupRow>(text, ...values).map(groupOf)
}
