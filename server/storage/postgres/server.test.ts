// A whole server on PostgreSQL, in process and as a process that is killed.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { packagePath } from '../../cli/place.ts'
import { replayRun } from '../../cli/replay.ts'
import { realTuner } from '../../runs/realTuner.ts'
import { dropDatabase, hasPostgres, newDatabase, sql } from '../../testing/postgresDatabase.ts'
import { emptyLineProbe, sampleBatch, startTestServer, type TestServer } from '../../testing/testServer.ts'
import { verifyStorage } from '../verify.ts'
import { openPostgresStorage } from './postgresStorage.ts'

const batch = (sequence: number) => ({
  clientId: 'c',
  sequence,
  steps: sampleBatch(50 * (sequence - 1), 50),
  probes: [emptyLineProbe(50 * sequence)],
})

describe.skipIf(!hasPostgres)('a server on PostgreSQL', () => {
  let url: string
  let server: TestServer
  beforeEach(async () => {
    url = await newDatabase()
    server = await startTestServer({ tuner: realTuner, config: { databaseUrl: url } })
    await server.call('POST', '/api/v1/runs', { runId: 'r', budgetSteps: 10_000 })
  })
  afterEach(async () => {
    await server.close()
    await dropDatabase(url)
  })
  const post = (sequence: number) => server.call('POST', '/api/v1/runs/r/telemetry', batch(sequence))

  test('keeps what it took across a restart, and decides as one on SQLite', async () => {
    const file = await startTestServer({ tuner: realTuner })
    await file.call('POST', '/api/v1/runs', { runId: 'r', budgetSteps: 10_000 })
    for (let sequence = 1; sequence <= 40; sequence++) {
      expect((await post(sequence)).status).toBe(200)
      await file.call('POST', '/api/v1/runs/r/telemetry', batch(sequence))
      if (sequence === 17) await server.restart()
    }
    expect((await post(40)).body).toMatchObject({ duplicate: true })
    const read = async (one: TestServer, path: string) =>
      (await one.call('GET', `/api/v1/runs/r${path}`)).body
    for (const path of ['/decisions', '/series?points=100', '/series?from=100&to=140&points=500'])
      expect(await read(server, path), path).toEqual(await read(file, path))
    expect(await replayRun(server.storage, realTuner, 'r')).toMatchObject({ identical: true })
    await file.close()
  })

  test('what follows from a log and is damaged is made anew, by who reads it and by who writes, of several servers', async () => {
    for (let sequence = 1; sequence <= 40; sequence++) await post(sequence)
    const read = async (one: TestServer, query: string) =>
      (await one.call('GET', `/api/v1/runs/r/series?${query}`)).body
    const paths = ['points=100', 'from=100&to=140&points=500']
    const before = await Promise.all(paths.map((query) => read(server, query)))
    expect((await verifyStorage(server.storage)).madeAnew).toEqual([])
    const other = await startTestServer({ tuner: realTuner, config: { databaseUrl: url } })
    await read(other, paths[0]!)
    const change = () => sql(url, "UPDATE chunks SET body = decode(repeat('00', length(body)), 'hex')")
    await change()
    expect((await verifyStorage(server.storage)).madeAnew[0]).toMatch(/series ".*" of run "r"/)
    await server.restart()
    expect(await Promise.all(paths.map((query) => read(server, query)))).toEqual(before)
    expect((await verifyStorage(server.storage)).madeAnew).toEqual([])
    await change()
    expect((await other.call('POST', '/api/v1/runs/r/telemetry', batch(41))).status).toBe(200)
    expect((await post(42)).status).toBe(200)
    expect(await read(server, paths[0]!)).toEqual(await read(other, paths[0]!))
    expect((await server.call('GET', '/healthz')).body.notices[0].detail).toContain('of run "r"')
    expect((await server.call('GET', '/readyz')).status).toBe(200)
    expect(await replayRun(server.storage, realTuner, 'r')).toMatchObject({ identical: true })
    await other.close()
  })

  test('the log of a run that was deleted and can be restored is looked at like the others', async () => {
    await post(1)
    await server.call('DELETE', '/api/v1/runs/r')
    expect(await verifyStorage(server.storage)).toEqual({ runs: 1, observations: 3, madeAnew: [] })
    await sql(url, 'DELETE FROM observations WHERE number = 3')
    await expect(verifyStorage(server.storage)).rejects.toThrow(
      'run "r" has 2 observations in its log, and 3',
    )
  })

  test('a log goes out and comes in again as the same run', async () => {
    for (let sequence = 1; sequence <= 12; sequence++) await post(sequence)
    const log = await server.call('GET', '/api/v1/runs/r/export')
    expect(log.status).toBe(200)
    const made = await server.call('POST', '/api/v1/runs/import?runId=copy', log.body, {
      'content-type': 'application/x-ndjson',
    })
    expect(made.status).toBe(201)
    expect(await replayRun(server.storage, realTuner, 'copy')).toMatchObject({ identical: true })
  })

  test('a run that another server has written to is read again, and the batch is taken', async () => {
    await post(1)
    const other = await startTestServer({ tuner: realTuner, config: { databaseUrl: url } })
    expect((await other.call('POST', '/api/v1/runs/r/telemetry', batch(2))).status).toBe(200)
    expect((await post(2)).body).toMatchObject({ duplicate: true })
    expect((await post(3)).body).toMatchObject({ duplicate: false, nextSequence: 4 })
    expect((await other.call('POST', '/api/v1/runs/r/telemetry', batch(4))).status).toBe(200)
    expect((await post(5)).body).toMatchObject({ duplicate: false, nextSequence: 6 })
    expect(await replayRun(server.storage, realTuner, 'r')).toMatchObject({ identical: true })
    await other.close()
  })

  test('a database that is away is a 503 with Retry-After, told by /readyz, and over when it is back', async () => {
    const { pathname } = new URL(url)
    const admin = url.replace(pathname, '/postgres')
    const name = pathname.slice(1)
    await sql(admin, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await sql(admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
    const refused = await post(1)
    expect(refused).toMatchObject({ status: 503, body: { code: 'storage-failed' } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await server.call('GET', '/readyz')).status).toBe(503)
    await sql(admin, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    expect((await post(1)).status).toBe(200)
    expect((await server.call('GET', '/readyz')).body).toMatchObject({ status: 'ok', storage: /PostgreSQL/ })
  })
})

const entry = packagePath('dist/server/cli/twostep.js')
describe.skipIf(!hasPostgres || !existsSync(entry))('a server on PostgreSQL that is killed', () => {
  let url: string
  beforeAll(async () => {
    url = await newDatabase()
  })
  afterAll(() => dropDatabase(url))

  const start = async () => {
    const child = spawn(process.execPath, [entry, 'serve', '--port', '0', '--json', '--storage-url', url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const line = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))
    const kill = () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      })
    return { api: `${(JSON.parse(line.toString()) as { url: string }).url}/api/v1/runs`, kill }
  }
  const send = async (address: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: answer.status, body: (await answer.json()) as { nextSequence?: number } }
  }

  test('has each batch once after it, and its replay is identical', async () => {
    let server = await start()
    await send(server.api, { runId: 'r', budgetSteps: 10_000 })
    for (let sequence = 1; sequence <= 30; sequence++) {
      const telemetry = `${server.api}/r/telemetry`
      const isKilled = sequence % 10 === 5
      const sent = send(telemetry, batch(sequence)).catch(() => undefined)
      if (isKilled) {
        await server.kill()
        server = await start()
        await sent
        expect((await send(`${server.api}/r/telemetry`, batch(sequence))).status).toBe(200)
      } else expect((await sent)?.status).toBe(200)
    }
    await server.kill()
    const storage = await openPostgresStorage({ url })
    const count = (await storage.run('r'))!.observationCount
    const batches = 'SELECT count(*)::integer AS count, sum(last - after)::integer AS taken FROM batches'
    expect(await sql(url, batches)).toEqual([{ count: 30, taken: count - 1 }])
    expect(await storage.lastSequence('r', 'c')).toBe(30)
    expect(await replayRun(storage, realTuner, 'r')).toMatchObject({ identical: true })
    await storage.close()
  })
})
