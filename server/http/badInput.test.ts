import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runSummarySchema, telemetryAnswerSchema } from '../../protocol/schemas.ts'
import { lineLengthMax } from '../runs/runs.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

// Processes and 100 MB take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
})
afterEach(() => server.close())

const telemetry = '/api/v1/runs/r1/telemetry'
const post = (body: unknown) => server.call('POST', telemetry, body)
const batch = (more: Record<string, unknown>) => ({ clientId: 'c', sequence: 1, ...more })

/** Nothing of a refused batch may be stored: the same sequence must still be free. */
async function expectNothingStored() {
  const after = await post(batch({ steps: sampleBatch(0, 5) }))
  expect(after.body).toMatchObject({ accepted: 5, duplicate: false })
}

test.each([
  ['not JSON at all', '{"clientId": ', 400, 'malformed-json', undefined],
  [
    'a bare NaN',
    '{"clientId":"c","sequence":1,"steps":{"step":[0],"loss":[NaN]}}',
    400,
    'malformed-json',
    undefined,
  ],
])('%s is refused', async (_name, body, status, code) => {
  expect((await post(body)).body).toMatchObject({ status, code })
  await expectNothingStored()
})

test.each<[string, unknown, string, string]>([
  ['a body that is no object', [1], '/', 'must be an object, got [1]'],
  ['a missing field', { sequence: 1 }, '/clientId', 'is missing: it must be text'],
  ['an unknown field', batch({ lose: 1 }), '/lose', 'is not a known field; allowed are clientId, sequence'],
  [
    'an unknown column',
    batch({ steps: { step: [0], lose: [1] } }),
    '/steps/lose',
    'is not a known field; allowed are step, loss',
  ],
  ['a sequence of 0', batch({ sequence: 0 }), '/sequence', 'must be at least 1, got 0'],
  ['a fractional sequence', batch({ sequence: 1.5 }), '/sequence', 'must be a whole number, got 1.5'],
  [
    'columns of unequal length',
    batch({ steps: { step: [0, 1], loss: [1] } }),
    '/steps/loss',
    'column loss has 1 entries, step has 2',
  ],
  [
    'text in a column',
    batch({ steps: { step: [0], loss: ['high'] } }),
    '/steps/loss/0',
    'must be a number, null, "NaN"',
  ],
  ['a negative step', batch({ steps: { step: [-1] } }), '/steps/step/0', 'must be a whole number from 0'],
  [
    'too many steps',
    batch({ steps: { step: Array(10_001).fill(0) } }),
    '/steps/step',
    'must have at most 10000 entries, got 10001',
  ],
  [
    'an unknown probe',
    batch({ probes: [{ kind: 'hill' }] }),
    '/probes/0/kind',
    'must be one of "valley", "line", got "hill"',
  ],
  [
    'a long name',
    batch({ clientId: 'x'.repeat(200) }),
    '/clientId',
    'must be at most 128 characters long, got 200',
  ],
])('%s is refused with the place and a sentence', async (_name, body, pointer, sentence) => {
  const answer = await post(body)
  expect(answer.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(answer.body.errors[0].pointer).toBe(pointer)
  expect(answer.body.errors[0].detail).toContain(sentence)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'))
  await expectNothingStored()
})

test('a metric whose name is too long is refused by its place, and the batch with it', async () => {
  const metrics = { kept: [1], ['x'.repeat(200)]: [1] }
  const { body } = await post(batch({ steps: { step: [0], metrics } }))
  expect(body.errors).toEqual([
    {
      pointer: `/steps/metrics/${'x'.repeat(200)}`,
      detail: 'must have a name of 1 to 128 characters, got one of 200',
    },
  ])
  await expectNothingStored()
})

test('a query is checked like a body', async () => {
  const answer = await server.call('GET', '/api/v1/runs/r1/series?points=3&width=2')
  expect(answer.status).toBe(422)
  expect(answer.body.errors).toEqual([
    { pointer: '?points', detail: 'must be at least 50, got "3"' },
    { pointer: '?width', detail: 'is not a known field; allowed are signals, from, to, points' },
  ])
})

test('unknown runs and addresses are 404, a wrong method is 405 and names the right ones', async () => {
  const run = await server.call('POST', '/api/v1/runs/nobody/telemetry', batch({}))
  expect(run.body).toMatchObject({ status: 404, code: 'run-not-found' })
  expect((await server.call('GET', '/api/v1/walks')).body).toMatchObject({ status: 404, code: 'not-found' })
  const garbled = await server.call('GET', '/api/v1/runs/%E0%A4%A')
  expect(garbled.body).toMatchObject({ status: 400, code: 'malformed-request' })
  const method = await server.call('PUT', '/api/v1/runs/r1')
  expect(method.body.code).toBe('method-not-allowed')
  expect(method.headers.get('allow')).toBe('GET, PATCH, DELETE')
})

test('only JSON is read, plain or gzipped', async () => {
  const body = JSON.stringify(batch({ steps: sampleBatch(0, 5) }))
  const form = await server.call('POST', telemetry, body, { 'content-type': 'text/plain' })
  expect(form.body).toMatchObject({ status: 415, code: 'unsupported-media-type' })
  const brotli = await server.call('POST', telemetry, body, { 'content-encoding': 'br' })
  expect(brotli.body).toMatchObject({ status: 415, code: 'unsupported-encoding' })
  const send = (content: Uint8Array<ArrayBuffer>) =>
    fetch(server.url + telemetry, {
      method: 'POST',
      body: content,
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    })
  const broken = await send(new Uint8Array([1, 2, 3]))
  expect([broken.status, (await broken.json()).code]).toEqual([400, 'malformed-request'])
  const gzipped = await send(new Uint8Array(gzipSync(body)))
  expect([gzipped.status, (await gzipped.json()).accepted]).toEqual([200, 5])
})

test('a body that inflates beyond the limit is cut off', async () => {
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(100 * 1024 * 1024, ' ')))
  const answer = await fetch(server.url + telemetry, {
    method: 'POST',
    body: bomb,
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  })
  expect([answer.status, (await answer.json()).code]).toEqual([413, 'body-too-large'])
  await expectNothingStored()
})

