// Requests that are odd or huge: refused in words, at once, and with nothing of theirs done.

import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
})
afterEach(() => server.close())

const create = (body: unknown) => server.call('POST', '/api/v1/runs', body)
const createAs = (body: BodyInit, headers: Record<string, string>) =>
  fetch(`${server.url}/api/v1/runs`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })

/** A request as it is written; resolves to the answer's first line. */
const written = (text: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text))
    socket.once('data', (chunk: Buffer) => {
      socket.destroy()
      resolve(String(chunk).split('\r\n')[0]!)
    })
    socket.once('error', reject)
  })

test('who names several hosts, or says twice how long the body is, is refused', async () => {
  const own = `Host: localhost:${server.port}\r\n`
  const polling = '/socket.io/?EIO=4&transport=polling'
  for (const path of ['/api/v1/runs', polling]) {
    expect(await written(`GET ${path} HTTP/1.1\r\n${own}\r\n`)).toContain('200')
    expect(await written(`GET ${path} HTTP/1.1\r\n${own}Host: evil.example\r\n\r\n`)).toContain('403')
  }
  const post = `POST /api/v1/runs HTTP/1.1\r\n${own}Content-Type: application/json\r\n`
  const lengths = [
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'Content-Length: 2\r\nContent-Length: 3',
  ]
  for (const length of lengths) expect(await written(`${post}${length}\r\n\r\n{}`)).toContain('400')
})

test('entries are counted before they are looked at, and of many faults the first are told', async () => {
  const bad = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`s${i}`, {}]))
  const settings = await create({ settings: bad })
  expect(settings.body.errors).toEqual([{ pointer: '/settings', detail: 'must hold at most 100 entries' }])
  const few = Object.fromEntries(Object.entries(bad).slice(0, 60))
  expect((await create({ settings: few })).body.errors).toHaveLength(20)
  expect((await create(bad)).body.errors).toHaveLength(20)
  const metrics = await server.call('POST', '/api/v1/runs/r1/telemetry', {
    clientId: 'c',
    sequence: 1,
    steps: { step: [0], metrics: bad },
  })
  expect(metrics.body.errors).toEqual([
    { pointer: '/steps/metrics', detail: 'must hold at most 200 metrics' },
  ])
})

test.each([65, 10_000, 1_000_000])(
  'JSON that is nested %i levels deep is refused before it is parsed',
  async (depth) => {
    const lists = '['.repeat(depth - 1) + ']'.repeat(depth - 1)
    const { status, body } = await create(`{"name":${lists}}`)
    expect([status, body.code]).toEqual([400, 'malformed-json'])
    expect(body.detail).toContain('64 levels')
  },
)

test.each(['name', 'settings', 'tags', 'optimizer', 'budgetSteps', 'learningRate', 'mode'])(
  'what is nested and does not belong into %s is refused as any other value',
  async (field) => {
    const lists = '['.repeat(63) + ']'.repeat(63)
    const { status, body } = await create(`{"${field}":${lists}}`)
    expect([status, body.code]).toEqual([422, 'invalid-request'])
  },
)

test('brackets in texts nest nothing', async () => {
  const name = '["\\'.repeat(40)
  expect((await create({ name })).body.run.options.name).toBe(name)
})

test('numbers of a query are written in digits', async () => {
  const at = (query: string) => server.call('GET', `/api/v1/runs?${query}`)
  expect((await at('limit=10')).status).toBe(200)
  for (const limit of ['0x10', '1e1', '', '%201', '1_0', '+1', 'Infinity'])
    expect((await at(`limit=${limit}`)).body.errors[0].pointer).toBe('?limit')
  expect((await at('limit=1.5')).body.detail).toContain('a whole number')
  expect((await server.call('GET', '/api/v1/runs/r1/series?points=0x64')).status).toBe(422)
  expect((await server.call('GET', '/api/v1/runs/r1/decisions?limit=1e1')).status).toBe(422)
})

test('an address with a slash at its end is another one', async () => {
  for (const path of ['/healthz/', '/api/v1/runs/', '/api/v1/runs/r1/', '/api/v1/runs/r1/series/'])
    expect((await fetch(server.url + path)).status).toBe(404)
})

test('bodies are UTF-8, with or without its mark, and no other charset', async () => {
  expect((await createAs('\ufeff{"runId":"marked"}', {})).status).toBe(201)
  const zip = { 'content-encoding': 'GZIP' }
  expect((await createAs(gzipSync('{"runId":"zipped"}'), zip)).status).toBe(201)
  for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'us-ascii'])
    expect((await createAs('{}', { 'content-type': `application/json; charset=${charset}` })).status).toBe(
      201,
    )
  for (const charset of ['utf-16', 'latin1', '""']) {
    const answer = await createAs('{}', { 'content-type': `application/json;charset=${charset}` })
    expect(answer.status).toBe(415)
  }
  const broken = await createAs(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), {})
  expect([broken.status, await broken.json()]).toMatchObject([
    400,
    { detail: expect.stringContaining('UTF-8') },
  ])
})

test('a number that is too large is told as one', async () => {
  const { body } = await create('{"settings":{"a":1e400}}')
  expect(body.detail).toContain('Infinity (a number beyond 1.8e308)')
})

test('a page may talk to its own server alone, and use no device', async () => {
  const { headers } = await fetch(`${server.url}/healthz`)
  expect(headers.get('content-security-policy')).toContain("connect-src 'self';")
  expect(headers.get('permissions-policy')).toContain('camera=()')
})
