// What a run is brought into memory from, on any connection: the pool's, or that of a view.

import { limits } from '../../../protocol/limits.ts'
import { type Row, recordOf } from '../rows.ts'
import type { RunReads } from '../storage.ts'
import { type DerivedTools, derivedReads } from './derived.ts'
import { observationsAfter } from './seriesReads.ts'
import { keySql } from './tools.ts'

const selectSequences = `SELECT client_id AS id, last_sequence AS last FROM clients WHERE run = ${keySql(1)}
  ORDER BY written DESC LIMIT ${limits.clientsMax}`

export function runReads(tools: DerivedTools): RunReads {
  const { query, attempt } = tools
  return {
    run: (runId) =>
      attempt(async () => {
        const [row] = await query<Row>('SELECT * FROM runs WHERE id = $1', runId)
        return row && recordOf(row)
      }),
    observations: (runId, wanted) => attempt(() => observationsAfter(query, runId, wanted)),
    clientSequences: (runId) =>
      attempt(async () => {
        const rows = await query<{ id: string; last: number }>(selectSequences, runId)
        return new Map(rows.reverse().map(({ id, last }) => [id, last]))
      }),
    ...derivedReads(tools),
  }
}