test('a 100 MB body is refused by its length before it is read', async () => {
  const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const call = request(server.url + telemetry, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 100 * 1024 * 1024 },
    })
    call.on('response', (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => {
        resolve({ status: response.statusCode, body })
        call.destroy()
      })
    })
    call.on('error', reject)
    call.write('{"clientId":"')
  })
  expect(answer.status).toBe(413)
  expect(answer.body).toContain('104857600 bytes')
  await expectNothingStored()
})

test('a 100 MB body without a length is cut off while it comes, and the connection closed', async () => {
  const sent = await new Promise<{ bytes: number; answer: string }>((resolve) => {
    const socket = connect(server.port, '127.0.0.1')
    let bytes = 0
    let answer = ''
    const chunk = Buffer.alloc(0x10000, 'x')
    socket.on('connect', () => {
      socket.write(
        `POST ${telemetry} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      )
      const push = () => {
        while (bytes < 100 * 1024 * 1024 && !socket.destroyed) {
          bytes += chunk.length
          if (!socket.write(`10000\r\n${chunk}\r\n`)) {
            socket.once('drain', push)
            return
          }
        }
      }
      push()
    })
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve({ bytes, answer }))
  })
  expect(sent.answer).toContain('413')
  expect(sent.bytes).toBeLessThan(60 * 1024 * 1024)
  await expectNothingStored()
})

test('a foreign Host is refused, and a foreign Origin may change nothing', async () => {
  const raw = (method: string, headers: Record<string, string>) =>
    new Promise<string>((resolve, reject) => {
      const call = request(`${server.url}/api/v1/runs`, { method, headers }, (response) => {
        let body = ''
        response.on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () =>
          resolve(`${response.statusCode} ${body.match(/"code":"([^"]+)"/)?.[1] ?? ''}`),
        )
      })
      call.on('error', reject)
      call.end(method === 'POST' ? '{}' : undefined)
    })
  const json = { 'content-type': 'application/json' }
  expect(await raw('GET', { host: `evil.example:${server.port}` })).toBe('403 host-not-allowed')
  expect(await raw('GET', { host: '127.0.0.1:1' })).toBe('403 host-not-allowed')
  expect(await raw('GET', { host: `localhost:${server.port}` })).toBe('200 ')
  expect(await raw('POST', { ...json, origin: 'https://evil.example' })).toBe('403 origin-not-allowed')
  expect(await raw('POST', { ...json, origin: 'null' })).toBe('403 origin-not-allowed')
  expect(await raw('POST', { ...json, origin: `http://localhost:${server.port}` })).toBe('201 ')
})

