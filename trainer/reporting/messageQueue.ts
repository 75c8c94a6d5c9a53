// Messages on their way, oldest first: in memory while the server answers, in the spool when it does not. The
// spool's messages are always older than memory's, so order is kept whichever way a message went.

import type { Spool } from './spool.ts'

/** A telemetry body as it is sent and spooled. */
export type Message = {
  readonly clientId: string
  readonly sequence: number
  readonly steps?: { readonly step: readonly number[]; readonly [column: string]: readonly unknown[] }
}

export type MessageQueue = {
  /** The newest message that an earlier process left in the spool. */
  readonly lastLeft: Message | undefined
  oldest(): Message | undefined
  removeOldest(): void
  /** Takes a message, into memory if `direct` and nothing older is on disk. false = there is no room. */
  add(message: Message, direct: boolean): boolean
  /** Numbers all that waits from `first` on, in the spool too; the last number, or undefined where the spool could not be written. */
  renumber(first: number): number | undefined
  /** Moves memory's messages to the spool, as far as it takes them. */
  spill(): void
  /** Drops what is in memory. */
  forget(): void
  /** Where messages are that nobody has taken, and where they are once memory is gone: each the end of a sentence. */
  readonly whereWaiting: string
  readonly whereLeft: string
}

const parse = (line: string | undefined): Message | undefined =>
  line === undefined ? undefined : (JSON.parse(line) as Message)

const refusalOf = ({ problem }: Spool) =>
  problem === undefined ? 'is full' : `cannot be written (${problem})`

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
    renumber: (first) => {
      let next = first
      const renumbered = (line: string) =>
        JSON.stringify({ ...(JSON.parse(line) as Message), sequence: next++ })
      if (!spool.rewrite(renumbered)) return undefined
      for (const [i, message] of memory.entries()) memory[i] = { ...message, sequence: next++ }
      return next - 1
    },
    spill,
    forget: () => {
      memory.length = 0
    },
    get whereWaiting() {
      if (memory.length === 0) return `reports wait in ${spool.file}`
      return `reports wait in memory, as ${spool.file} ${refusalOf(spool)}`
    },
    get whereLeft() {
      const left = spool.isEmpty ? [] : [`the rest waits in ${spool.file}`]
      const steps = memory.reduce((sum, message) => sum + (message.steps?.step.length ?? 0), 0)
      if (memory.length > 0)
        left.push(`${steps} steps could not be kept, as ${spool.file} ${refusalOf(spool)}`)
      return left.join(', and ')
    },
  }
}
