// The built program as a process, as a user runs it: killed without warning, its port taken, stopped in order.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { TelemetryAnswer } from '../../protocol/vocabulary.ts'
import { startReceiver } from '../testing/receiver.ts'
import { sampleBatch } from '../testing/testServer.ts'
import { packagePath } from './place.ts'

const entry = packagePath('dist/server/cli/twostep.js')
// Not what the person who runs the tests has set for a server of theirs.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TWOSTEP_')))
// Processes and 100 MB take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

let folder: string
let children: ChildProcess[] = []

beforeAll(() => {
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run \`npm run build\` first`)
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-built-'))
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
  rmSync(folder, { recursive: true, force: true })
})

/** The program with these words; what it prints, and how it ends. */
function run(...words: string[]) {
  const child = spawn(process.execPath, [entry, ...words], { cwd: folder, env })
  children.push(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', (data) => {
    output.out += data
  })
  child.stderr.on('data', (data) => {
    output.err += data
  })
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  )
  return { child, output, ended }
}

const start = (...options: string[]) => run(...options, '--data-dir', folder)

/** A verb that asks a server, to its end. */
const verbAt =
  (url: string) =>
  async (...words: string[]) => {
    const { output, ended } = run(...words, '--server', url)
    const code = await ended
    return { ...output, code }
  }

async function serve(...options: string[]) {
  const server = start('serve', '--json', ...options)
  const line = await new Promise<string>((resolve, reject) => {
    server.child.stdout.once('data', (data) => resolve(String(data)))
    server.ended.then(() => reject(new Error(server.output.err)))
  })
  return { ...server, ...(JSON.parse(line) as { url: string; port: number }) }
}

async function call(url: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: await response.json() }
}

test('nothing that was acknowledged is lost when the server is killed between and during batches', async () => {
  let acknowledged = 0
  let server = await serve('--port', '0')
  await call(server.url, 'POST', '/runs', { runId: 'r1', budgetSteps: 10_000 })
  for (let life = 0; life < 3; life++) {
    for (;;) {
      const sequence = acknowledged + 1
      const steps = sampleBatch(50 * acknowledged, 50)
      const sent = call(server.url, 'POST', '/runs/r1/telemetry', { clientId: 'c', sequence, steps })
      // The sixth batch of a life is cut off by the kill, at whatever point it has reached.
      const last = sequence % 6 === 0 && life < 2
      if (last) server.child.kill('SIGKILL')
      const answer = await sent.catch(() => undefined)
      if (answer !== undefined) {
        expect(answer.status).toBe(200)
        acknowledged = sequence
      }
      if (last || acknowledged >= 18) break
    }
    if (life === 2) break
    expect(await server.ended).toBe('SIGKILL')
    server = await serve('--port', '0')
    const resumed = await call(server.url, 'POST', '/runs', { runId: 'r1', resume: 'must' })
    const next = resumed.body.nextSequence.c as number
    // The batch that was cut off may have become durable or not; those answered must have.
    expect(next - 1).toBeGreaterThanOrEqual(acknowledged)
    expect(next - 1).toBeLessThanOrEqual(acknowledged + 1)
    const again = { clientId: 'c', sequence: acknowledged + 1, steps: sampleBatch(50 * acknowledged, 50) }
    const repeated = (await call(server.url, 'POST', '/runs/r1/telemetry', again)).body as TelemetryAnswer
    expect(repeated.duplicate).toBe(next - 1 > acknowledged)
    acknowledged++
  }
  const { body } = await call(server.url, 'GET', '/runs/r1/series?signals=loss')
  expect(body.stored).toBe(50 * acknowledged)
  const replay = start('replay', 'r1')
  expect(await replay.ended).toBe(0)
  expect(replay.output.out).toMatch(/^\d+ decisions, identical/)
})

test('it stops in order on SIGTERM and leaves one whole database file', async () => {
  const server = await serve('--port', '0')
  await call(server.url, 'POST', '/runs', { runId: 'r1' })
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  const replay = start('replay', 'r1', '--json')
  expect(await replay.ended).toBe(0)
  expect(JSON.parse(replay.output.out)).toMatchObject({ runId: 'r1', observations: 1, identical: true })
})

