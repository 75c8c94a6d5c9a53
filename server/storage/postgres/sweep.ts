// Deletes what is left of deleted runs, a slice a statement, so that a deletion never holds up other runs. Rows of a run that
// was being taken in when its server died are due an hour after its last slice. Several servers may sweep at once.

import { runTables } from '../tables.ts'
import type { Tools } from './tools.ts'

const sliceRows = 1_000

export type Sweep = {
  start(): void
  /** Resolves when nothing is left to delete. */
  settled(): Promise<void>
  /** Resolves when the statement that it is at has ended; it goes no further. */
  stop(): Promise<void>
}

export function createSweep({ query }: Pick<Tools, 'query'>): Sweep {
  let isStopped = false
  let sweeping: Promise<void> = Promise.resolve()
  const removeRows = async (run: number) => {
    for (const table of runTables)
      for (let isLeft = true; isLeft && !isStopped; ) {
        const slice = `SELECT ctid FROM ${table} WHERE run = $1 LIMIT ${sliceRows}`
        const sql = `WITH gone AS (DELETE FROM ${table} WHERE ctid = ANY (ARRAY(${slice})) RETURNING 1)
          SELECT count(*) AS count FROM gone`
        isLeft = (await query<{ count: number }>(sql, run))[0]!.count > 0
      }
    if (!isStopped) await query('DELETE FROM deletions WHERE run = $1', run)
  }
  const sweep = async () => {
    while (!isStopped) {
      const [due] = await query<{ run: number }>('SELECT run FROM deletions WHERE due <= now() LIMIT 1')
      if (due === undefined) return
      await removeRows(due.run)
    }
  }
  return {
    start: () => {
      // A failed sweep loses nothing: the run is gone for everyone, its rows wait for the next one.
      sweeping = sweeping.then(sweep).catch(() => {})
    },
    settled: () => sweeping,
    stop: async () => {
      isStopped = true
      await sweeping
    },
  }
}
