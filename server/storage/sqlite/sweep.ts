// Deletes what is left of deleted runs, a slice per turn of the event loop, so that a deletion never holds up other runs.
// What a crash leaves goes at the next start. Then the room goes back to the disk (room.ts).

import { setImmediate as nextTurn } from 'node:timers/promises'
import { runTables } from '../tables.ts'
import { sqliteCode, sqliteFull } from './openDatabase.ts'
import type { Room } from './room.ts'
import type { Tools } from './tools.ts'

const sliceRows = 200

export type SweepTools = Pick<Tools, 'prepare' | 'transaction'> & {
  /** Keys that stand among the deletions until their intake is finished. */
  readonly intakes: ReadonlySet<number>
  readonly room: Room
}
export type Sweep = {
  start(): void
  /** Resolves when nothing is left to delete. */
  settled(): Promise<void>
  /** Resolves when the turn that it is at has ended; it goes no further. */
  stop(): Promise<void>
}

export function createSweep({ prepare, transaction, intakes, room }: SweepTools): Sweep {
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
  /** A slice, also on a full disk: then with what the reserve gives. */
  const step = (run: number): boolean => {
    try {
      return transaction(() => removeSlice(run))
    } catch (error) {
      if (sqliteCode(error) !== sqliteFull) throw error
      if (!room.isShort && !room.release()) throw error
      room.fold()
      return transaction(() => removeSlice(run))
    }
  }
  const sweep = async () => {
    let isChanged = false
    for (let run = next(); run !== undefined && !isStopped; run = next()) {
      isChanged = true
      step(run)
      if (room.isShort) room.fold()
      await nextTurn()
    }
    while (isChanged && !isStopped && room.giveBack()) {
      if (room.isShort) room.fold()
      await nextTurn()
    }
    if (isChanged && !isStopped) room.fold()
    if (!isStopped) room.lay()
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
