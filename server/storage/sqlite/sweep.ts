// Deletes what is left of deleted runs, a slice per turn of the event loop, so that a deletion never holds up other runs.
// What a crash leaves goes at the next start.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Statement } from './driver.ts'
import { runTables } from './schema.ts'

const sliceRows = 200

export type SweepTools = {
  readonly prepare: (sql: string) => Statement
  readonly transaction: <T>(work: () => T) => T
  /** Keys that stand among the deletions until their intake is finished. */
  readonly intakes: ReadonlySet<number>
}
export type Sweep = {
  start(): void
  /** Resolves when the turn that it is at has ended; it goes no further. */
  stop(): Promise<void>
}

export function createSweep({ prepare, transaction, intakes }: SweepTools): Sweep {
  let isStopped = false
  let sweeping: Promise<void> = Promise.resolve()
  const next = (): number | undefined => {
    const rows = prepare('SELECT run FROM deletions LIMIT ?').all(intakes.size + 1) as { run: number }[]
    return rows.find(({ run }) => !intakes.has(run))?.run
  }
  const removeSlice = (run: number): boolean => {
    for (const table of runTables) {
      const slice = `SELECT rowid FROM ${table} WHERE run = ? LIMIT ${sliceRows}`
      const { changes } = prepare(`DELETE FROM ${table} WHERE rowid IN (${slice})`).run(run)
      if (Number(changes) > 0) return true
    }
    prepare('DELETE FROM deletions WHERE run = ?').run(run)
    return false
  }
  const sweep = async () => {
    for (;;) {
      const run = isStopped ? undefined : next()
      if (run === undefined) return
      if (transaction(() => removeSlice(run))) await nextTurn()
    }
  }
  return {
    start: () => {
      // A failed sweep loses nothing: the run is gone for everyone, its rows wait for the next one.
      sweeping = sweeping.then(sweep).catch(() => {})
    },
    stop: async () => {
      isStopped = true
      await sweeping
    },
  }
}
