// Messages on their way, oldest first: in memory while the server answers, in the spool when it does not. The
// spool's messages are always older than memory's, so order is kept whichever way a message went.

import type { Spool } from './spool.ts'

/** A telemetry body as it is sent and spooled. */
export type Message = {
  readonly clientId: string
  readonly sequence: number
  readonly steps?: { readonly step: readonly number[] }
}

export type MessageQueue = {
  /** The newest message that an earlier process left in the spool. */
  readonly lastLeft: Message | undefined
  oldest(): Message | undefined
  removeOldest(): void
  /** Takes a message, into memory if `direct` and nothing older is on disk. false = there is no room. */
  add(message: Message, direct: boolean): boolean
  /** Moves memory's messages to the spool, as far as it takes them. */
  spill(): void
  /** Drops what is in memory. */
  forget(): void
}

const parse = (line: string | undefined): Message | undefined =>
  line === undefined ? undefined : (JSON.parse(line) as Message)

export function createMessageQueue(spool: Spool, memoryMax: number): MessageQueue {
  const memory: Message[] = []
  const spill = (): void => {
    while (memory.length > 0 && spool.append(JSON.stringify(memory[0]))) memory.shift()
  }
  return {
    lastLeft: parse(spool.lastLeft),
    oldest: () => parse(spool.peek()) ?? memory[0],
    removeOldest: () => {
      if (spool.isEmpty) memory.shift()
      else spool.shift()
    },
    add: (message, direct) => {
      if (!direct || !spool.isEmpty || memory.length >= memoryMax) {
        spill()
        if (memory.length === 0 && spool.append(JSON.stringify(message))) return true
      }
      return memory.length < memoryMax && memory.push(message) > 0
    },
    spill,
    forget: () => {
      memory.length = 0
    },
  }
}
