// How answers travel: compressed as the caller asks, streamed no faster than it reads, and not at all if it has them.

import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiPrefix as api } from '../../protocol/version.ts'
import { emptyLineProbe, sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer

beforeEach(async () => {
  server = await startTestServer()
  await server.call('POST', `${api}/runs`, { runId: 'r1', budgetSteps: 10_000 })
  await send(1, { steps: sampleBatch(0, 400), probes: [emptyLineProbe(10), emptyLineProbe(20)] })
})
afterEach(() => server.close())

const send = (sequence: number, batch: object) =>
  server.call('POST', `${api}/runs/r1/telemetry`, { clientId: 'c', sequence, ...batch })

/** The bytes as they came; `fetch` would decode them. */
async function raw(path: string, encoding: string | undefined, method = 'GET') {
  const headers = encoding === undefined ? {} : { 'accept-encoding': encoding }
  const [response] = (await once(get(server.url + path, { headers, method }), 'response')) as [
    IncomingMessage,
  ]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const { 'content-encoding': used, 'content-length': length, vary } = response.headers
  return { body: Buffer.concat(chunks), used, length, vary, status: response.statusCode }
}

const paths = ['', '/decisions', '/series', '/schedule', '/schedule?format=csv', '/export'].map(
  (path) => `${api}/runs/r1${path}`,
)

test.each([...paths, '/openapi.json'])('%s is the same as it is, as gzip and as brotli', async (path) => {
  const plain = await raw(path, undefined)
  expect(plain.body.length).toBeGreaterThan(200)
  expect([plain.used, plain.vary]).toEqual([undefined, 'Accept-Encoding'])
  const gzip = await raw(path, 'gzip')
  const brotli = await raw(path, 'gzip, deflate, br')
  if (plain.body.length < 1_024) {
    expect([gzip.used, brotli.used]).toEqual([undefined, undefined])
    return
  }
  expect([gzip.used, gzip.length]).toEqual(['gzip', undefined])
  expect(gunzipSync(gzip.body)).toEqual(plain.body)
  expect(brotli.used).toBe('br')
  expect(brotliDecompressSync(brotli.body)).toEqual(plain.body)
  expect(gzip.body.length).toBeLessThan(plain.body.length)
})

test('an encoding that the caller refuses is not used', async () => {
  expect((await raw('/openapi.json', 'br;q=0, gzip')).used).toBe('gzip')
  expect((await raw('/openapi.json', 'identity')).used).toBeUndefined()
  expect((await raw('/openapi.json', 'br;q=0, gzip;q=0')).used).toBeUndefined()
})

test('small answers, HEAD and telemetry go out as they are', async () => {
  expect(await raw('/healthz', 'br')).toMatchObject({ used: undefined, vary: 'Accept-Encoding' })
  expect((await raw('/openapi.json', 'br', 'HEAD')).used).toBeUndefined()
  const metrics = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`m${i}`, [1]]))
  const answer = await send(2, { steps: { step: [500], metrics }, probes: [emptyLineProbe(500)] })
  expect(JSON.stringify(answer.body).length).toBeGreaterThan(1_024)
  expect(answer.headers.get('content-encoding')).toBeNull()
})

test('a caller that leaves in the middle of a stream leaves nothing behind', async () => {
  for (let batch = 2; batch < 40; batch++) await send(batch, { steps: sampleBatch(400 * batch, 400) })
  const headers = { 'accept-encoding': 'br' }
  const [response] = (await once(get(`${server.url}${api}/runs/r1/export`, { headers }), 'response')) as [
    IncomingMessage,
  ]
  await once(response, 'readable')
  response.destroy()
  expect((await raw(`${api}/runs/r1/export`, 'gzip')).status).toBe(200)
})