test('a flood of batches of one run is held back without touching other runs', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'r2' })
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const held = Array.from({ length: lineLengthMax }, () => server.app.runs.inLine('r1', () => gate))
  const busy = await post(batch({}))
  expect(busy.body).toMatchObject({ status: 503, code: 'run-busy' })
  expect(busy.headers.get('retry-after')).toBe('1')
  const other = await server.call('POST', '/api/v1/runs/r2/telemetry', batch({}))
  expect(other.status).toBe(200)
  release()
  await Promise.all(held)
  await expectNothingStored()
})

test('steps out of order and repeated steps are accepted and shown', async () => {
  await post(batch({ steps: { step: [5, 3, 3, 4], loss: [5, 3, 3.5, 4] } }))
  const { body } = await server.call('GET', '/api/v1/runs/r1/series?signals=loss')
  expect(body.signals.loss).toMatchObject({
    step: [3, 4, 5],
    first: [3, 4, 5],
    last: [3.5, 4, 5],
    count: [2, 1, 1],
  })
})

test('a run holds at most 200 own metrics', async () => {
  const metrics = (from: number) =>
    Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`m${from + i}`, [1]]))
  expect((await post(batch({ steps: { step: [0], metrics: metrics(0) } }))).status).toBe(200)
  const more = await post(batch({ sequence: 2, steps: { step: [1], metrics: metrics(100) } }))
  expect(more.body).toMatchObject({ status: 422, code: 'too-many-metrics' })
})

test('the page gets strict headers, and says so when it is not built', async () => {
  const answer = await server.call('GET', '/runs/r1')
  expect(answer.body.detail).toContain('npm run build')
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(answer.headers.get('content-security-policy')).not.toContain('unsafe')
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  expect(answer.headers.get('access-control-allow-origin')).toBeNull()
})

/** Sends text as it is, and answers what comes back until the connection ends. */
function sendRaw(text: string): Promise<string> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}

test.each([
  [
    'headers beyond their bound',
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    431,
    'headers-too-large',
  ],
  ['what is no HTTP', 'hello\r\n\r\n', 400, 'malformed-request'],
])('%s are answered as a problem, and the connection ends', async (_name, text, status, code) => {
  const answer = await sendRaw(text)
  const [head, body] = answer.split('\r\n\r\n')
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(JSON.parse(body!)).toMatchObject({ status, code })
})

test('import is an address of its own, and no run has that name', async () => {
  const answer = await fetch(`${server.url}/api/v1/runs/import`)
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  const { status, body } = await server.call('POST', '/api/v1/runs', { runId: 'import' })
  expect(status).toBe(422)
  expect(body.detail).toContain('not "import"')
})

test('the last step that can be reported is answered by the contract', async () => {
  const { status, body } = await post(batch({ steps: { step: [999_999_999_999, 1_000_000_000_000] } }))
  expect(status).toBe(200)
  expect(telemetryAnswerSchema.safeParse(body).error).toBeUndefined()
  const { body: run } = await server.call('GET', '/api/v1/runs/r1')
  expect(runSummarySchema.safeParse(run).error).toBeUndefined()
})

test.each([
  ['/decisions?kind=hold,nope', '?kind', 'must be one of "start", '],
  ['/decisions?kind=', '?kind', 'got ""'],
  ['/decisions?limit=many', '?limit', 'got "many"'],
  ['/decisions?limit=1&limit=2', '?limit', 'got ["1","2"]'],
  ['/series?points=0', '?points', 'got "0"'],
  ['?sort=nope', '?sort', 'got "nope"'],
])(
  'of a query the parameter is named and what was typed, also a part of it: %s',
  async (query, pointer, detail) => {
    const path = query.startsWith('?') ? `/api/v1/runs${query}` : `/api/v1/runs/r1${query}`
    const { status, body } = await server.call('GET', path)
    expect(status).toBe(422)
    expect(body.errors).toMatchObject([{ pointer, detail: expect.stringContaining(detail) }])
    expect(body.detail).not.toContain('got nothing')
    if (path.includes('nope')) expect(body.detail).toContain('got "nope"')
  },
)
