import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { io } from 'socket.io-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing/testServer.ts'
import { isBasePath } from './basePath.ts'

const html = `<!doctype html>
<html>
  <head>
    <script type="module" src="/assets/page-1.js"></script>
    <link rel="stylesheet" href="/assets/page-1.css">
  </head>
  <body><noscript>The same data is under /api/v1/runs.</noscript></body>
</html>
`
let pageDir: string
let server: TestServer
beforeEach(async () => {
  pageDir = mkdtempSync(join(tmpdir(), 'twostep-page-'))
  mkdirSync(join(pageDir, 'assets'))
  writeFileSync(join(pageDir, 'index.html'), html)
  writeFileSync(join(pageDir, 'assets', 'page-1.js'), 'go()')
  writeFileSync(join(pageDir, 'assets', 'page-1.js.br'), 'small')
  server = await startTestServer({ pageDir, config: { basePath: '/tools/twostep' } })
})
afterEach(async () => {
  await server.close()
  rmSync(pageDir, { recursive: true, force: true })
})

/** The host's own addresses, beside the path. */
const beside = () => new URL(server.url).origin
const statusOf = async (url: string, init?: RequestInit) => (await fetch(url, init)).status

test.each([
  ['/twostep', true],
  ['/tools/two-step_2.0~x', true],
  ['', false],
  ['/', false],
  ['twostep', false],
  ['/twostep/', false],
  ['//twostep', false],
  ['/a//b', false],
  ['/a/../b', false],
  ['/.', false],
  ['/a b', false],
  ['/a%20b', false],
  ['/a?b', false],
  ['/a"b', false],
  [`/${'a'.repeat(200)}`, false],
])('%j as a base path: %j', (text, isOne) => {
  expect(isBasePath(text)).toBe(isOne)
})

test('all addresses are under the path, and Location names them so', async () => {
  expect(server.url).toBe(`http://127.0.0.1:${server.port}/tools/twostep`)
  const made = await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  expect(made.headers.get('location')).toBe('/tools/twostep/api/v1/runs/r1')
  expect((await fetch(beside() + made.headers.get('location'))).status).toBe(200)
  expect((await server.call('GET', '/version')).status).toBe(200)
  expect((await server.call('GET', '/openapi.json')).body.servers).toEqual([{ url: '/tools/twostep' }])
  const log = await (await fetch(`${server.url}/api/v1/runs/r1/export`)).text()
  const imported = await fetch(`${server.url}/api/v1/runs/import?runId=r2`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: log,
  })
  expect(imported.headers.get('location')).toBe('/tools/twostep/api/v1/runs/r2')
})

test('beside the path there are the three probes, and nothing else', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    expect([path, await statusOf(beside() + path)]).toEqual([path, 200])
    expect([path, await statusOf(server.url + path)]).toEqual([path, 200])
  }
  for (const path of [
    '/',
    '/api/v1/runs',
    '/assets/page-1.js',
    '/mcp',
    '/version',
    '/tools',
    '/tools/twostepx',
  ])
    expect([path, await statusOf(beside() + path)]).toEqual([path, 404])
  for (const path of [
    '/TOOLS/twostep/version',
    '/tools/%74wostep/version',
    '/socket.io/?EIO=4&transport=polling',
  ])
    expect([path, await statusOf(beside() + path)]).toEqual([path, 404])
  const answer = await (await fetch(`${beside()}/api/v1/runs`)).json()
  expect(answer).toMatchObject({
    code: 'not-found',
    detail: 'there is nothing at /api/v1/runs: the addresses of this server begin with /tools/twostep/',
  })
  const missing = await server.call('GET', '/nowhere')
  expect(missing.body.detail).toBe(
    'there is nothing at /tools/twostep/nowhere; GET /tools/twostep/openapi.json lists the addresses',
  )
})

/** What a browser says of a request, which `fetch` lets nobody write. */
const statusFor = (path: string, headers: Record<string, string>) =>
  new Promise<number | undefined>((resolve, reject) => {
    get(server.url + path, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })

test('the checks of who asks hold under the path as without it', async () => {
  const foreign = { 'sec-fetch-site': 'cross-site' }
  const framed = { ...foreign, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }
  expect(await statusFor('/api/v1/runs', { ...foreign, 'sec-fetch-mode': 'no-cors' })).toBe(403)
  // Only addresses of the page are opened in a frame; whether one is shown there is the policy's matter.
  expect(await statusFor('/api/v1/runs', framed)).toBe(403)
  expect(await statusFor('/runs/r1', framed)).toBe(200)
})

test('the page knows its path, and its files come from there', async () => {
  for (const path of ['', '/', '/?q=a', '/runs/r1', '/settings/tokens', '/start', '/compare']) {
    const response = await fetch(server.url + path)
    expect([path, response.status, response.headers.get('cache-control')]).toEqual([path, 200, 'no-cache'])
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(response.headers.get('content-security-policy')).toContain("base-uri 'none'")
    const text = await response.text()
    expect(text).toContain('<meta name="base-path" content="/tools/twostep">')
    expect(text).toContain('src="/tools/twostep/assets/page-1.js"')
    expect(text).toContain('href="/tools/twostep/assets/page-1.css"')
    expect(text).toContain('under /tools/twostep/api/v1/runs.')
  }
  const code = await fetch(`${server.url}/assets/page-1.js`, { headers: { 'accept-encoding': 'gzip' } })
  expect(code.headers.get('cache-control')).toContain('immutable')
  expect(await code.text()).toBe('go()')
})

test('without a path the page is sent as it was built', async () => {
  const plain = await startTestServer({ pageDir })
  try {
    const response = await fetch(`${plain.url}/runs/r1`)
    expect(await response.text()).toBe(html)
    expect(response.headers.get('etag')).not.toBeNull()
    expect((await plain.call('GET', '/openapi.json')).body).not.toHaveProperty('servers')
  } finally {
    await plain.close()
  }
})

test('the live connection is under the path', async () => {
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  const socket = io(`${beside()}/live`, { path: '/tools/twostep/socket.io', transports: ['websocket'] })
  try {
    const list = await socket.emitWithAck('subscribe-runs', {})
    expect(list.runs).toMatchObject([{ id: 'r1' }])
  } finally {
    socket.disconnect()
  }
})

test('agents ask under the path', async () => {
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)))
  expect((await client.listTools()).tools.length).toBeGreaterThan(0)
  await client.close()
})

test('a run may be shown in a frame under the path, too', async () => {
  const framed = await startTestServer({
    pageDir,
    config: { basePath: '/twostep', embedOrigins: ['https://notes.example'] },
  })
  try {
    const policy = async (path: string) =>
      (await fetch(framed.url + path)).headers.get('content-security-policy')
    expect(await policy('/runs/r1?embed=1')).toMatch(/frame-ancestors https:\/\/notes\.example$/)
    expect(await policy('/runs/r1')).toMatch(/frame-ancestors 'none'$/)
  } finally {
    await framed.close()
  }
})
