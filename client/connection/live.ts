// The live socket: one connection for the page, kept alive by our own timer. Views say what they want to
// follow; after every connection, the first included, each wish is sent again with what it already has, so
// a lost connection costs a catch-up and never a reload. Its code is loaded after the first answers over HTTP:
// what is known already is drawn before what may change it is waited for.

import { signal } from '@preact/signals'
import type { Socket } from 'socket.io-client'
import type { ClientEvents, ServerEvents } from '../../protocol/vocabulary.ts'
import { firstAnswers } from './api.ts'
import { basePath } from './base.ts'
import { isProblem, type Messages, readMessage, trouble } from './read.ts'
import { retryDelayMs } from './retry.ts'
import { heldToken, noteRefusal, refusal } from './token.ts'

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
  /** @param again whether the page had been told that it was disconnected, if only of its first attempt */
  readonly ask: (socket: LiveSocket, again: boolean) => void
  readonly leave?: (socket: LiveSocket) => void
}

export const connection = signal<ConnectionState>({ kind: 'connecting' })

let socket: LiveSocket | null = null
let attempt = 0
let timer: ReturnType<typeof setTimeout> | undefined
const followed = new Set<Following>()
const listeners = new Set<{ readonly event: keyof ServerEvents; readonly heard: Heard }>()

/** Longest wait for the first answers before the connection is opened anyway, in milliseconds. */
const firstAnswersMsMax = 3_000

/** Opens the connection, after the first answers over HTTP; to be called once, when the page starts. */
export async function startLive(): Promise<void> {
  listen('problem', ({ detail }) => {
    trouble.value = detail
  })
  addEventListener('online', retryNow)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && connection.peek().kind === 'lost') retryNow()
  })
  await Promise.race([firstAnswers, new Promise((resolve) => setTimeout(resolve, firstAnswersMsMax))])
  await open()
}

/** Loads the socket's code and connects. */
async function open(): Promise<void> {
  try {
    const { io } = await import('socket.io-client')
    const token = heldToken()
    const opened: LiveSocket = io('/live', {
      path: `${basePath}/socket.io`,
      reconnection: false,
      transports: ['websocket', 'polling'],
      auth: token === null ? {} : { token },
    })
    socket = opened
    for (const { event, heard } of listeners) opened.on(event, heard)
    opened.on('connect', () => {
      const again = connection.peek().kind === 'lost'
      attempt = 0
      connection.value = { kind: 'live' }
      for (const following of followed) following.ask(opened, again)
    })
    opened.on('disconnect', scheduleRetry)
    opened.on('connect_error', (error) => {
      const { data } = error as Error & { readonly data?: unknown }
      if (isProblem(data)) noteRefusal(data)
      scheduleRetry()
    })
  } catch {
    // A browser may keep a failed import for as long as the page lives.
    trouble.value = 'The live connection could not be loaded: what follows is not shown. Load the page anew.'
  }
}

/** The socket while it is connected. */
export const connected = (): LiveSocket | null => (socket?.connected ? socket : null)

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
  // With a token that is refused there is nothing to try again.
  if (socket !== null && !socket.connected && refusal.peek() === null) socket.connect()
}

/** A message that cannot be read is not handed on. */
export const reading =
  <Name extends keyof ServerEvents>(name: Name, handler: (message: Messages[Name]) => void): Heard =>
  (given) => {
    const message = readMessage(name, given)
    if (message.ok) handler(message.value)
  }

/** Hears an event, over each connection, until the returned function is called. */
export function listen<Name extends keyof ServerEvents>(
  name: Name,
  handler: (message: Messages[Name]) => void,
): () => void {
  const event: keyof ServerEvents = name
  const heard = reading(name, handler)
  const listener = { event, heard }
  listeners.add(listener)
  socket?.on(event, heard)
  return () => {
    listeners.delete(listener)
    socket?.off(event, heard)
  }
}

/** Follows something until the returned function is called. */
export function follow(following: Following): () => void {
  followed.add(following)
  if (socket?.connected) following.ask(socket, false)
  return () => {
    followed.delete(following)
    if (socket?.connected) following.leave?.(socket)
  }
}
