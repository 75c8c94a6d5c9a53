// The live socket: one connection for the page, kept alive by our own timer. Views say what they want to
// follow; after every connection, the first included, each wish is sent again with what it already has, so
// a lost connection costs a catch-up and never a reload.

import { signal } from '@preact/signals'
import { io, type Socket } from 'socket.io-client'
import type { ClientEvents, ServerEvents } from '../../protocol/vocabulary.ts'
import { type Messages, readMessage, trouble } from './read.ts'
import { retryDelayMs } from './retry.ts'

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly sinceMs: number; readonly retryAtMs: number }

/** What the server sends is unknown until it is read. */
type Heard = (given: unknown) => void
type Asked<Event> = Event extends (request: infer Request, answer: never) => void
  ? Parameters<Event> extends [unknown]
    ? (request: Request) => void
    : (request: Request, answer: Heard) => void
  : never
export type LiveSocket = Socket<
  Record<keyof ServerEvents, Heard>,
  { [Name in keyof ClientEvents]: Asked<ClientEvents[Name]> }
>

/** What a view follows: asked for at once when connected, and again after each reconnection. */
export type Following = {
  readonly ask: (socket: LiveSocket) => void
  readonly leave?: (socket: LiveSocket) => void
}

export const connection = signal<ConnectionState>({ kind: 'connecting' })

let socket: LiveSocket | null = null
let attempt = 0
let timer: ReturnType<typeof setTimeout> | undefined
const followed = new Set<Following>()

/** Opens the connection; to be called once, when the page starts. */
export function startLive(): LiveSocket {
  const opened: LiveSocket = io('/live', { reconnection: false, transports: ['websocket', 'polling'] })
  socket = opened
  opened.on('connect', () => {
    attempt = 0
    connection.value = { kind: 'live' }
    for (const following of followed) following.ask(opened)
  })
  listen(opened, 'problem', ({ detail }) => {
    trouble.value = detail
  })
  opened.on('disconnect', scheduleRetry)
  opened.on('connect_error', scheduleRetry)
  addEventListener('online', retryNow)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && connection.peek().kind === 'lost') retryNow()
  })
  return opened
}

function scheduleRetry(): void {
  attempt += 1
  const now = Date.now()
  const before = connection.peek()
  const delay = retryDelayMs(attempt)
  connection.value = {
    kind: 'lost',
    sinceMs: before.kind === 'lost' ? before.sinceMs : now,
    retryAtMs: now + delay,
  }
  clearTimeout(timer)
  timer = setTimeout(retryNow, delay)
}

/** Tries to connect at once; does nothing while connected. */
export function retryNow(): void {
  clearTimeout(timer)
  if (socket !== null && !socket.connected) socket.connect()
}

/** Hears an event until the returned function is called. A message that cannot be read is not handed on. */
export function listen<Name extends keyof ServerEvents>(
  opened: LiveSocket,
  name: Name,
  handler: (message: Messages[Name]) => void,
): () => void {
  const event: keyof ServerEvents = name
  const heard: Heard = (given) => {
    const message = readMessage(name, given)
    if (message.ok) handler(message.value)
  }
  opened.on(event, heard)
  return () => {
    opened.off(event, heard)
  }
}

/** Follows something until the returned function is called. */
export function follow(following: Following): () => void {
  followed.add(following)
  if (socket?.connected) following.ask(socket)
  return () => {
    followed.delete(following)
    if (socket?.connected) following.leave?.(socket)
  }
}
