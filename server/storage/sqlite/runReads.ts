// What a run is brought into memory from, on any connection: the storage's own, or one that stands at one moment (views.ts).

import { type Row, recordOf } from '../rows.ts'
import type { RunReads } from '../storage.ts'
import { createClients } from './clients.ts'
import { type DerivedTools, derivedReads } from './derived.ts'
import type { SqlValue } from './driver.ts'
import { keyIn, observationsAfter } from './seriesReads.ts'

export function runReads({
  prepare,
  attempt,
  damage,
}: Pick<DerivedTools, 'prepare' | 'attempt' | 'damage'>): RunReads {
  const get = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).get(...values) as T | undefined
  const all = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).all(...values) as T[]
  const keyOf = (runId: string) => keyIn({ get }, runId)
  const tools = { prepare, attempt, keyOf }
  return {
    run: (runId) =>
      attempt(() => {
        const row = get<Row>('SELECT * FROM runs WHERE id = ?', runId)
        return row && recordOf(row)
      }),
    observations: (runId, query) =>
      attempt(() => observationsAfter({ get, all }, { id: runId, key: keyOf(runId) }, query)),
    clientSequences: createClients(tools).reads.clientSequences,
    ...derivedReads({ ...tools, damage }),
  }
}
