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
  /** The request that is at work; undefined = none. */
  request: IncomingMessage | undefined
}

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
      firstOf(newest, (one) => one.request === undefined && isOfPeer(one.peer)) ??
      firstOf(newest, (one) => one.request?.complete === false && isOfPeer(one.peer)) ??
      newest
    forget(gone)
    gone.destroy()
  }
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress ?? ''
    connections.set(socket, { peer, request: undefined })
    perPeer.set(peer, (perPeer.get(peer) ?? 0) + 1)
    socket.once('close', () => forget(socket))
    if (perPeer.get(peer)! > connectionsPerPeerMax) displace(socket, (other) => other === peer)
    else if (connections.size > connectionsMax) displace(socket, () => true)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket)
    if (connection === undefined) return
    connection.request = request
    response.once('close', () => {
      if (connection.request === request) connection.request = undefined
    })
  })
  server.prependListener('upgrade', (request: IncomingMessage) => forget(request.socket))
}
