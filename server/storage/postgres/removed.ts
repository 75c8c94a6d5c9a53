// Deletion in two steps, as on SQLite: a run that is removed is in no list and all of it is kept; after some days, or at once
// where somebody wants it so, it is deleted for good.

import { type Row, recordOf, removedOf } from '../rows.ts'
import type { RemovedRun, RunRecord, Storage } from '../storage.ts'
import { observationsAfter } from './seriesReads.ts'
import type { Sweep } from './sweep.ts'
import type { Tools } from './tools.ts'
import { insertSql, rowValues } from './write.ts'

// The first value is the only project; null = all are.
const selectRemoved = `SELECT run, removed_at AS "removedAt", record, bytes FROM removed
  WHERE ($1::text IS NULL OR project = $1)`
type RemovedRow = {
  readonly run: number
  readonly removedAt: number
  readonly record: string
  readonly bytes: number
}
const deleteForGood = `WITH gone AS (DELETE FROM runs WHERE id = $1 RETURNING key)
  INSERT INTO deletions (run) SELECT key FROM gone RETURNING run`
const purge = `WITH gone AS (DELETE FROM removed WHERE run IN
    (SELECT run FROM removed WHERE removed_at < $1 ORDER BY removed_at LIMIT 100) RETURNING run)
  INSERT INTO deletions (run) SELECT run FROM gone RETURNING run`

export type RemovedTools = Tools & { readonly sweep: Sweep; readonly forget: (runId: string) => void }

export function createRemoved(
  tools: RemovedTools,
): Pick<
  Storage,
  'deleteRun' | 'removeRun' | 'restoreRun' | 'removedRuns' | 'removedObservations' | 'purgeRemoved'
> {
  const { query, transaction, attempt, sweep, forget } = tools
  return {
    deleteRun: (runId) =>
      attempt(async () => {
        forget(runId)
        const gone = await query(deleteForGood, runId)
        if (gone.length > 0) sweep.start()
        return gone.length > 0
      }),
    removeRun: (runId, at) =>
      attempt(() => {
        forget(runId)
        return transaction(async (inside) => {
          const [row] = await inside<Row & { readonly bytes: number }>(
            'DELETE FROM runs WHERE id = $1 RETURNING *',
            runId,
          )
          if (row === undefined) return false
          const record = JSON.stringify(recordOf(row))
          await inside(
            'INSERT INTO removed (run, id, project, removed_at, record, bytes) VALUES ($1, $2, $3, $4, $5, $6)',
            ...[row.key, runId, row.project, at, record, row.bytes],
          )
          return true
        })
      }),
    restoreRun: (runId, { within, removedAt } = {}) =>
      attempt(() =>
        transaction(async (inside) => {
          const sql = `${selectRemoved} AND id = $2 AND ($3::bigint IS NULL OR removed_at = $3) ORDER BY removed_at DESC, run DESC LIMIT 1 FOR UPDATE`
          const [row] = await inside<RemovedRow>(sql, within ?? null, runId, removedAt ?? null)
          if (row === undefined) return undefined
          const record = JSON.parse(row.record) as RunRecord
          const made = await inside(insertSql, row.run, ...rowValues(record), row.bytes)
          if (made.length === 0) throw new Error(`there is another run ${runId}`)
          await inside('DELETE FROM removed WHERE run = $1', row.run)
          return record
        }),
      ),
    removedRuns: (within) =>
      attempt(async () => {
        const rows = await query<RemovedRow>(
          `${selectRemoved} ORDER BY removed_at DESC, run DESC`,
          within ?? null,
        )
        return rows.map(removedOf)
      }),
    removedObservations:
      ({ key }: RemovedRun) =>
      (id, wanted) =>
        attempt(() => observationsAfter(query, id, wanted, key)),
    purgeRemoved: (before) =>
      attempt(async () => {
        const gone = await query(purge, before)
        // Rows that became due meanwhile, too.
        sweep.start()
        return gone.length
      }),
  }
}
