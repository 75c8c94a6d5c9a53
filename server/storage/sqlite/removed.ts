// Deletion, in two steps: a run that is removed is in no list and under no address, and all of it is kept, so that it can
// be restored; after some days, or at once where somebody wants it so, it is deleted for good. A deletion has to work on a
// full disk, where it gives up the reserve (room.ts); and while the disk is nearly full it is for good at once, as a run
// that is kept would free nothing.

import { type Row, recordOf, removedOf, rowOf } from '../rows.ts'
import type { RemovedRun, RunRecord, Storage } from '../storage.ts'
import type { Acknowledged } from './acknowledged.ts'
import type { SqlValue } from './driver.ts'
import { sqliteCode, sqliteFull } from './openDatabase.ts'
import { freeBytesMin } from './place.ts'
import type { Room } from './room.ts'
import { insertRun } from './rows.ts'
import { observationsAfter } from './seriesReads.ts'
import type { Tools } from './tools.ts'

// The first two values are the only project; null = all are.
const selectRemoved = `SELECT run, id, removed_at AS removedAt, record FROM removed
  WHERE (? IS NULL OR record ->> '$.project' = ?)`
type RemovedRow = {
  readonly run: number
  readonly id: string
  readonly removedAt: number
  readonly record: string
}

export type RemovedTools = Tools & {
  readonly startSweep: () => void
  readonly room: Room
  readonly freeBytes: () => number
  /** None where the database is only read. */
  readonly acknowledged: Acknowledged | undefined
}

export function createRemoved(
  tools: RemovedTools,
): Pick<
  Storage,
  'deleteRun' | 'removeRun' | 'restoreRun' | 'removedRuns' | 'removedObservations' | 'purgeRemoved'
> {
  const { prepare, transaction, attempt, keyOf, startSweep, room, freeBytes, acknowledged } = tools
  const get = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).get(...values) as T | undefined
  const all = <T>(sql: string, ...values: SqlValue[]) => prepare(sql).all(...values) as T[]
  /** A small write, also on a full disk. */
  const write = (work: () => void) => {
    try {
      transaction(work)
    } catch (error) {
      if (sqliteCode(error) !== sqliteFull || !room.release()) throw error
      transaction(work)
    }
  }
  const remove = (runId: string, keep: (key: number) => void): boolean => {
    const key = keyOf(runId)
    if (key === -1) return false
    write(() => {
      keep(key)
      prepare('DELETE FROM runs WHERE key = ?').run(key)
    })
    acknowledged?.removed(runId)
    return true
  }
  const forget = (key: number) => void prepare('INSERT INTO deletions (run) VALUES (?)').run(key)
  const deleteNow = (runId: string) => {
    const isDeleted = remove(runId, forget)
    if (isDeleted) startSweep()
    return isDeleted
  }
  return {
    deleteRun: (runId) => attempt(() => deleteNow(runId)),
    removeRun: (runId, at) =>
      attempt(() => {
        if (freeBytes() < freeBytesMin) return deleteNow(runId)
        return remove(runId, (key) => {
          const record = recordOf(prepare('SELECT * FROM runs WHERE key = ?').get(key) as Row)
          prepare('INSERT INTO removed (run, id, removed_at, record) VALUES (?, ?, ?, ?)').run(
            key,
            runId,
            at,
            JSON.stringify(record),
          )
        })
      }),
    restoreRun: (runId, { within, removedAt } = {}) =>
      attempt(() => {
        const at = removedAt ?? null
        const sql = `${selectRemoved} AND id = ? AND (? IS NULL OR removed_at = ?) ORDER BY removed_at DESC, run DESC LIMIT 1`
        const row = prepare(sql).get(within ?? null, within ?? null, runId, at, at) as RemovedRow | undefined
        if (row === undefined) return undefined
        const record = JSON.parse(row.record) as RunRecord
        transaction(() => {
          prepare(insertRun).run(row.run, ...rowOf(record))
          prepare('DELETE FROM removed WHERE run = ?').run(row.run)
        })
        return record
      }),
    removedRuns: (within) =>
      attempt(() =>
        (
          prepare(`${selectRemoved} ORDER BY removed_at DESC, run DESC`).all(
            within ?? null,
            within ?? null,
          ) as RemovedRow[]
        ).map(removedOf),
      ),
    removedObservations:
      ({ key }: RemovedRun) =>
      (id, query) =>
        attempt(() => observationsAfter({ get, all }, { id, key }, query)),
    purgeRemoved: (before) =>
      attempt(() => {
        const rows = prepare('SELECT run FROM removed WHERE removed_at < ? LIMIT 100').all(before) as {
          run: number
        }[]
        for (const { run } of rows)
          write(() => {
            prepare('DELETE FROM removed WHERE run = ?').run(run)
            forget(run)
          })
        if (rows.length > 0) startSweep()
        return rows.length
      }),
  }
}
