// A storage whose views answer nothing until a test lets them: so that something can happen in the middle of a read.

import type { Storage, View } from '../storage/storage.ts'

export type SlowReads = {
  /** Views that were opened. */
  readonly opened: () => number
  /** Lets all go on, and those that come. */
  release(): void
}

export function slowReads(storage: Storage): SlowReads {
  const given = storage.view
  let opened = 0
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow =
    <Args extends unknown[], T>(read: (...args: Args) => Promise<T>) =>
    async (...args: Args) => {
      await released
      return read(...args)
    }
  const view = async (): Promise<View> => {
    opened++
    const { chunkRange, rowNumbers, row, ...rest } = await given()
    return { ...rest, chunkRange: slow(chunkRange), rowNumbers: slow(rowNumbers), row: slow(row) }
  }
  ;(storage as { view: Storage['view'] }).view = view
  return { opened: () => opened, release: () => release() }
}
