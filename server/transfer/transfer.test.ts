// A run goes out of one server and into another, with the real tuner, and is the same there.

import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiPrefix as api } from '../../protocol/version.ts'
import { realTuner } from '../runs/realTuner.ts'
import { loadDriver } from '../storage/sqlite/driver.ts'
import { writeOldDatabase } from '../testing/oldDatabase.ts'
import { storedObservation } from '../testing/storedObservation.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

let home: TestServer
let away: TestServer

beforeEach(async () => {
  home = await startTestServer({ tuner: realTuner })
  away = await startTestServer({ tuner: realTuner })
})
afterEach(() => Promise.all([home.close(), away.close()]))

const media = { 'content-type': 'application/x-ndjson' }
const odd = '__proto__'

/** A job with held-out probes, bad losses and odd names; two clients, a command and another name. */
async function report(server: TestServer, runId: string, batches: number): Promise<void> {
  await server.call('POST', `${api}/runs`, {
    runId,
    budgetSteps: 1_000,
    capabilities: ['heldOutLoss', 'averagedWeights'],
    settings: { [odd]: 1 },
  })
  for (let batch = 0; batch < batches; batch++) {
    const step = Array.from({ length: 40 }, (_, i) => 40 * batch + i)
    const loss = step.map((at) => (at % 97 === 5 ? 'NaN' : 2 / (1 + at / 100) + 0.1 * Math.sin(at)))
    const at = 40 * (batch + 1)
    const raw = { loss: batch === 3 ? 'Infinity' : 2.1 / (1 + at / 100) }
    const averaged = [{ windowSteps: 20, loss: 2 / (1 + at / 100), lossByPart: [1, 'NaN', 2, 3] }]
    const probe = { kind: 'valley', step: at, set: 'held-out', examples: 512, seconds: 0.1, raw, averaged }
    // JSON text, as an object literal would take the name for its prototype.
    const metrics = `{"${odd}":[${step}],"acc, of 損":[${step.map(() => '"-Infinity"')}]}`
    const steps = JSON.stringify({ step, loss, learningRate: step.map(() => 0.1) })
    const body = `{"clientId":"${odd}","sequence":${batch + 1},"objective":"ce","probes":[${JSON.stringify(probe)}],
      "steps":${steps.slice(0, -1)},"metrics":${metrics}}}`
    const { status } = await server.call('POST', `${api}/runs/${runId}/telemetry`, body)
    expect(status).toBe(200)
    server.clock.advance(700)
  }
  await server.call('POST', `${api}/runs/${runId}/telemetry`, { clientId: 'second', sequence: 1 })
  await server.call('PATCH', `${api}/runs/${runId}`, {
    name: 'renamed',
    tags: ['a', 'ß'],
    budgetSteps: 1_200,
  })
}

const exported = async (server: TestServer, runId: string): Promise<string> =>
  (await server.call('GET', `${api}/runs/${runId}/export`)).body

const imported = (server: TestServer, text: string, query = '') =>
  server.call('POST', `${api}/runs/import${query}`, text, media)

/** All that a server tells of a run. */
async function told(server: TestServer, runId: string) {
  const get = async (path: string) => (await server.call('GET', `${api}/runs/${runId}${path}`)).body
  const [run, decisions, series, near] = await Promise.all(
    ['', '/decisions?limit=1000', '/series', '/series?from=3&to=90&points=4000'].map(get),
  )
  return { run, decisions, series, near, schedule: await get('/schedule?format=csv') }
}

test('an imported run has the same decisions byte for byte, the same series and the same schedule', async () => {
  await report(home, 'r1', 15)
  const text = await exported(home, 'r1')
  const { status, body } = await imported(away, text)
  expect(status).toBe(201)
  const made = body.decisions.made
  expect(made).toBeGreaterThan(10)
  expect(body.decisions).toEqual({ made, exported: made, identical: made, firstDifferent: null })
  away.clock.advance(home.clock.now() - away.clock.now())
  expect(await told(away, 'r1')).toEqual(await told(home, 'r1'))
  expect(await exported(away, 'r1')).toBe(text)
  // It goes on where it stood: the next batch is expected, an old one is known.
  const next = await away.call('POST', `${api}/runs`, { runId: 'r1', resume: 'must' })
  expect(Object.entries(next.body.nextSequence).sort()).toEqual([
    [odd, 16],
    ['second', 2],
  ])
  const again = await away.call('POST', `${api}/runs/r1/telemetry`, { clientId: 'second', sequence: 1 })
  expect(again.body).toMatchObject({ duplicate: true, nextSequence: 2 })
})

