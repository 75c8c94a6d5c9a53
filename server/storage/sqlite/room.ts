// Room on the disk. A file of zeros lies beside the database, given up when a deletion finds the disk full: to delete, too,
// SQLite has to write first. What a deletion has freed goes back to the disk in small steps (databases of before schema 7
// keep it for what comes; a backup that is restored has none to give back).

import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import type { Database } from './driver.ts'
import { busyMilliseconds } from './openDatabase.ts'
import { freeBytesMin, privateFile } from './place.ts'

/** As much as a slice of a deletion may write before it is folded into the database. */
export const reserveBytes = 4 * 1024 * 1024
const pagesAtOnce = 128

export type Room = {
  /** Whether the reserve is given up: then each slice is folded at once. */
  readonly isShort: boolean
  /** False where there was none. */
  release(): boolean
  /** Lays the reserve where there is room for it. */
  lay(): void
  /** What the runs take, without pages that are free. */
  usedBytes(): number
  /** Gives some freed pages back; false where there are none. */
  giveBack(): boolean
  /** Folds the write-ahead log into the database, whose file becomes as long as it has to be. */
  fold(): void
}

export function createRoom(
  database: Database,
  file: string,
  { reserve, freeBytes }: { readonly reserve: number; readonly freeBytes: () => number },
): Room {
  const path = `${file}-reserve`
  // A kill leaves it there.
  let isLaid = reserve > 0 && statSync(path, { throwIfNoEntry: false })?.size === reserve
  let isShort = false
  const number = (pragma: string) =>
    Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() as object)[0])
  return {
    get isShort() {
      return isShort
    },
    release: () => {
      if (!isLaid) return false
      rmSync(path, { force: true })
      isLaid = false
      isShort = true
      return true
    },
    lay: () => {
      if (isLaid || reserve === 0 || freeBytes() < Math.min(freeBytesMin, 2 * reserve)) return
      try {
        const handle = openSync(path, 'w', privateFile)
        try {
          writeSync(handle, Buffer.alloc(reserve))
          fsyncSync(handle)
        } finally {
          closeSync(handle)
        }
        isLaid = true
        isShort = false
      } catch {
        // No room for it after all; the next deletion tries again.
        rmSync(path, { force: true })
      }
    },
    usedBytes: () => (number('page_count') - number('freelist_count')) * number('page_size'),
    giveBack: () => {
      const free = number('freelist_count')
      if (free === 0) return false
      database.exec(`PRAGMA incremental_vacuum(${pagesAtOnce})`)
      return number('freelist_count') < free
    },
    fold: () => {
      if (!isShort) return database.exec('PRAGMA wal_checkpoint(PASSIVE)')
      // Readers of this process (views.ts) cannot go on while this waits for them, so it does not.
      database.exec('PRAGMA busy_timeout = 0')
      try {
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      } finally {
        database.exec(`PRAGMA busy_timeout = ${busyMilliseconds}`)
      }
    },
  }
}
