import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { patienceMilliseconds } from './app.ts'
import type { Log } from './log.ts'
import { holdLists } from './testing/heldList.ts'
import { startTestServer } from './testing/testServer.ts'

/** What is told, but of what is usual. */
function faults(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const log: Log = (level, message) => {
    if (level === 'warn' || level === 'error') lines.push(`${level}: ${message}`)
  }
  return { log, lines }
}

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

test('what is in hand when the server ends is answered, as the last answer of its connection', async () => {
  const { log, lines } = faults()
  const server = await startTestServer({ log })
  const body = JSON.stringify({ runId: 'r1' })
  const agent = new Agent({ keepAlive: true })
  const at = { port: server.port, agent }
  // One connection is idle by then; of another request the server has the head.
  const [idle] = (await once(request({ ...at, path: '/healthz' }).end(), 'response')) as [IncomingMessage]
  const { socket } = idle
  idle.resume()
  await once(idle, 'end')
  expect(idle.headers.connection).toBe('keep-alive')
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    expect: '100-continue',
  }
  const asked = request({ ...at, agent: false, method: 'POST', path: '/api/v1/runs', headers })
  asked.flushHeaders()
  await once(asked, 'continue')
  const closed = server.app.close()
  await once(socket, 'close')
  await expect(fetch(server.url)).rejects.toThrow()
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect([response.statusCode, response.headers.connection]).toEqual([201, 'close'])
  response.resume()
  await closed
  expect(lines).toEqual([])
  rmSync(server.folder, { recursive: true })
})

test('what takes too long when the server ends is cut off, and the storage closed when nothing uses it', async () => {
  const { log, lines } = faults()
  const server = await startTestServer({ log })
  const { asked, order, goOn } = holdLists(server.storage)
  // A page that never answers that its live connection ends, and somebody who waits for a list.
  const live = connect(server.port, '127.0.0.1')
  const upgrade = `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
  live.write(upgrade)
  expect(String((await once(live, 'data'))[0])).toMatch(/^HTTP\/1.1 101 /)
  const list = fetch(`${server.url}/api/v1/runs`)
  await asked
  const closed = server.app.close()
  await new Promise(setImmediate)
  const cutOff = [once(live, 'close'), expect(list).rejects.toThrow()]
  server.clock.advance(patienceMilliseconds)
  await Promise.all(cutOff)
  expect(order).toEqual([])
  goOn()
  await closed
  expect(order).toEqual(['read', 'closed'])
  expect(lines).toEqual(['warn: a slow request'])
  rmSync(server.folder, { recursive: true })
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