test('a run may be imported under another id, gzipped, and differs by its id alone', async () => {
  await report(home, 'r1', 6)
  const text = await exported(home, 'r1')
  const response = await fetch(`${home.url}${api}/runs/import?runId=copy`, {
    method: 'POST',
    body: gzipSync(text),
    headers: { ...media, 'content-encoding': 'gzip' },
  })
  const { decisions } = (await response.json()) as { decisions: { made: number } }
  expect(decisions).toMatchObject({ identical: decisions.made, firstDifferent: null })
  const { run, ...one } = await told(home, 'r1')
  const { run: other, ...two } = await told(home, 'copy')
  expect(JSON.parse(JSON.stringify(two).replaceAll('"copy"', '"r1"'))).toEqual(one)
  expect({ ...other, id: 'r1' }).toEqual(run)
  expect(other.options.name).toBe('renamed')
})

test('a run that exists is not replaced', async () => {
  await report(home, 'r1', 2)
  const text = await exported(home, 'r1')
  const { body } = await imported(home, text)
  expect(body).toMatchObject({ status: 409, code: 'run-exists' })
  expect(body.detail).toContain('?runId=')
})

test.each([
  ['ends too early', 'DELETE FROM observations WHERE number > 5', / observations in its log, and /],
  ['has a gap', 'DELETE FROM observations WHERE number = 5', /observation 5 of run "r1" is missing/],
  ['was changed', 'UPDATE observations SET received_at = 1 WHERE number = 5', /observation 5 of run "r1"/],
])('a log that %s is no file: the answer is a problem that names it', async (_what, sql, found) => {
  await report(home, 'r1', 8)
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(join(home.folder, 'twostep.db'))
  database.exec(sql)
  database.close()
  const { status, body } = await home.call('GET', `${api}/runs/r1/export`)
  expect(status).toBe(503)
  expect(body).toMatchObject({ code: 'storage-damaged', detail: expect.stringMatching(found) })
})

test('a long log whose damage is met on the way breaks off, and the log of the server says where', async () => {
  const entries: unknown[][] = []
  const server = await startTestServer({ log: (...entry) => void entries.push(entry) })
  await server.call('POST', `${api}/runs`, { runId: 'long' })
  for (let sequence = 1; sequence <= 40; sequence++) {
    const steps = sampleBatch(1_000 * sequence, 1_000)
    await server.call('POST', `${api}/runs/long/telemetry`, { clientId: 'c', sequence, steps })
  }
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(join(server.folder, 'twostep.db'))
  database.exec('UPDATE observations SET received_at = 1 WHERE number = 35')
  database.close()
  const response = await fetch(`${server.url}${api}/runs/long/export`)
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
  const failed = entries.filter(([level, message]) => level === 'error' && message === 'a request failed')
  expect(failed).toHaveLength(1)
  expect(String((failed[0]![2] as { error: Error }).error)).toContain('observation 35 of run "long"')
  await server.close()
})

test('a file that was cut is refused and leaves nothing, at whatever line or character it ends', async () => {
  await report(home, 'r1', 8)
  const text = await exported(home, 'r1')
  const lines = text.trimEnd().split('\n')
  for (const count of [1, 2, 9, lines.length - 1]) {
    const { body } = await imported(away, `${lines.slice(0, count).join('\n')}\n`)
    expect(body).toMatchObject({ status: 422, code: 'invalid-request' })
    expect(body.detail).toBe(
      `line ${count + 1}: is missing: the file was cut before its end line {"end":true, …}`,
    )
  }
  const half = await imported(away, text.slice(0, text.length / 2))
  expect(half.body).toMatchObject({ status: 400, code: 'malformed-json' })
  expect((await imported(away, '')).body.detail).toContain('line 1: is missing')
  expect((await away.call('GET', `${api}/runs`)).body.runs).toEqual([])
  expect((await imported(away, text)).status).toBe(201)
})

