import { request } from 'node:http'
import { io, type Socket } from 'socket.io-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { liveSamplesSchema, subscribeAnswerSchema } from '../../protocol/schemas.ts'
import type { ClientEvents, ServerEvents, SubscribeAnswer } from '../../protocol/vocabulary.ts'
import type { Log } from '../log.ts'
import { holdLists } from '../testing/heldList.ts'
import { slowReads } from '../testing/slowReads.ts'
import { emptyLineProbe, sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'
import { socketsMax, subscriptionsMax } from './live.ts'
import { socketBudgetBytes } from './outlet.ts'

type Client = Socket<ServerEvents, ClientEvents>
let server: TestServer
let sockets: Client[] = []
let sequence = 0

beforeEach(async () => {
  server = await startTestServer()
  sequence = 0
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
})
afterEach(async () => {
  for (const socket of sockets) socket.close()
  sockets = []
  await server.close()
})

function connect(): Client {
  const socket: Client = io(`${server.url}/live`, { transports: ['websocket'], forceNew: true })
  socket.on('samples', (message) => void liveSamplesSchema.parse(message))
  sockets.push(socket)
  return socket
}
/** Every answer and frame is held to its schema. */
const subscribe = async (socket: Client, more = {}): Promise<SubscribeAnswer> =>
  subscribeAnswerSchema.parse(
    await socket.emitWithAck('subscribe', {
      runId: 'r1',
      afterDecision: 0,
      afterStep: 0,
      points: 1_000,
      ...more,
    }),
  )

async function post(more: Record<string, unknown>) {
  sequence++
  const answer = await server.call('POST', '/api/v1/runs/r1/telemetry', { clientId: 'c', sequence, ...more })
  expect(answer.status).toBe(200)
}
/** A busy machine may take its time; the virtual clock does not run on. */
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000 })
vi.setConfig({ testTimeout: 60_000 })

const next = <E extends keyof ServerEvents>(
  socket: Client,
  event: E,
): Promise<Parameters<ServerEvents[E]>[0]> => new Promise((resolve) => socket.once(event, resolve as never))

test('a subscriber gets what is there, then each decision at once and samples as frames', async () => {
  await post({ steps: sampleBatch(0, 10), probes: [emptyLineProbe(10)] })
  const socket = connect()
  const answer = await subscribe(socket)
  if (!answer.ok) throw new Error(answer.problem.detail)
  expect(answer.run.step).toBe(10)
  expect(answer.decisions.map(({ number }) => number)).toEqual([1, 2])
  expect(answer.series.signals.loss?.step).toHaveLength(10)
  const decision = next(socket, 'decision')
  const samples = next(socket, 'samples')
  const run = next(socket, 'run')
  await post({ steps: sampleBatch(10, 5), probes: [emptyLineProbe(15)] })
  expect((await decision).decision.number).toBe(3)
  server.clock.advance(100)
  const frame = await samples
  expect(frame.thinned).toBe(false)
  expect(frame.series.signals.loss?.step).toEqual([10, 11, 12, 13, 14])
  expect(frame.series.signals.lossSmoothed?.step).toHaveLength(5)
  expect((await run).run.step).toBe(15)
})

test('who asks for all together gets summary and decisions within the samples, and alone where there are none', async () => {
  const [both, apart] = [connect(), connect()]
  await subscribe(both, { together: true })
  await subscribe(apart)
  const runs: number[] = []
  both.on('run', ({ run }) => runs.push(run.step))
  const [samples, bare, own] = [next(both, 'samples'), next(apart, 'samples'), next(apart, 'run')]
  await post({ steps: sampleBatch(0, 5) })
  server.clock.advance(100)
  expect((await samples).run?.step).toBe(5)
  expect((await bare).run).toBeUndefined()
  expect((await own).run.step).toBe(5)
  expect(runs).toEqual([])
  const [decided, alone] = [next(both, 'samples'), next(apart, 'decision')]
  await post({ steps: sampleBatch(5, 5), probes: [emptyLineProbe(10)] })
  expect((await alone).decision.number).toBe(2)
  server.clock.advance(100)
  expect((await decided).decisions?.map(({ number }) => number)).toEqual([2])
  // Without samples there is nothing for it to come within.
  const bareDecision = next(both, 'decision')
  await post({ probes: [emptyLineProbe(10)] })
  server.clock.advance(100)
  expect((await bareDecision).decision.number).toBe(3)
  const renamed = next(both, 'run')
  await server.call('PATCH', '/api/v1/runs/r1', { name: 'other' })
  server.clock.advance(100)
  expect((await renamed).run.options.name).toBe('other')
})

