// The shipped configuration before two real servers, with nothing changed but addresses. What is asked of a server that then
// dies is made certain: it is stopped, as by a full machine, holds what it was sent, and is killed.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Server, startServer } from '../../e2e/fixtures/service.ts'
import { type Haproxy, hasHaproxy, settingsBehind, startHaproxy } from '../testing/haproxy.ts'

const waiting = { timeout: 20_000, interval: 50 }

describe.skipIf(!hasHaproxy)('two servers behind HAProxy as shipped', () => {
  let folder: string
  let url: string
  let servers: Record<'a' | 'b', Server>
  let haproxy: Haproxy
  let sockets: Socket[]

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'twostep-haproxy-'))
    sockets = []
    const start = async (name: string) => {
      const home = join(folder, name)
      mkdirSync(home)
      writeFileSync(join(home, 'twostep.config.json'), JSON.stringify({ ...settingsBehind, drainSeconds: 5 }))
      const server = await startServer(home)
      // Each has a run of the same name, which says whose it is.
      await asked(server.url, '/runs', { runId: 'r', name, budgetSteps: 1_000 })
      return server
    }
    const [a, b] = await Promise.all([start('a'), start('b')])
    servers = { a, b }
    haproxy = await startHaproxy(folder, { a: a.port, b: b.port })
    url = haproxy.url
    await vi.waitFor(async () => expect(await answersOf(4)).toEqual(['a', 'a', 'b', 'b']), waiting)
  })
  afterEach(async () => {
    for (const socket of sockets) socket.disconnect()
    await haproxy.stop()
    await Promise.all(Object.values(servers).map((server) => server.kill('SIGKILL')))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  async function asked(base: string, path: string, body?: unknown, headers = {}) {
    const response = await fetch(`${base}/api/v1${path}`, {
      // A connection each, as from callers who know nothing of one another.
      headers: { connection: 'close', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, body: isJson ? JSON.parse(text) : text }
  }

  /** Whose run each of so many requests at once was answered with. */
  async function answersOf(count: number): Promise<string[]> {
    const answers = await Promise.all(Array.from({ length: count }, () => asked(url, '/runs/r')))
    return answers.map(({ status, body }) => (status === 200 ? body.options.name : `${status}`)).sort()
  }

  const batch = (i: number) => ({ clientId: `c${i}`, sequence: 1, steps: { step: [i], loss: [1] } })

  /** Lets a server hold what it is sent while `body` sends it, kills it, and waits for what was sent. */
  async function killedHolding<T>(server: Server, send: () => Promise<T>[]): Promise<T[]> {
    server.child.kill('SIGSTOP')
    let answered = 0
    const sent = send().map((one) => one.finally(() => answered++))
    // The other one has answered its half: what is left is with the one that is stopped.
    await vi.waitFor(() => expect(answered).toBeGreaterThanOrEqual(sent.length / 2), waiting)
    await server.kill('SIGKILL')
    return Promise.all(sent)
  }

  test('reads and batches that a killed server held are answered by the other one', async () => {
    const answers = await killedHolding(servers.a, () =>
      Array.from({ length: 12 }, (_, i) =>
        i % 2 === 0 ? asked(url, '/runs/r') : asked(url, '/runs/r/telemetry', batch(i)),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    // And so it goes on, before and after a check has found the server dead.
    for (let i = 0; i < 20; i++) expect(await answersOf(10)).toEqual(Array(10).fill('b'))
  })

  test('what must not be done twice is not sent twice: it is 502, and whoever sent it decides', async () => {
    const command = { kind: 'pause', reason: 'a test' }
    const answers = await killedHolding(servers.a, () =>
      Array.from({ length: 6 }, () => asked(url, '/runs/r/commands', command)),
    )
    expect(answers.map(({ status }) => status)).toContain(502)
    expect(answers.filter(({ status }) => status === 502)).not.toHaveLength(answers.length)
  })

  test('a server that stops in order is asked no more, and nothing fails meanwhile', async () => {
    servers.a.child.kill('SIGTERM')
    let isOver = false
    void servers.a.ended.then(() => {
      isOver = true
    })
    const seen: string[] = []
    while (!isOver) seen.push(...(await answersOf(5)))
    expect(seen.filter((name) => name !== 'a' && name !== 'b')).toEqual([])
    expect(await servers.a.ended).toMatchObject({ code: 0 })
    expect(seen.slice(-5)).toEqual(Array(5).fill('b'))
    expect(await answersOf(5)).toEqual(Array(5).fill('b'))
  })

  const connected = async (transport: 'websocket' | 'polling') => {
    const socket = io(`${url}/live`, { transports: [transport], forceNew: true })
    sockets.push(socket)
    const list = await socket.emitWithAck('subscribe-runs', {})
    return { socket, name: list.runs[0].options.name as 'a' | 'b' }
  }

  test('a live page goes on at the other server when its own is killed', async () => {
    const { socket, name } = await connected('websocket')
    const other = name === 'a' ? 'b' : 'a'
    await servers[name].kill('SIGKILL')
    const names = new Promise((resolve) =>
      socket.on('connect', async () =>
        resolve((await socket.emitWithAck('subscribe-runs', {})).runs[0].options.name),
      ),
    )
    expect(await names).toBe(other)
  })

  test('a page that polls keeps to one server, and goes to the other when that is killed', async () => {
    const { socket, name } = await connected('polling')
    for (let i = 0; i < 5; i++) expect((await socket.emitWithAck('subscribe-runs', {})).runs).toHaveLength(1)
    expect(socket.connected).toBe(true)
    const again = new Promise((resolve) => socket.once('connect', () => resolve(true)))
    await servers[name].kill('SIGKILL')
    expect(await again).toBe(true)
  })

  test('what a caller claims of itself is not passed on', async () => {
    const claimed = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'evil.example' }
    const { status } = await asked(url, '/runs/r/commands', { kind: 'pause', reason: 'a test' }, claimed)
    expect(status).toBe(200)
    const audits = await Promise.all(Object.values(servers).map((server) => asked(server.url, '/audit')))
    const entries = audits
      .flatMap(({ body }) => body.entries)
      .filter(({ runId, from }) => runId === 'r' && from !== null)
    expect(entries.map(({ from }) => from)).toEqual(['127.0.0.1'])
  })

  test('what servers ask of each other cannot be asked through it', async () => {
    const asked = await fetch(`${url}/replica/runs/r/telemetry`, { method: 'POST', body: '{}' })
    // HAProxy's own page, and no answer of a server.
    expect([asked.status, asked.headers.get('x-request-id')]).toEqual([404, null])
    expect((await fetch(`${url}/replicas`)).headers.get('x-request-id')).not.toBeNull()
  })

  test('where no server is ready they are asked all the same, and say what is wrong', async () => {
    await servers.b.kill('SIGKILL')
    rmSync(join(folder, 'a', 'data'), { recursive: true })
    await vi.waitFor(
      () => expect(haproxy.said()).toContain("backend 'servers' has no server available"),
      waiting,
    )
    const response = await fetch(`${url}/readyz`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'not-ready' })
  })
})
