// Connections are bounded, of all peers together and of each. At the bound the newest is let in, and one goes that the server has nothing
// to do for: first the oldest that sends nothing (half open, or idle), then the oldest whose body is still on its way, then the oldest
// that does not take its answer. So those who hold connections open displace each other, and whoever sends a request at once is answered.
// Answers that nobody takes are bounded, too: in bytes, all of them together, and in time.
// When the server ends, a connection that is idle is ended at once, and each other one when its answers have been taken.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export type ConnectionBounds = {
  readonly connectionsMax: number
  /** A proxy, or this computer with all its jobs and pages, is one peer. */
  readonly connectionsPerPeerMax: number
  /** Requests that are sent one after the other without waiting for an answer; no browser and no client of ours does. */
  readonly pipelinedMax: number
  /** Bytes of all answers that wait to be taken; beyond them the oldest connection with one goes. */
  readonly unreadBytesMax: number
  /** A connection is closed whose answer moves no further for so long, or twice as long (Node first looks whether it did), and an idle one. */
  readonly silentMilliseconds: number
}
export const connectionBounds: ConnectionBounds = {
  connectionsMax: 1_000,
  connectionsPerPeerMax: 600,
  pipelinedMax: 16,
  unreadBytesMax: 256 * 1024 * 1024,
  silentMilliseconds: 30_000,
}

type Connection = {
  readonly peer: string
  /** The newest request; undefined = none yet. */
  last: IncomingMessage | undefined
  /** Answers that are not sent, the newest at the end. */
  readonly open: Set<ServerResponse>
}
export type Connections = {
  /** From now on an answer is the last one of its connection, and says so. */
  sayLast(): void
  /** Ends all of them, live ones too, whatever they wait for. Returns how many there were. */
  cutOff(): number
}

const isIdle = ({ open }: Connection): boolean => open.size === 0
const isOnItsWay = ({ last }: Connection): boolean => last?.complete === false
/** Something was written that the other end has not taken yet. */
const isUnread = ({ writableLength }: Socket): boolean => writableLength > 0

/** A file that is compressed as it is sent is listened to at a dozen places. */
const listenersMax = 20

const markLast = (response: ServerResponse | undefined): void => {
  if (response?.headersSent === false) response.setHeader('Connection', 'close')
}

/** Node tells no answer of its end that was to follow another one on its connection: who writes it would wait for ever. */
function giveUp(response: ServerResponse): void {
  if (response.socket !== null) return
  response.destroy()
  response.emit('close')
}

/** @param bounds live connections, which have a bound of their own, do not count */
export function boundConnections(server: Server, bounds: ConnectionBounds = connectionBounds): Connections {
  const { connectionsMax, connectionsPerPeerMax, pipelinedMax, unreadBytesMax, silentMilliseconds } = bounds
  // In the order in which they came.
  const connections = new Map<Socket, Connection>()
  /** With those that have become live. */
  const sockets = new Set<Socket>()
  let isLast = false
  const perPeer = new Map<string, number>()
  const forget = (socket: Socket) => {
    const { peer } = connections.get(socket) ?? {}
    if (peer === undefined) return
    connections.delete(socket)
    const left = perPeer.get(peer)! - 1
    if (left === 0) perPeer.delete(peer)
    else perPeer.set(peer, left)
  }
  const end = (socket: Socket) => {
    forget(socket)
    socket.destroy()
  }
  const firstOf = (
    but: Socket,
    isMeant: (one: Connection, socket: Socket) => boolean,
  ): Socket | undefined => {
    for (const [socket, one] of connections) if (socket !== but && isMeant(one, socket)) return socket
    return undefined
  }
  const displace = (newest: Socket, isOfPeer: (peer: string) => boolean) => {
    end(
      firstOf(newest, (one) => isIdle(one) && isOfPeer(one.peer)) ??
        firstOf(newest, (one) => isOnItsWay(one) && isOfPeer(one.peer)) ??
        firstOf(newest, (one, socket) => isUnread(socket) && isOfPeer(one.peer)) ??
        newest,
    )
  }
  const boundUnread = (newest: Socket) => {
    let waiting = 0
    for (const { writableLength } of connections.keys()) waiting += writableLength
    while (waiting > unreadBytesMax) {
      const oldest = firstOf(newest, (_one, socket) => isUnread(socket))
      if (oldest === undefined) return
      waiting -= oldest.writableLength
      end(oldest)
    }
  }
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress ?? ''
    const open = new Set<ServerResponse>()
    sockets.add(socket)
    connections.set(socket, { peer, last: undefined, open })
    perPeer.set(peer, (perPeer.get(peer) ?? 0) + 1)
    socket.once('close', () => {
      sockets.delete(socket)
      forget(socket)
      for (const response of open) giveUp(response)
    })
    if (perPeer.get(peer)! > connectionsPerPeerMax) displace(socket, (other) => other === peer)
    else if (connections.size > connectionsMax) displace(socket, () => true)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket)
    if (connection === undefined) return
    connection.last = request
    connection.open.add(response)
    if (isLast) markLast(response)
    response.setMaxListeners(listenersMax)
    response.once('close', () => {
      connection.open.delete(response)
      if (!server.listening && isIdle(connection)) end(request.socket)
    })
    if (connection.open.size > pipelinedMax) end(request.socket)
    boundUnread(request.socket)
  })
  // Nothing moved either way. What is being worked on, or waits for its body, has bounds of its own.
  server.setTimeout(silentMilliseconds, (socket) => {
    const connection = connections.get(socket)
    if (connection !== undefined && (isUnread(socket) || isIdle(connection))) end(socket)
  })
  server.prependListener('upgrade', (request: IncomingMessage) => forget(request.socket))
  // Called by `close`. Node's own takes an answer for sent that is written and not yet taken, and cuts it off.
  server.closeIdleConnections = () => {
    for (const [socket, one] of connections) if (isIdle(one)) end(socket)
  }
  return {
    sayLast: () => {
      isLast = true
      for (const { open } of connections.values()) markLast([...open].at(-1))
    },
    cutOff: () => {
      const { size } = sockets
      for (const socket of sockets) socket.destroy()
      return size
    },
  }
}
