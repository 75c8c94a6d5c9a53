// Servers that share a PostgreSQL behind the shipped balancer and under a path: what a platform engineer tries first.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Server, startServer } from '../../e2e/fixtures/service.ts'
import type { Decision } from '../../protocol/vocabulary.ts'
import { dropDatabase, hasPostgres, newDatabase, sql } from '../../server/testing/postgresDatabase.ts'
import { emptyLineProbe, sampleBatch } from '../../server/testing/testServer.ts'
import { type Haproxy, hasHaproxy, settingsBehind, startHaproxy } from '../testing/haproxy.ts'

const basePath = '/twostep'
const stepsEach = 20

describe.skipIf(!hasHaproxy || !hasPostgres)('replicas behind HAProxy, under a path', () => {
  let folder: string
  let database: string
  let servers: Server[]
  let haproxy: Haproxy
  let url: string
  let socket: Socket | undefined

  const start = (name: string, port = 0) => {
    const home = join(folder, name)
    mkdirSync(home, { recursive: true })
    const own = { basePath, storageUrl: database, replicaAddress: 'http://127.0.0.1', drainSeconds: 5 }
    writeFileSync(join(home, 'twostep.config.json'), JSON.stringify({ ...settingsBehind, ...own }))
    return startServer(home, port)
  }
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'twostep-replicas-'))
    database = await newDatabase()
    servers = [await start('a'), await start('b')]
    haproxy = await startHaproxy(folder, { a: servers[0]!.port, b: servers[1]!.port })
    url = haproxy.url + basePath
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), {
      ...{ timeout: 20_000, interval: 50 },
    })
  })
  afterEach(async () => {
    socket?.disconnect()
    await haproxy.stop()
    await Promise.all(servers.map((server) => server.kill('SIGKILL')))
    await dropDatabase(database)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  async function asked(path: string, body?: unknown) {
    const response = await fetch(`${url}/api/v1${path}`, {
      headers: { connection: 'close', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : null }
  }

  /** As the clients do: again, under the same number, until it is taken. */
  async function reported(sequence: number): Promise<number> {
    const from = stepsEach * (sequence - 1)
    const steps = sampleBatch(from, stepsEach)
    const batch = { clientId: 'job', sequence, steps, probes: [emptyLineProbe(from + stepsEach)] }
    for (let tries = 1; ; tries++) {
      const { status, text } = await asked('/runs/r/telemetry', batch)
      if (status === 200) return tries
      expect([status, text]).toEqual([expect.toBeOneOf([502, 503]), expect.any(String)])
    }
  }

  /** A page's connection: every decision once, in order, over each reconnection. */
  function watched(): { numbers(): readonly number[] } {
    const seen: number[] = []
    socket = io(`${haproxy.url}/live`, { path: `${basePath}/socket.io`, transports: ['websocket'] })
    const subscribe = async () => {
      const request = { runId: 'r', afterDecision: seen.at(-1) ?? 0, afterStep: 0, points: 100 }
      const answer = await socket!.emitWithAck('subscribe', request)
      if (!answer.ok) return
      for (const { number } of answer.decisions) seen.push(number)
    }
    socket.on('connect', () => void subscribe().catch(() => {}))
    socket.on('decision', ({ decision }: { decision: Decision }) => seen.push(decision.number))
    return { numbers: () => seen }
  }

  test('a job and a page go on while one server is killed, comes back, and the other one is told to stop', async () => {
    expect((await asked('/runs', { runId: 'r', budgetSteps: 100_000 })).status).toBe(201)
    const page = watched()
    let sequence = 0
    const go = async (batches: number) => {
      for (let i = 0; i < batches; i++) await reported(++sequence)
    }
    /** Each is a decision. */
    const override = async (learningRate: number) => {
      const wish = { learningRate, untilStep: 90_000, reason: 'a try' }
      expect((await asked('/runs/r/overrides', wish)).status).toBe(201)
    }
    await go(20)
    await override(0.05)
    const killed = servers[0]!.kill('SIGKILL')
    await go(40)
    await killed
    await override(0.04)
    servers.push(await start('a', servers[0]!.port))
    await go(20)
    const stopped = servers[1]!.kill('SIGTERM')
    let isOver = false
    void stopped.then(() => {
      isOver = true
    })
    await override(0.03)
    while (!isOver) await go(1)
    expect(await stopped).toMatchObject({ code: 0 })
    await override(0.02)
    await go(20)
    const { body: run } = await asked('/runs/r')
    expect(run).toMatchObject({ step: sequence * stepsEach, state: 'running' })
    expect(run.decisionCount).toBeGreaterThanOrEqual(5)
    const all = Array.from({ length: run.decisionCount }, (_, i) => i + 1)
    await vi.waitFor(() => expect(page.numbers()).toEqual(all), {
      ...{ timeout: 30_000, interval: 100 },
    })
    const [stored] = await sql<{ batches: number }>(
      database,
      'SELECT count(*)::integer AS batches FROM batches',
    )
    expect(stored).toEqual({ batches: sequence })
  })
})
