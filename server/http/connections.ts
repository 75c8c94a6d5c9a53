// Connections are bounded, of all peers together and of each. At the bound the newest is let in, and one goes that has not yet sent
// all of a request: first the oldest that sends nothing (half open, or idle), then the oldest whose body is still on its way. So
// those who hold connections open displace each other, and whoever sends a request at once is answered.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export type ConnectionBounds = {
  readonly connectionsMax: number
  /** A proxy, or this computer with all its jobs and pages, is one peer. */
  readonly connectionsPerPeerMax: number
}
export const connectionBounds: ConnectionBounds = { connectionsMax: 1_000, connectionsPerPeerMax: 600 }

type Connection = {
  readonly peer: string
  /** The newest request and its answer; undefined = none yet. */
  last: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined
}

const isIdle = ({ last }: Connection): boolean =>
  last === undefined || last.response.writableFinished || last.response.destroyed
const isOnItsWay = ({ last }: Connection): boolean => last?.request.complete === false

/** @param bounds live connections, which have a bound of their own, do not count */
export function boundConnections(server: Server, bounds: ConnectionBounds = connectionBounds): void {
  const { connectionsMax, connectionsPerPeerMax } = bounds
  // In the order in which they came.
  const connections = new Map<Socket, Connection>()
  const perPeer = new Map<string, number>()
  const forget = (socket: Socket) => {
    const { peer } = connections.get(socket) ?? {}
    if (peer === undefined) return
    connections.delete(socket)
    const left = perPeer.get(peer)! - 1
    if (left === 0) perPeer.delete(peer)
    else perPeer.set(peer, left)
  }
  const firstOf = (but: Socket, isMeant: (one: Connection) => boolean): Socket | undefined => {
    for (const [socket, one] of connections) if (socket !== but && isMeant(one)) return socket
    return undefined
  }
  const displace = (newest: Socket, isOfPeer: (peer: string) => boolean) => {
    const gone =
      firstOf(newest, (one) => isIdle(one) && isOfPeer(one.peer)) ??
      firstOf(newest, (one) => isOnItsWay(one) && isOfPeer(one.peer)) ??
      newest
    forget(gone)
    gone.destroy()
  }
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress ?? ''
    connections.set(socket, { peer, last: undefined })
    perPeer.set(peer, (perPeer.get(peer) ?? 0) + 1)
    socket.once('close', () => forget(socket))
    if (perPeer.get(peer)! > connectionsPerPeerMax) displace(socket, (other) => other === peer)
    else if (connections.size > connectionsMax) displace(socket, () => true)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket)
    if (connection !== undefined) connection.last = { request, response }
  })
  server.prependListener('upgrade', (request: IncomingMessage) => forget(request.socket))
}