test('what is wrong with a line is said with its number, field, value and what is allowed', async () => {
  await report(home, 'r1', 3)
  const lines = (await exported(home, 'r1')).trimEnd().split('\n')
  const refused = async (line: number, change: (text: string) => string) => {
    const changed = lines.map((text, i) => (i === line - 1 ? change(text) : text))
    expect(changed).not.toEqual(lines)
    const { body } = await imported(away, changed.join('\n'))
    expect([400, 422]).toContain(body.status)
    return body.detail
  }
  const put = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to)
  expect(await refused(1, put('twostep-log', 'other'))).toBe(
    'line 1: /format must be one of "twostep-log", got "other"',
  )
  expect(await refused(1, put('"version":1', '"version":2'))).toContain('/version must be one of 1, got 2')
  expect(await refused(1, put(/"createdAt":"[^"]*"/, '"createdAt":"today"'))).toContain(
    'line 1: /run/createdAt must be a time such as "2025-01-31T12:00:00.000Z", got "today"',
  )
  expect(await refused(2, put('"runId":"r1"', '"runId":"r2"'))).toBe(
    'line 2: /body/runId must be "r1", as in the header, got "r2"',
  )
  expect(await refused(2, put('"mode":"auto"', '"mode":"best"'))).toBe(
    'line 2: /body/options/mode must be one of "auto", "advisory", "approve", "off", got "best"',
  )
  expect(await refused(3, put('"kind":"samples"', '"kind":"notes"'))).toContain(
    'line 3: /kind must be one of',
  )
  expect(await refused(3, put('"loss":[2', '"loss":["two"'))).toContain(
    'line 3: /body/columns/loss/0 must be a number, null, "NaN", "Infinity" or "-Infinity", got "two"',
  )
  expect(await refused(3, put('"step":[0,', '"step":['))).toContain(
    'line 3: /body/columns/loss column loss has 40',
  )
  expect(await refused(3, put('"number":2', '"number":3'))).toBe('line 3: /number must be 2, got 3')
  expect(await refused(4, put('"set":"held-out"', '"set":"test"'))).toContain(
    '/body/probe/set must be one of',
  )
  expect(await refused(4, () => '[]')).toBe('line 4: must be an object, got []')
  expect(await refused(4, () => '{"a":')).toContain('line 4: is not JSON')
  expect(await refused(lines.length, put(/"observations":\d+/, '"observations":3'))).toContain(
    '/observations must be 8, as so many lines came before, got 3',
  )
  expect(await refused(lines.length, (text) => `${text}\n{}`)).toContain('follows the end line; nothing may')
  expect((await away.call('GET', `${api}/runs`)).body.runs).toEqual([])
})

test('other bodies are refused by their type, and a bad id by its name', async () => {
  const json = await away.call('POST', `${api}/runs/import`, '{}')
  expect(json.body).toMatchObject({ status: 415, code: 'unsupported-media-type' })
  expect(json.body.detail).toContain('must be application/x-ndjson')
  expect((await imported(away, '', '?runId=a/b')).body.errors[0].pointer).toBe('?runId')
})

test('decisions of another tuner are not compared', async () => {
  await report(home, 'r1', 2)
  const text = (await exported(home, 'r1')).replace(/"tunerVersion":"[^"]*"/, '"tunerVersion":"older"')
  const { body } = await imported(away, text)
  expect(body).toMatchObject({
    decisions: { identical: null, firstDifferent: null },
    tunerVersion: { exported: 'older', made: realTuner.version },
  })
})

test('decisions that came out otherwise are counted, and the first is named', async () => {
  await report(home, 'r1', 2)
  const text = (await exported(home, 'r1')).replace(
    /"decisionHashes":\["\w+"/,
    '"decisionHashes":["000000000000"',
  )
  const { body } = await imported(away, text)
  const { made, identical, firstDifferent } = body.decisions
  expect([identical, firstDifferent]).toEqual([made - 1, 1])
})

test('a log of 0.1.0 goes through a file as it is', async () => {
  const old = await startTestServer({ tuner: realTuner, prepare: writeOldDatabase })
  const text = await exported(old, 'old')
  expect(text).toContain('"kind":"fork"')
  expect((await imported(away, text)).status).toBe(201)
  expect(await exported(away, 'old')).toBe(text)
  await old.close()
})

test('a bad line is answered though much of the file is still to come', async () => {
  await report(home, 'r1', 1)
  const [header = ''] = (await exported(home, 'r1')).split('\n')
  const { body } = await imported(away, `${header}\nnonsense\n${`${'x'.repeat(1_000)}\n`.repeat(6_000)}`)
  expect(body).toMatchObject({ status: 400, code: 'malformed-json' })
})

test('one import at a time; one that breaks off makes room for the next', async () => {
  await report(home, 'r1', 2)
  const text = await exported(home, 'r1')
  const options = { method: 'POST', headers: { ...media, expect: '100-continue' } }
  const broken = request(`${away.url}${api}/runs/import`, options).on('error', () => {})
  broken.flushHeaders()
  await once(broken, 'continue')
  broken.write(text.slice(0, 1_000))
  const second = await imported(away, text)
  expect(second.body).toMatchObject({ status: 503, code: 'server-busy' })
  expect(second.headers.get('retry-after')).toBe('10')
  broken.destroy()
  await expect.poll(async () => (await imported(away, text)).status).toBe(201)
})

test('a server that dies in the middle of an import has none of it when it comes back', async () => {
  await report(home, 'r1', 2)
  const lines = (await exported(home, 'r1')).trimEnd().split('\n')
  const intake = await away.storage.takeIn()
  const stored = storedObservation(1, { kind: 'start', fromStep: null, toStep: null })
  await intake.append({ observations: [stored], decisions: [] })
  // Neither finished nor discarded, as after a kill.
  await away.restart()
  expect((await away.call('GET', `${api}/runs`)).body.runs).toEqual([])
  expect((await imported(away, lines.join('\n'))).status).toBe(201)
  expect((await told(away, 'r1')).run.id).toBe('r1')
})
