// A list of runs that is asked for and not read yet, and whether it is read before the storage is closed: what a server has in hand
// as it ends.

import type { Storage } from '../storage/storage.ts'

export type HeldList = {
  /** Resolves when the first list is asked for. */
  readonly asked: Promise<void>
  /** What has come to pass. */
  readonly order: readonly ('read' | 'closed')[]
  /** Lets it be read. */
  goOn(): void
}

/** From now on lists of this storage wait. */
export function holdLists(storage: Storage): HeldList {
  const { listRuns, close } = storage
  const order: ('read' | 'closed')[] = []
  let [goOn, isAsked] = [() => {}, () => {}]
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve
  })
  Object.assign(storage, {
    listRuns: async (query: Parameters<typeof listRuns>[0]) => {
      isAsked()
      await waiting
      order.push('read')
      return listRuns(query)
    },
    close: () => {
      order.push('closed')
      return close()
    },
  })
  return { asked, order, goOn }
}