test('readers in loops when it is told to stop are answered or turned away, and nothing of it is a fault', async () => {
  const server = await serve('--port', '0')
  await call(server.url, 'POST', '/runs', { runId: 'r1', budgetSteps: 10_000 })
  const steps = sampleBatch(0, 5_000)
  await call(server.url, 'POST', '/runs/r1/telemetry', { clientId: 'c', sequence: 1, steps })
  const agent = new Agent({ keepAlive: true, maxSockets: 24 })
  const ask = (path: string) =>
    new Promise<string>((resolve) => {
      const asked = get(`${server.url}${path}`, { agent }, (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('error', () => resolve('cut off'))
        response.on('end', () => {
          const { statusCode } = response
          resolve(statusCode === 200 ? '200' : `${statusCode} ${JSON.parse(text).code}`)
        })
      })
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  const paths = ['/runs', '/runs/r1/series?points=4000', '/runs/r1/export', '/runs/r1/decisions', '/audit']
  const answers = new Map<string, number>()
  let count = 0
  await Promise.all(
    Array.from({ length: 24 }, async (_, i) => {
      for (let answer = ''; answer !== 'ECONNREFUSED'; ) {
        answer = await ask(`/api/v1${paths[i % paths.length]}`)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
        if (++count === 300) server.child.kill('SIGTERM')
      }
    }),
  )
  expect(await server.ended).toBe(0)
  const { 200: good, ECONNREFUSED: refused, ...others } = Object.fromEntries(answers)
  expect(good).toBeGreaterThan(200)
  expect(refused).toBe(24)
  const closed = ['ECONNRESET', 'EPIPE']
  expect(Object.keys(others).filter((answer) => !closed.includes(answer))).toEqual([])
  const lines = server.output.err.split('\n').filter((line) => line !== '')
  expect(lines.filter((line) => JSON.parse(line).message !== 'a slow request')).toEqual([])
})

test('a second server on the same port or the same data says what to do', async () => {
  const server = await serve('--port', '0')
  const sameData = start('serve', '--port', '0')
  expect(await sameData.ended).toBe(1)
  expect(sameData.output.err).toContain('another twostep server uses')
  const samePort = start('serve', '--port', String(server.port), '--storage-url', 'sqlite:///other.db')
  expect(await samePort.ended).toBe(1)
  expect(samePort.output.err).toContain(`port ${server.port} on 127.0.0.1 is in use`)
  expect(samePort.output.err).toContain('--port 0')
})

test('reading verbs print tables or the JSON of the server', async () => {
  const { url } = await serve('--port', '0')
  await call(url, 'POST', '/runs', { runId: 'r1', name: 'first', budgetSteps: 1_000 })
  const steps = sampleBatch(0, 40)
  await call(url, 'POST', '/runs/r1/telemetry', { clientId: 'c', sequence: 1, steps })
  const verb = verbAt(url)
  expect((await verb('list', 'runs')).out).toMatch(/^RUN +NAME .*\nr1 +first +running +40\/1,000/)
  await call(url, 'POST', '/runs', { runId: 'r2', name: 'second', tags: ['seed=2'] })
  const runsOf = async (...flags: string[]) =>
    [...(await verb('list', 'runs', ...flags)).out.matchAll(/^r\d/gm)].map(String)
  expect(await runsOf('--sort', 'name', '--order', 'asc')).toEqual(['r1', 'r2'])
  expect(await runsOf('--search', 'sec')).toEqual(['r2'])
  expect(await runsOf('--tag', 'seed=2')).toEqual(['r2'])
  expect((await verb('list', 'runs', '--tag', 'none')).out).toBe('None of 2 runs matches.\n')
  const page = (await verb('list', 'runs', '--limit', '1')).out
  const next = /\n1 of 2 runs\. More: --after (\S+)\n$/.exec(page)?.[1]
  expect(await runsOf('--limit', '1', '--after', next!)).toEqual(['r1'])
  expect(JSON.parse((await verb('get', 'run', 'r1', '--json')).out).step).toBe(40)
  expect((await verb('list', 'decisions', 'r1')).out).toMatch(/^#1 step 0 start: /)
  expect((await verb('get', 'series', 'r1', '--signals', 'loss')).out).toContain('Showing 40 of 40')
  expect((await verb('get', 'schedule', 'r1', '--format', 'csv')).out).toContain('\n39,0.1,,applied\n')
  expect((await verb('get', 'schedule', 'r1', '--format', 'optax')).out).toContain('\ndef schedule(count):\n')
  expect((await verb('get', 'run', 'nobody')).code).toBe(1)
})

test('where tokens are demanded the first is told once, and makes, lists, rotates and revokes others', async () => {
  const server = await serve('--port', '0', '--require-tokens', '1')
  const first = (server as unknown as { token: string }).token
  expect(first).toMatch(/^tw_[\w-]{43}$/)
  const verb = (token: string, ...words: string[]) => verbAt(server.url)(...words, '--token', token)
  expect((await verbAt(server.url)('list', 'runs')).err).toContain(
    'demands a token: give it with TWOSTEP_TOKEN',
  )
  const create = ['token', 'create', 'laptop', '--scope', 'read,control', '--expires', '30d', '--json']
  const made = JSON.parse((await verb(first, ...create)).out) as { secret: string }
  expect(await verb(made.secret, 'list', 'runs')).toMatchObject({ code: 0, out: 'No runs yet.\n' })
  expect((await verb(made.secret, 'token', 'list')).err).toContain('this needs the scope "admin"')
  expect((await verb(first, 'token', 'list')).out).toMatch(/laptop +read,control +all +active /)
  const rotated = JSON.parse((await verb(first, 'token', 'rotate', 'laptop', '--json')).out) as {
    secret: string
  }
  expect((await verb(made.secret, 'list', 'runs')).err).toContain('was revoked')
  expect((await verb(first, 'token', 'revoke', 'laptop')).out).toBe('The token "laptop" is revoked.\n')
  expect((await verb(rotated.secret, 'list', 'runs')).code).toBe(1)
  expect((await verb(first, 'token', 'create', 'x', '--scope', 'all')).code).toBe(2)
  const done = (await verb(first, 'list', 'audit')).out
  expect(done).toMatch(
    / first +revokeToken +– +token "laptop" .* 204\n[^\n]* rotateToken .* 201\n[^\n]* createToken /,
  )
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(server.output.err).not.toContain('tw_')
  const offline = start('token', 'create', 'rescue', '--scope', 'admin', '--offline', '--json')
  expect(await offline.ended).toBe(0)
  const rescue = JSON.parse(offline.output.out) as { secret: string }
  const again = await serve('--port', '0', '--require-tokens', '1')
  expect(again).not.toHaveProperty('token')
  expect((await verbAt(again.url)('token', 'list', '--token', rescue.secret)).code).toBe(0)
})

test('a run goes into a file and comes back as another, as its bytes or compressed', async () => {
  const { url } = await serve('--port', '0')
  await call(url, 'POST', '/runs', { runId: 'r1', budgetSteps: 1_000 })
  await call(url, 'POST', '/runs/r1/telemetry', { clientId: 'c', sequence: 1, steps: sampleBatch(0, 40) })
  const verb = verbAt(url)
  const told = { runId: 'r1', file: 'r1.twostep.ndjson', observations: 2, decisions: 1 }
  expect(JSON.parse((await verb('export', 'r1', '--json')).out)).toEqual(told)
  const { out } = await verb('export', 'r1', '-')
  expect(out).toBe(readFileSync(join(folder, told.file), 'utf8'))
  expect((await verb('export', 'r1', 'r1.gz')).out).toContain('r1.gz: 2 observations')
  expect((await verb('import', 'r1.gz', '--run-id', 'r2')).out).toBe(
    'run r2: 2 observations, 1 decision, identical to those exported\n',
  )
  expect((await verb('import', told.file)).err).toMatch(
    /run "r1" exists already.* under another id \(--run-id, of/,
  )
  expect((await verb('import', 'missing')).err).toContain('missing could not be read')
  expect(await verb('export', 'nobody')).toMatchObject({ code: 1, out: '' })
  expect(readdirSync(folder).filter((name) => /nobody|part/.test(name))).toEqual([])
})

test('a reader that has seen enough ends a verb without an error', async () => {
  const { url } = await serve('--port', '0')
  await call(url, 'POST', '/runs', { runId: 'r1', budgetSteps: 10_000 })
  const steps = sampleBatch(0, 5_000)
  await call(url, 'POST', '/runs/r1/telemetry', { clientId: 'c', sequence: 1, steps })
  const reading = run('get', 'schedule', 'r1', '--format', 'csv', '--server', url)
  reading.child.stdout.destroy()
  expect(await reading.ended).toBe(0)
  expect(reading.output.err).toBe('')
})

test('wrong usage is exit status 2 with a sentence', async () => {
  const { url } = await serve('--port', '0')
  expect((await verbAt(url)('list', 'runs', '--limit', 'many')).code).toBe(2)
  const port = start('serve', '--port', 'high')
  expect(await port.ended).toBe(2)
  expect(port.output.err).toContain(
    '--port must be a whole number from 0 (any free port) to 65535, got "high"',
  )
  const verb = start('fly')
  expect(await verb.ended).toBe(2)
  expect(await run('--help').ended).toBe(0)
  const help = run('serve', '--help')
  await help.ended
  expect(help.output.out.replaceAll(/\s+/g, ' ')).toContain('sqlite:///file or postgresql://')
})

test('webhooks are made, listed, tried and removed by verbs; their secret and their path are told once', async () => {
  const receiver = await startReceiver()
  try {
    const server = await serve('--port', '0', '--webhook-allow', '127.0.0.1')
    const verb = verbAt(server.url)
    expect((await verb('webhook', 'list')).out).toBe('No webhooks.\n')
    const address = `http://127.0.0.1:${receiver.port}/hidden`
    const add = ['webhook', 'add', address, '--events', 'waiting, finished', '--project', 'p']
    const made = await verb(...add)
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^whsec_\S+\n\nThe webhook \S+ to /) })
    expect(made.out).not.toContain('hidden')
    const list = await verb('webhook', 'list')
    expect(list.out).toMatch(/http:\/\/127\.0\.0\.1:\d+\/… +waiting,finished +p +generic +active +–\n$/)
    const { webhooks } = JSON.parse((await verb('webhook', 'list', '--json')).out)
    expect(webhooks).toMatchObject([{ url: address, events: ['waiting', 'finished'] }])
    const { id } = webhooks[0]
    expect(await verb('webhook', 'test', id)).toMatchObject({
      code: 0,
      out: `http://127.0.0.1:${receiver.port}/… answered 204: it hears of runs.\n`,
    })
    expect(receiver.received.at(-1)!.body.type).toBe('test')
    receiver.answer = (response) => void response.writeHead(500).end()
    const failed = await verb('webhook', 'test', address, '--json')
    expect([failed.code, JSON.parse(failed.out)]).toMatchObject([1, { taken: false, status: 500 }])
    expect((await verb('webhook', 'list')).out).toMatch(/ failing +\d{4}-/)
    const wrong = await verb('webhook', 'add', address, '--events', 'everything')
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining('--events must be of decision, switch'),
    })
    const inner = await verb('webhook', 'add', 'http://10.0.0.1/', '--events', 'finished')
    expect(inner).toMatchObject({ code: 1, err: expect.stringContaining('/url must lead elsewhere') })
    expect((await verb('webhook', 'remove', 'none')).err).toContain('there is no webhook "none"')
    expect((await verb('webhook', 'remove', id)).out).toMatch(/^The webhook \S+ to \S+… is gone\.\n$/)
    expect((await verb('webhook', 'list')).out).toBe('No webhooks.\n')
  } finally {
    await receiver.close()
  }
})

test('what webhooks are owed is told after the server was killed between two tries', async () => {
  const receiver = await startReceiver()
  const allow = ['--webhook-allow', '127.0.0.1']
  try {
    receiver.answer = (response) => void response.writeHead(503).end()
    const first = await serve('--port', '0', ...allow)
    const wish = { url: receiver.url, events: ['decision', 'finished'] }
    expect((await call(first.url, 'POST', '/webhooks', wish)).status).toBe(201)
    await call(first.url, 'POST', '/runs', { runId: 'r1' })
    await call(first.url, 'POST', '/runs/r1/commands', { kind: 'finish', reason: '' })
    const [tried] = await receiver.until(1)
    first.child.kill('SIGKILL')
    await first.ended
    receiver.answer = (response) => void response.writeHead(200).end()
    await serve('--port', '0', ...allow)
    const received = await receiver.until(receiver.received.length + 2)
    const ids = received.map(({ headers }) => headers['webhook-id'])
    expect(ids.filter((id) => id === tried!.headers['webhook-id']).length).toBeGreaterThan(1)
    expect(received.at(-1)!.body).toMatchObject({ type: expect.stringMatching(/decision|finished/) })
  } finally {
    await receiver.close()
  }
})
