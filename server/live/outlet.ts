// One browser's connection as the hub sees it: how many bytes wait to be sent, and where it stands with each
// run. A socket whose buffer is over the budget gets nothing more until it drains; what it missed is read from
// the storage then. So a slow browser costs the server its budget and no more.

import type { Socket } from 'socket.io'
import type { ClientEvents, ServerEvents } from '../../protocol/vocabulary.ts'
import type { Caller } from '../access/caller.ts'

/** Who is at the other end, as the handshake said. */
export type LiveData = { caller: Caller }
export type LiveSocket = Socket<ClientEvents, ServerEvents, BetweenServers, LiveData>
/** What servers on one database tell each other. */
export type BetweenServers = {
  /** They wrote to these runs. */
  changed: (runIds: readonly string[]) => void
  removed: (runId: string, project: string) => void
}

/** Whether what belongs to a project may be told there. */
export const mayHear = ({ data }: Pick<LiveSocket, 'data'>, project: string): boolean =>
  data.caller.project === null || data.caller.project === project

/** Bytes that may wait in one socket's buffers. */
export const socketBudgetBytes = 512 * 1024

type Transport = { readonly socket?: { readonly bufferedAmount?: number }; readonly writable?: boolean }

/** Bytes handed to a socket and not yet taken by the network (text length; close enough for a budget). */
export function waitingBytes(socket: LiveSocket): number {
  const { transport, writeBuffer } = socket.conn as unknown as {
    transport: Transport
    writeBuffer: readonly { readonly data?: unknown }[]
  }
  let bytes = transport.socket?.bufferedAmount ?? 0
  for (const { data } of writeBuffer) if (typeof data === 'string') bytes += data.length
  return bytes
}

export const isOverBudget = (socket: LiveSocket): boolean => waitingBytes(socket) > socketBudgetBytes

/** Where one socket stands with one run. */
export type Subscription = {
  readonly socket: LiveSocket
  readonly runId: string
  readonly points: number
  /** The signals that are sent; undefined = all. */
  readonly signals: ReadonlySet<string> | undefined
  /** Whether summary and decisions are sent within the samples. */
  readonly together: boolean
  /** Its answer is being made: nothing may come before it. */
  isHeld: boolean
  /** Newest decision that was handed to the socket. */
  lastDecision: number
  /** Samples from this step on were left out; undefined = none. */
  missedFromStep: number | undefined
  /** Decisions wait in the storage. */
  missedDecisions: boolean
  missedRun: boolean
}
