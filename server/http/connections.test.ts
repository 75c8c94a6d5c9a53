import { createServer, get, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { boundConnections } from './connections.ts'

let server: Server
let port = 0
const held: Socket[] = []
afterEach(async () => {
  for (const socket of held.splice(0)) socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** Answers each request once its body is there. */
async function listen(bounds: { connectionsMax: number; connectionsPerPeerMax: number }) {
  server = createServer((request, response) => {
    request.on('end', () => response.end('here'))
    request.resume()
  })
  boundConnections(server, bounds)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
}

/** Sends a part of a request and no more; resolves when the server has accepted the connection. */
async function hold(part: string): Promise<Socket> {
  const accepted = new Promise((resolve) => server.once('connection', resolve))
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  held.push(socket)
  socket.write(part)
  await accepted
  return socket
}

const ask = () =>
  new Promise<string>((resolve, reject) => {
    get({ port, agent: false }, (response) => {
      response.setEncoding('utf8')
      response.on('data', resolve)
    }).on('error', reject)
  })
const ended = (socket: Socket) =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve))

test('those who never send a whole head displace each other, and a request is answered', async () => {
  await listen({ connectionsMax: 8, connectionsPerPeerMax: 100 })
  const first = await hold('GET / HT')
  for (let i = 0; i < 40; i++) await hold('GET / HT')
  await ended(first)
  expect(await ask()).toBe('here')
})

test('a body that stopped on its way goes where no connection is idle; one peer has a bound of its own', async () => {
  await listen({ connectionsMax: 100, connectionsPerPeerMax: 4 })
  const seen = new Promise((resolve) => server.once('request', resolve))
  const first = await hold('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc')
  await seen
  for (let i = 0; i < 3; i++) {
    const next = new Promise((resolve) => server.once('request', resolve))
    await hold('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc')
    await next
  }
  expect(await ask()).toBe('here')
  await ended(first)
})

test('live connections are not counted, and never displaced', async () => {
  await listen({ connectionsMax: 2, connectionsPerPeerMax: 100 })
  server.on('upgrade', (_request, socket) => {
    held.push(socket as Socket)
    socket.write('HTTP/1.1 101 Switching\r\n\r\n')
  })
  const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
  const live = await hold(upgrade)
  await new Promise((resolve) => live.once('data', resolve))
  for (let i = 0; i < 10; i++) await hold('GET / HT')
  expect(await ask()).toBe('here')
  expect(live.closed).toBe(false)
})
