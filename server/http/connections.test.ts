import { createServer, get, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { boundConnections, type ConnectionBounds, type Connections, connectionBounds } from './connections.ts'

let server: Server
let connections: Connections
let port = 0
const held: Socket[] = []
afterEach(async () => {
  for (const socket of held.splice(0)) socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** More than the buffers between two ends of a connection hold. */
const large = Buffer.alloc(32 * 1024 * 1024, '.')

/** Answers each request once its body is there; at `/large` with more than fits on the way, at `/never` not at all. */
async function listen(bounds: Partial<ConnectionBounds>) {
  server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    request.on('end', () => {
      if (request.url !== '/never') response.end(request.url === '/large' ? large : 'here')
    })
    request.resume()
  })
  connections = boundConnections(server, { ...connectionBounds, ...bounds })
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

/** Asks for the large answer and takes nothing of it; resolves when it waits to be taken. */
async function holdAnswer(): Promise<Socket> {
  const seen = new Promise((resolve) => server.once('request', resolve))
  const socket = await hold('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  socket.pause()
  await seen
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

test('those who do not take their answers displace each other, and a request is answered', async () => {
  await listen({ connectionsPerPeerMax: 4 })
  const held = []
  for (let i = 0; i < 12; i++) held.push(await holdAnswer())
  expect(await ask()).toBe('here')
  held[0]!.resume()
  await ended(held[0]!)
})

test('answers that wait to be taken are bounded together: the oldest goes', async () => {
  await listen({ unreadBytesMax: 2.5 * large.length })
  const first = await holdAnswer()
  const second = await holdAnswer()
  for (let i = 0; i < 3; i++) await holdAnswer()
  for (const socket of [first, second]) {
    socket.resume()
    await ended(socket)
    expect(socket.bytesRead).toBeLessThan(large.length)
  }
})

test('an answer of which nothing is taken for a while is given up; what is still worked on is not', async () => {
  await listen({ silentMilliseconds: 50 })
  const working = await hold('GET /never HTTP/1.1\r\nHost: a\r\n\r\n')
  const closed = new Promise((resolve) => {
    server.once('connection', (socket: Socket) => socket.once('close', resolve))
  })
  await holdAnswer()
  await closed
  expect(working.closed).toBe(false)
})

test('who sends requests on and on without taking an answer is cut off; a few in a row are answered', async () => {
  await listen({ pipelinedMax: 4 })
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const few = await hold(request.repeat(4))
  let told = ''
  await new Promise<void>((resolve) => {
    few.on('data', (chunk) => {
      told += chunk
      if (told.split('here').length > 4) resolve()
    })
  })
  const many = await hold('GET /never HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5))
  await ended(many)
  expect(await ask()).toBe('here')
})

test('an answer that waits to be taken when the server closes is taken whole, and then its connection ends', async () => {
  await listen({})
  const idle = await hold('')
  const reader = await holdAnswer()
  const closed = new Promise((resolve) => server.close(resolve))
  await ended(idle)
  reader.resume()
  await ended(reader)
  expect(reader.bytesRead).toBeGreaterThan(large.length)
  await closed
})

test('when it is said, answers are the last of their connections, also those that are being made', async () => {
  await listen({})
  const seen = new Promise((resolve) => server.once('request', resolve))
  const working = await hold('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n')
  const idle = await hold('')
  await seen
  connections.sayLast()
  for (const [socket, rest] of [
    [working, 'a'],
    [idle, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ] as const) {
    let told = ''
    socket.on('data', (chunk) => {
      told += chunk
    })
    socket.write(rest)
    await ended(socket)
    expect(told).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n.*here/s)
  }
})

test('all are cut off together, those that have become live as well', async () => {
  await listen({})
  server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching\r\n\r\n'))
  const live = await hold('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  await new Promise((resolve) => live.once('data', resolve))
  const reader = await holdAnswer()
  expect(connections.cutOff()).toBe(2)
  reader.resume()
  await Promise.all([ended(live), ended(reader)])
})

test('an answer that was to follow one that nobody takes any more is told of its end', async () => {
  await listen({})
  const closed: Promise<unknown>[] = []
  const both = new Promise<void>((resolve) => {
    server.on('request', (_request, response) => {
      closed.push(new Promise((done) => response.once('close', done)))
      if (closed.length === 2) resolve()
    })
  })
  const reader = await hold('GET /never HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2))
  await both
  reader.destroy()
  await Promise.all(closed)
})