test('samples of several batches come in one frame, ten a second at most', async () => {
  const socket = connect()
  await subscribe(socket)
  const frames: number[] = []
  socket.on('samples', ({ series }) => frames.push(series.signals.loss?.step.length ?? 0))
  for (let i = 0; i < 5; i++) await post({ steps: sampleBatch(10 * i, 10) })
  server.clock.advance(1)
  await eventually(() => expect(frames).toEqual([50]))
  await post({ steps: sampleBatch(50, 10) })
  server.clock.advance(98)
  await post({ steps: sampleBatch(60, 10) })
  server.clock.advance(1)
  await eventually(() => expect(frames).toEqual([50, 20]))
})

test('a page that comes back resumes by decision number and step, without gap or repeat', async () => {
  const first = connect()
  const before = await subscribe(first)
  if (!before.ok) throw new Error(before.problem.detail)
  first.close()
  await post({
    steps: sampleBatch(0, 30),
    probes: [emptyLineProbe(10), emptyLineProbe(20), emptyLineProbe(30)],
  })
  await server.restart()
  const again = connect()
  const answer = await subscribe(again, { afterDecision: 2, afterStep: 20 })
  if (!answer.ok) throw new Error(answer.problem.detail)
  expect(answer.decisions.map(({ number }) => number)).toEqual([3, 4])
  expect(answer.series.signals.loss?.step[0]).toBe(20)
  expect(answer.series.signals.loss?.step).toHaveLength(10)
})

test('only the signals that were asked for are sent, and all are named', async () => {
  const metrics = (at: number) => ({ a: [at, at + 1], b: [at, at + 1] })
  await post({ steps: { step: [0, 1], loss: [2, 1], learningRate: [0.1, 0.1], metrics: metrics(0) } })
  const [some, all] = [connect(), connect()]
  const answer = await subscribe(some, { signals: ['loss', 'metrics.b', 'metrics.later'] })
  if (!answer.ok) throw new Error(answer.problem.detail)
  expect(Object.keys(answer.series.signals).sort()).toEqual(['loss', 'metrics.b'])
  expect(answer.signalNames).toEqual(
    expect.arrayContaining(['learningRate', 'loss', 'metrics.a', 'metrics.b']),
  )
  await subscribe(all)
  const frames = Promise.all([next(some, 'samples'), next(all, 'samples')])
  await post({
    steps: {
      step: [2, 3],
      loss: [2, 1],
      learningRate: [0.1, 0.1],
      metrics: { ...metrics(2), later: [7, 8] },
    },
  })
  server.clock.advance(200)
  const [few, whole] = (await frames).map(({ series }) => series.signals)
  expect(Object.keys(few!).filter((name) => name.startsWith('metrics.'))).toEqual([
    'metrics.b',
    'metrics.later',
  ])
  expect(few!.learningRate).toBeUndefined()
  expect(few!['metrics.later']?.last).toEqual([7, 8])
  expect(Object.keys(whole!)).toEqual(expect.arrayContaining(['learningRate', 'metrics.a', 'metrics.later']))
})

test('decisions beyond those in the answer follow in order', async () => {
  await post({ probes: Array.from({ length: 450 }, (_, i) => emptyLineProbe(i)) })
  const socket = connect()
  const numbers: number[] = []
  socket.on('decision', ({ decision }) => numbers.push(decision.number))
  const answer = await subscribe(socket)
  if (!answer.ok) throw new Error(answer.problem.detail)
  expect(answer.decisions).toHaveLength(200)
  await post({ probes: [emptyLineProbe(450)] })
  server.clock.advance(200)
  await eventually(() => {
    server.clock.advance(100)
    expect(numbers).toEqual(Array.from({ length: 252 }, (_, i) => 201 + i))
  })
})

