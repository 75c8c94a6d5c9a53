// What is seen of a server from outside: its metrics, its log, whether it is ready.

import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import type { Request, Response } from 'express'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { requestLog, slowMilliseconds, traceOf } from '../http/requestLog.ts'
import type { Log } from '../log.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'
import type { Metrics } from './metrics.ts'

type Line = { readonly level: string; readonly message: string } & Readonly<Record<string, unknown>>
let server: TestServer
let lines: Line[]
beforeEach(async () => {
  lines = []
  server = await startTestServer({
    log: (level, message, fields) => lines.push({ level, message, ...fields }),
  })
})
afterEach(() => server.close())

/** The samples of the text format, by name with labels. */
async function samples(): Promise<ReadonlyMap<string, number>> {
  const { body, headers } = await server.call('GET', '/metrics')
  expect(headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const rows = (body as string).split('\n').filter((row) => row !== '' && !row.startsWith('#'))
  return new Map(
    rows.map((row) => [row.slice(0, row.lastIndexOf(' ')), Number(row.slice(row.lastIndexOf(' ') + 1))]),
  )
}

const report = (runId: string, sequence: number) =>
  server.call('POST', `/api/v1/runs/${runId}/telemetry`, {
    clientId: 'c',
    sequence,
    steps: sampleBatch(10 * (sequence - 1), 10),
  })

test('batches, folds, writes, requests, refusals, runs and bytes are counted', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  for (const sequence of [1, 2, 2]) expect((await report('r1', sequence)).status).toBe(200)
  expect((await report('r1', 9)).status).toBe(409)
  expect((await server.call('GET', '/api/v1/runs/nobody')).status).toBe(404)
  const found = await samples()
  expect(found.get('twostep_ingest_batches_total{result="stored"}')).toBe(2)
  expect(found.get('twostep_ingest_batches_total{result="duplicate"}')).toBe(1)
  expect(found.get('twostep_ingest_steps_total')).toBe(20)
  expect(found.get('twostep_ingest_duration_seconds_count')).toBe(3)
  expect(found.get('twostep_fold_duration_seconds_count')).toBe(2)
  expect(found.get('twostep_store_duration_seconds_count')).toBe(2)
  const requests = (operation: string, status: string) =>
    found.get(`twostep_http_request_duration_seconds_count{operation="${operation}",status="${status}"}`)
  expect(requests('sendTelemetry', '2xx')).toBe(3)
  expect(requests('sendTelemetry', '4xx')).toBe(1)
  expect(requests('createRun', '2xx')).toBe(1)
  expect(found.get('twostep_refusals_total{code="sequence-gap"}')).toBe(1)
  expect(found.get('twostep_refusals_total{code="run-not-found"}')).toBe(1)
  expect(found.get('twostep_runs{state="running"}')).toBe(1)
  expect(found.get('twostep_active_runs{phase="large"}')).toBe(1)
  expect(found.get('twostep_queue_length')).toBe(0)
  expect(found.get('twostep_live_sockets')).toBe(0)
  expect(found.get('twostep_storage_bytes{file="database"}')).toBeGreaterThan(0)
})

test('no name, id or address of a request makes a series of its own', async () => {
  const touch = async (name: string) => {
    await server.call('POST', '/api/v1/runs', { runId: name, project: name, tags: [name] })
    await report(name, 1)
    for (const path of [`/api/v1/runs/${name}/decisions/1`, `/${name}`, `/api/v1/${name}`, `/runs/${name}`])
      await server.call('GET', path)
  }
  await touch('one')
  const before = [...(await samples()).keys()].sort()
  for (const name of ['two', 'three', 'four']) await touch(name)
  const after = [...(await samples()).keys()].sort()
  // The first look is itself an operation that it did not see yet.
  expect(after.filter((name) => !before.includes(name) && !name.includes('readMetrics'))).toEqual([])
  expect(after.join('\n')).not.toMatch(/\b(one|two|three|four)\b/)
})