test('a long stream arrives whole at a caller that reads slowly', async () => {
  for (let batch = 2; batch < 60; batch++) await send(batch, { steps: sampleBatch(400 * batch, 400) })
  const path = `${api}/runs/r1/export`
  const plain = await raw(path, undefined)
  const [response] = (await once(
    get(server.url + path, { headers: { 'accept-encoding': 'gzip' } }),
    'response',
  )) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) {
    chunks.push(chunk as Buffer)
    await new Promise(setImmediate)
  }
  expect(gunzipSync(Buffer.concat(chunks))).toEqual(plain.body)
})

test('the page and its assets are compressed, and the assets never asked for again', async () => {
  const pageDir = join(server.folder, 'page')
  mkdirSync(join(pageDir, 'assets'), { recursive: true })
  writeFileSync(join(pageDir, 'index.html'), '<p>page</p>'.repeat(500))
  writeFileSync(join(pageDir, 'assets', 'main-abc.js'), 'export const a = 1\n'.repeat(5_000))
  const script = await fetch(`${server.url}/assets/main-abc.js`, { headers: { 'accept-encoding': 'br' } })
  expect(await script.text()).toBe('export const a = 1\n'.repeat(5_000))
  expect(script.headers.get('content-encoding')).toBe('br')
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  const page = await raw('/', 'gzip')
  expect([page.used, gunzipSync(page.body).length]).toEqual(['gzip', 5_500])
})

const tagged = ['', '/decisions', '/series?signals=loss', '/schedule', '/schedule?format=csv'].map(
  (path) => `${api}/runs/r1${path}`,
)

test.each([...tagged, '/openapi.json'])('%s is not sent again to who has it', async (path) => {
  const first = await server.call('GET', path)
  const tag = first.headers.get('etag')!
  expect(tag).toMatch(/^W\/"[\w-]+"$/)
  expect(first.headers.get('cache-control')).toBe('private, no-cache')
  const again = await server.call('GET', path, undefined, { 'if-none-match': tag })
  expect(again).toMatchObject({ status: 304, body: '' })
  expect([again.headers.get('etag'), again.headers.get('vary')]).toEqual([tag, 'Accept-Encoding'])
  expect((await server.call('GET', path, undefined, { 'if-none-match': 'W/"other"' })).status).toBe(200)
})

test('a tag changes with what the answer follows from, and with nothing else', async () => {
  const tagsOf = async () => {
    const answers = await Promise.all(tagged.map((path) => server.call('GET', path)))
    return answers.map(({ headers }) => headers.get('etag'))
  }
  const changed = (before: unknown[], after: unknown[]) => before.map((tag, i) => tag !== after[i])
  const first = await tagsOf()
  expect(new Set(first).size).toBe(tagged.length)
  expect(changed(first, await tagsOf())).toEqual([false, false, false, false, false])
  await send(2, { steps: sampleBatch(400, 10) })
  const second = await tagsOf()
  expect(changed(first, second)).toEqual([true, false, true, true, true])
  await send(3, { probes: [emptyLineProbe(410)] })
  const third = await tagsOf()
  expect(changed(second, third)).toEqual([true, true, true, true, true])
  await server.call('PATCH', `${api}/runs/r1`, { name: 'other' })
  const fourth = await tagsOf()
  expect(changed(third, fourth)).toEqual([true, false, false, true, true])
  server.clock.advance(10 * 60_000)
  expect((await server.call('GET', `${api}/runs/r1`)).body.state).toBe('stale')
  expect(changed(fourth, await tagsOf())).toEqual([true, false, false, true, true])
  await server.call('DELETE', `${api}/runs/r1`)
  await server.call('POST', `${api}/runs`, { runId: 'r1' })
  expect(changed(first, await tagsOf())).toEqual([true, true, true, true, true])
})

test('a problem is kept by nobody', async () => {
  const { headers } = await server.call('GET', `${api}/runs/r1/series?signals=nothing`)
  expect([headers.get('etag'), headers.get('cache-control')]).toEqual([null, 'no-store'])
})
