// What the guide tells who has nginx before a server under a path, tried with nginx: its lines, and nothing else but where to
// listen.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Server, startServer } from '../e2e/fixtures/service.ts'
import { freePort } from './testing/freePort.ts'
import { isInstalled } from './testing/installed.ts'

const guide = readFileSync(new URL('../docs/guides/tokens.md', import.meta.url), 'utf8')
const lines = /```nginx\n(.*?)```/s.exec(guide)?.[1] ?? ''
const isHere = isInstalled('nginx', ['-v'], 'apt-get install nginx-light')

describe.skipIf(!isHere)('a server under a path behind nginx, as the guide says', () => {
  let folder: string
  let server: Server
  let nginx: ChildProcess | undefined
  let url: string

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'twostep-nginx-'))
    const port = await freePort()
    const settings = {
      ...{ basePath: '/twostep', trustProxy: '127.0.0.1', trustNetwork: '1' },
      allowedHosts: `127.0.0.1:${port}`,
    }
    writeFileSync(join(folder, 'twostep.config.json'), JSON.stringify(settings))
    server = await startServer(folder)
    expect(lines).toContain('http://127.0.0.1:7317;')
    const config = `
      daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr; events {}
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        server {
          listen 127.0.0.1:${port};
          ${lines.replace('127.0.0.1:7317', `127.0.0.1:${server.port}`)}
        }
      }`
    writeFileSync(join(folder, 'nginx.conf'), config)
    mkdirSync(join(folder, 'logs'))
    nginx = spawn('nginx', ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')], {
      stdio: 'ignore',
    })
    url = `http://127.0.0.1:${port}/twostep`
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), {
      ...{ timeout: 20_000, interval: 50 },
    })
  })
  afterEach(async () => {
    if (nginx !== undefined && nginx.exitCode === null) {
      nginx.kill('SIGKILL')
      await once(nginx, 'exit')
    }
    await server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  const post = (path: string, body: object, headers = {}) =>
    fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  test('page, API, large batches, the live connection and the address of the caller come through', async () => {
    const made = await post('/runs', { runId: 'r', budgetSteps: 20_000 })
    expect([made.status, made.headers.get('location')]).toEqual([201, '/twostep/api/v1/runs/r'])
    const html = await (await fetch(`${url}/runs/r`)).text()
    const [, code = ''] = /src="(\/twostep\/assets\/[^"]+\.js)"/.exec(html) ?? []
    expect((await fetch(new URL(code, url))).status).toBe(200)
    // Beyond what nginx takes by itself, 1 MB.
    const step = Array.from({ length: 10_000 }, (_, i) => i)
    const metrics = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`m${i}`, step.map((at) => at + Math.PI)]),
    )
    const batch = { clientId: 'c', sequence: 1, steps: { step, loss: step.map(() => 1), metrics } }
    expect(JSON.stringify(batch).length).toBeGreaterThan(1.2e6)
    expect((await post('/runs/r/telemetry', batch)).status).toBe(200)
    const socket = io(`${new URL(url).origin}/live`, {
      path: '/twostep/socket.io',
      transports: ['websocket'],
    })
    try {
      expect((await socket.emitWithAck('subscribe-runs', {})).runs).toMatchObject([{ id: 'r', step: 10_000 }])
    } finally {
      socket.disconnect()
    }
    const claimed = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'evil.example' }
    expect((await post('/runs/r/commands', { kind: 'pause', reason: 'a test' }, claimed)).status).toBe(200)
    const { entries } = await (await fetch(`${url}/api/v1/audit`)).json()
    expect(entries.map(({ from }: { from: string }) => from)).toEqual(['127.0.0.1'])
  })
})
