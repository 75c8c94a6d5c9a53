import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startTestServer } from './testing/testServer.ts'

test('a port in use is said, with the way out', async () => {
  const first = await startTestServer()
  await expect(startTestServer({ config: { port: first.port } })).rejects.toThrow(
    new RegExp(`port ${first.port} on 127.0.0.1 is in use .*--port 0`),
  )
  await first.close()
})

test('on every address it is told and called by its loopback name, and others are still checked', async () => {
  const server = await startTestServer({ config: { host: '0.0.0.0' } })
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
  expect((await server.call('GET', '/readyz')).status).toBe(200)
  const foreign = request({ port: server.port, path: '/readyz', headers: { host: 'evil.example' } }).end()
  const [response] = (await once(foreign, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(403)
  response.resume()
  await server.close()
})

test('stopping finishes the batch at work', async () => {
  const server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r1' })
  const telemetry = { clientId: 'c', sequence: 1, steps: { step: [0], loss: [1] } }
  const answer = server.app.runs.telemetry('r1', telemetry)
  const restarted = server.restart()
  expect((await answer).accepted).toBe(1)
  await restarted
  expect((await server.call('GET', '/api/v1/runs/r1')).body.step).toBe(1)
  await server.close()
})

test('the built page is served at its addresses, its assets for ever', async () => {
  const pageDir = mkdtempSync(join(tmpdir(), 'twostep-page-'))
  mkdirSync(join(pageDir, 'assets'))
  writeFileSync(join(pageDir, 'index.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(pageDir, 'icon.svg'), '<svg/>')
  writeFileSync(join(pageDir, 'assets', 'main-abc.js'), 'export {}')
  const server = await startTestServer({ pageDir })
  for (const path of ['/', '/runs/some-run', '/start', '/compare?runs=a,b', '/settings/server']) {
    const page = await server.call('GET', path)
    expect([path, page.status, page.headers.get('cache-control')]).toEqual([path, 200, 'no-cache'])
    expect(page.body).toContain('<title>page</title>')
    const again = await server.call('GET', path, undefined, {
      'if-none-match': page.headers.get('etag') ?? '',
      // Without it fetch adds no-cache, which asks for the whole page.
      'cache-control': 'max-age=0',
    })
    expect(again.status).toBe(304)
  }
  const asset = await server.call('GET', '/assets/main-abc.js')
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect((await server.call('GET', '/icon.svg')).status).toBe(200)
  expect((await server.call('GET', '/assets/gone.js')).body.code).toBe('not-found')
  expect((await server.call('GET', '/..%2f..%2fetc%2fpasswd')).status).toBe(404)
  await server.close()
  rmSync(pageDir, { recursive: true })
})