test('a slow socket costs its budget and no more, and catches up without gap when it drains', async () => {
  const socket = connect()
  await subscribe(socket)
  const peer = server.app.live.sockets()[0]!
  const transport = peer.conn.transport as unknown as { writable: boolean }
  const numbers: number[] = []
  const lossSteps = new Set<number>()
  socket.on('decision', ({ decision }) => numbers.push(decision.number))
  socket.on('samples', ({ series }) => {
    const loss = series.signals.loss
    loss?.count.forEach((count, i) => {
      for (let k = 0; k < count; k++) lossSteps.add(loss.step[i]! + k)
    })
  })
  // The transport takes nothing more, as with a browser that stopped reading.
  transport.writable = false
  let most = 0
  for (let i = 0; i < 120; i++) {
    await post({ steps: sampleBatch(100 * i, 100), probes: [emptyLineProbe(100 * i + 100)] })
    server.clock.advance(100)
    const waiting = peer.conn as unknown as { writeBuffer: { data?: string }[] }
    most = Math.max(
      most,
      waiting.writeBuffer.reduce((sum, { data }) => sum + (data?.length ?? 0), 0),
    )
  }
  expect(most).toBeGreaterThan(socketBudgetBytes / 2)
  expect(most).toBeLessThan(socketBudgetBytes + 100_000)
  transport.writable = true
  ;(peer.conn as unknown as { flush(): void }).flush()
  await eventually(() => {
    server.clock.advance(100)
    expect(numbers).toEqual(Array.from({ length: 120 }, (_, i) => 2 + i))
    expect(lossSteps.size).toBe(12_000)
  })
})

test('what comes while an answer is made follows it, in order and without gap', async () => {
  await post({ steps: sampleBatch(0, 100), probes: [emptyLineProbe(100)] })
  const slow = slowReads(server.storage)
  const socket = connect()
  const heard: string[] = []
  let steps = 0
  socket.on('decision', ({ decision }) => heard.push(`decision ${decision.number}`))
  socket.on('samples', ({ series }) => {
    heard.push('samples')
    steps += series.signals.loss?.count.reduce((sum, count) => sum + count, 0) ?? 0
  })
  const asked = subscribe(socket).then((answer) => {
    heard.push('answer')
    return answer
  })
  await vi.waitFor(() => expect(slow.opened()).toBe(1))
  for (let i = 1; i <= 3; i++) {
    await post({ steps: sampleBatch(100 * i, 100), probes: [emptyLineProbe(100 * i + 100)] })
    server.clock.advance(100)
  }
  expect(heard).toEqual([])
  slow.release()
  const answer = await asked
  expect(answer.ok && answer.series.stored).toBe(100)
  await eventually(() => {
    server.clock.advance(100)
    expect(heard.filter((one) => one !== 'samples')).toEqual([
      'answer',
      'decision 3',
      'decision 4',
      'decision 5',
    ])
    expect(steps).toBe(300)
  })
})

test('pages hear on while the clock is set back', async () => {
  const socket = connect()
  await subscribe(socket)
  let frames = 0
  socket.on('samples', () => frames++)
  await post({ steps: sampleBatch(0, 10) })
  server.clock.advance(100)
  await eventually(() => expect(frames).toBe(1))
  server.clock.set(server.clock.now() - 3_600_000)
  await post({ steps: sampleBatch(10, 10) })
  server.clock.advance(100)
  await eventually(() => expect(frames).toBe(2))
})

test('a page follows the list by its own filter and order', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'r2', tags: ['night'] })
  const socket = connect()
  const ask = async (request: object) => {
    const { runs, ...rest } = await socket.emitWithAck('subscribe-runs', request)
    return { ids: runs.map(({ id }) => id), ...rest }
  }
  expect(await ask({ sort: 'name', order: 'asc' })).toEqual({
    ids: ['r1', 'r2'],
    next: null,
    total: 2,
    all: 2,
  })
  expect(await ask({ tag: 'night', limit: 1 })).toEqual({ ids: ['r2'], next: null, total: 1, all: 2 })
  const problem = next(socket, 'problem')
  socket.emit('subscribe-runs', { sort: 'luck' } as never, () => {})
  expect((await problem).detail).toContain('sort')
})

test('the list of runs is told of new, changed, stale and removed runs', async () => {
  const socket = connect()
  const { runs } = await socket.emitWithAck('subscribe-runs', {})
  expect(runs.map(({ id }) => id)).toEqual(['r1'])
  const created = next(socket, 'run')
  await server.call('POST', '/api/v1/runs', { runId: 'r2' })
  server.clock.advance(1_000)
  expect((await created).run.id).toBe('r2')
  const states = new Map<string, string>()
  socket.on('run', ({ run }) => states.set(run.id, run.state))
  server.clock.advance(61_000)
  await eventually(() => {
    server.clock.advance(1_000)
    expect([...states]).toContainEqual(['r1', 'stale'])
  })
  expect((await server.call('GET', '/api/v1/runs/r1')).body.state).toBe('stale')
  await post({ steps: sampleBatch(0, 1) })
  server.clock.advance(1_000)
  await eventually(() => expect(states.get('r1')).toBe('running'))
  const removed = next(socket, 'removed')
  await server.call('DELETE', '/api/v1/runs/r2')
  expect(await removed).toEqual({ runId: 'r2' })
})