test('a request is one line with its id, its trace and who it is from, and nothing of its query or its token', async () => {
  const { secret } = await server.app.tokens.create({
    name: 'laptop',
    scopes: ['read'],
    project: null,
    expiresAt: null,
  })
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const { headers } = await server.call('GET', '/api/v1/runs?q=private', undefined, {
    authorization: `Bearer ${secret}`,
    traceparent: `00-${trace}-b7ad6b7169203331-01`,
  })
  await vi.waitFor(() => expect(lines).toHaveLength(2))
  expect(lines[0]).toMatchObject({ level: 'info', message: 'the server answers' })
  expect(lines[1]).toMatchObject({
    level: 'info',
    message: 'a request',
    requestId: headers.get('x-request-id'),
    traceId: trace,
    method: 'GET',
    path: '/api/v1/runs',
    operation: 'listRuns',
    status: 200,
    caller: 'laptop',
  })
  expect(JSON.stringify(lines)).not.toMatch(/private|tw_/)
})

test('what is refused is told, wherever it is; probes and the page are told in detail alone', async () => {
  const began = lines.length
  const since = () => lines.slice(began).map(({ level, status, code }) => [level, status, code])
  for (const path of ['/healthz', '/readyz', '/metrics']) await server.call('GET', path)
  await vi.waitFor(() => expect(since()).toHaveLength(3))
  expect(since()).toEqual(Array(3).fill(['debug', 200, undefined]))
  const refused = async (method: string, path: string, headers = {}) => {
    const told = lines.length
    await server.call(method, path, undefined, headers)
    await vi.waitFor(() => expect(lines).toHaveLength(told + 1))
    const { level, message, status, code } = lines.at(-1)!
    expect([level, message]).toEqual(['info', 'a request'])
    return [status, code]
  }
  expect(await refused('GET', '/nothing')).toEqual([404, 'not-found'])
  expect(await refused('POST', '/healthz')).toEqual([405, 'method-not-allowed'])
  expect(await refused('POST', '/api/v1/runs', { origin: 'https://evil.example' })).toEqual([
    403,
    'origin-not-allowed',
  ])
  expect(await refused('GET', '/api/v1/runs/%ff')).toEqual([400, 'malformed-request'])
  const socket = connect(server.port, '127.0.0.1')
  socket.end('GET\r\n\r\n')
  await once(socket.resume(), 'close')
  await vi.waitFor(() =>
    expect(lines.at(-1)).toMatchObject({ level: 'info', status: 400, code: 'malformed-request' }),
  )
})

test('a slow request is a warning, and one that was cut off says so', () => {
  const counted: unknown[] = []
  const metrics = { answered: (...given: unknown[]) => counted.push(given) } as unknown as Metrics
  const log: Log = (level, message, fields) => lines.push({ level, message, ...fields })
  const asked = { method: 'GET', path: '/x', get: () => undefined, socket: {} } as unknown as Request
  const told = new EventEmitter() as EventEmitter & Response
  Object.assign(told, {
    locals: { operation: 'readRun' },
    statusCode: 200,
    getHeader: () => 'id',
    writableFinished: false,
  })
  const began = lines.length
  requestLog(log, metrics, server.clock)(asked, told, () => {})
  server.clock.advance(slowMilliseconds)
  told.emit('close')
  expect(lines.slice(began)).toMatchObject([
    {
      level: 'warn',
      message: 'a slow request',
      isCutOff: true,
      milliseconds: slowMilliseconds,
      requestId: 'id',
    },
  ])
  expect(counted).toEqual([['readRun', 200, slowMilliseconds / 1_000]])
})

test('a trace that cannot be one is left alone', () => {
  const id = 'a'.repeat(32)
  expect(traceOf(`00-${id}-b7ad6b7169203331-01`)).toBe(id)
  for (const wrong of [
    undefined,
    '',
    `00-${id}`,
    `ff-${id}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  ])
    expect(traceOf(wrong)).toBeUndefined()
})

test('while it stops it says that it is not ready, and goes on answering for as long as it was told', async () => {
  const told: string[] = []
  const draining = await startTestServer({
    config: { drainSeconds: 5 },
    log: (level, message) => told.push(`${level}: ${message}`),
  })
  expect((await draining.call('GET', '/readyz')).status).toBe(200)
  const closed = draining.app.close()
  const { status, body } = await draining.call('GET', '/readyz')
  expect([status, body.code]).toEqual([503, 'server-ending'])
  const answered = await draining.call('GET', '/api/v1/runs')
  expect([answered.status, answered.headers.get('connection')]).toEqual([200, 'close'])
  draining.clock.advance(5_000)
  await closed
  await expect(draining.call('GET', '/healthz')).rejects.toThrow()
  expect(told.filter((line) => !/^(debug|info)/.test(line))).toEqual([])
})