test('subscriptions that arrive together count once, and none outlives its socket', async () => {
  const socket = connect()
  await Promise.all([subscribe(socket), subscribe(socket), subscribe(socket)])
  let frames = 0
  socket.on('samples', () => frames++)
  await post({ steps: sampleBatch(0, 10) })
  server.clock.advance(100)
  await eventually(() => expect(frames).toBe(1))
  const gone = next(socket, 'removed')
  await server.call('DELETE', '/api/v1/runs/r1')
  await gone
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  sequence = 0
  await post({ steps: sampleBatch(0, 10) })
  server.clock.advance(100)
  await subscribe(socket)
  expect(frames).toBe(1)
})

test('bad and excessive subscriptions are answered with a problem', async () => {
  const socket = connect()
  expect(await subscribe(socket, { runId: 'nobody' })).toMatchObject({
    ok: false,
    problem: { code: 'run-not-found' },
  })
  expect(await subscribe(socket, { points: 1 })).toMatchObject({
    ok: false,
    problem: { code: 'invalid-request', errors: [{ pointer: '/points' }] },
  })
  for (let i = 0; i < subscriptionsMax; i++) {
    await server.call('POST', '/api/v1/runs', { runId: `many-${i}` })
    expect(await subscribe(socket, { runId: `many-${i}` })).toMatchObject({ ok: true })
  }
  expect(await subscribe(socket)).toMatchObject({ ok: false, problem: { code: 'too-many-subscriptions' } })
  socket.emit('unsubscribe', { runId: 'many-0' })
  expect(await subscribe(socket)).toMatchObject({ ok: true })
})

const poll = (headers: Record<string, string>, more = '') =>
  new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const address = `${server.url}/socket.io/?EIO=4&transport=polling${more}`
    const call = request(address, { headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    call.on('error', reject)
    call.end()
  })
const handshake = async (headers: Record<string, string>) => (await poll(headers)).status

test('a live connection from a foreign origin or host is refused, and of a browser one that does not tell', async () => {
  expect(await handshake({})).toBe(200)
  expect(await handshake({ origin: server.url })).toBe(200)
  expect(await handshake({ origin: 'https://evil.example' })).toBe(403)
  expect(await handshake({ host: 'evil.example' })).toBe(403)
  const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' }
  expect(await handshake(browser)).toBe(403)
  expect(await handshake({ ...browser, 'sec-fetch-site': 'cross-site' })).toBe(403)
  expect(await handshake({ ...browser, 'sec-fetch-site': 'same-site' })).toBe(403)
  expect(await handshake({ ...browser, 'sec-fetch-site': 'same-origin' })).toBe(200)
  expect(await handshake({ ...browser, origin: server.url })).toBe(200)
})

test('connections that join nothing displace each other, and no page', async () => {
  const page = connect()
  await subscribe(page)
  for (let i = 0; i < socketsMax + 20; i++) expect(await handshake({})).toBe(200)
  expect((await subscribe(connect())).ok).toBe(true)
  expect(page.connected).toBe(true)
  expect((await subscribe(page)).ok).toBe(true)
})

test('what an address says of a connection that exists leads past no bound', async () => {
  const { sid } = JSON.parse((await poll({})).text.slice(1))
  for (let i = 0; i < socketsMax; i++) expect((await poll({}, '&sid=')).status).toBe(200)
  // The oldest has given way.
  expect((await poll({}, `&sid=${sid}`)).status).toBe(400)
})

test('what a page asked for when the server ends is read before the storage is closed', async () => {
  await server.close()
  const faults: string[] = []
  const log: Log = (level, message) => {
    if (level === 'warn' || level === 'error') faults.push(message)
  }
  server = await startTestServer({ log })
  const { asked, order, goOn } = holdLists(server.storage)
  const socket = connect()
  socket.emit('subscribe-runs', { limit: 10 }, () => {})
  await asked
  const ended = next(socket, 'disconnect' as never)
  const restarted = server.restart()
  await ended
  goOn()
  await restarted
  expect([order, faults]).toEqual([['read', 'closed'], []])
})
