import { linkSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { replayRun } from '../../cli/replay.ts'
import { createFakeTuner } from '../../testing/fakeTuner.ts'
import { emptyLineProbe, sampleBatch, startTestServer, type TestServer } from '../../testing/testServer.ts'
import { databaseDamaged } from '../damage.ts'
import { loadDriver } from './driver.ts'
import { openSqliteStorage } from './sqliteStorage.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r' })
})
afterEach(() => server.close())

const file = () => join(server.folder, 'twostep.db')
const post = (sequence: number) =>
  server.call('POST', '/api/v1/runs/r/telemetry', {
    clientId: 'c',
    sequence,
    steps: sampleBatch(20 * (sequence - 1), 20),
    probes: [emptyLineProbe(20 * sequence)],
  })
const ready = async () => (await server.call('GET', '/readyz')).body
const notices = async () =>
  (await server.call('GET', '/healthz')).body.notices as { kind: string; detail: string }[]

/** Changes the database behind the server's back, while it is stopped or not. */
function change(sql: string, ...values: string[]): void {
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file())
  expect(Number(database.prepare(sql).run(...values).changes)).toBeGreaterThan(0)
  database.close()
}

/** Another first letter of the name of a column. */
const changed = (number: number) =>
  `UPDATE observations SET columns = CAST(replace(columns, 'loss', 'moss') AS BLOB) WHERE number = ${number}`

test('a byte that changed in a stored observation is found by replay and by whoever reads it, and told with its run', async () => {
  for (let sequence = 1; sequence <= 3; sequence++) await post(sequence)
  expect(await replayRun(server.storage, createFakeTuner(), 'r')).toMatchObject({ identical: true })
  expect(await ready()).toMatchObject({ status: 'ok' })
  change(changed(2))
  await expect(replayRun(server.storage, createFakeTuner(), 'r')).rejects.toThrow(
    'observation 2 of run "r" is not what was stored',
  )
  await expect
    .poll(notices)
    .toMatchObject([{ kind: 'damage', detail: expect.stringMatching(/observation 2 of run "r"/) }])
  expect((await server.call('GET', '/metrics')).body).toContain('twostep_damage_total{part="log"} 1')
  // Of all other runs a batch can be stored.
  expect(await ready()).toMatchObject({ status: 'ok' })
  const other = await server.call('POST', '/api/v1/runs', { runId: 'other' })
  expect(other.status).toBe(201)
})

test.each([
  [
    'is missing in the middle',
    'DELETE FROM observations WHERE number = 6',
    'observation 6 of run "r" is missing',
  ],
  [
    'is missing at the end',
    'DELETE FROM observations WHERE number = 7',
    'has 6 observations in its log, and 7',
  ],
  [
    'was received at another time',
    'UPDATE observations SET received_at = 1 WHERE number = 7',
    'observation 7',
  ],
  ['lost its checksum', 'UPDATE observations SET checksum = NULL WHERE number = 6', 'observation 6'],
])(
  'what is wrong in the newest part of a run is told at the start: an observation %s',
  async (_what, sql, found) => {
    for (let sequence = 1; sequence <= 3; sequence++) await post(sequence)
    change(sql)
    await server.restart()
    expect(await ready()).toMatchObject({ status: 'ok' })
    expect((await notices())[0]).toMatchObject({ kind: 'damage', detail: expect.stringContaining(found) })
    await server.restart()
    expect(await notices()).toHaveLength(1)
  },
)

const series = async (query = 'points=50') =>
  (await server.call('GET', `/api/v1/runs/r/series?${query}`)).body
const breakChunks = async () => change('UPDATE chunks SET body = zeroblob(length(body))')

test('a snapshot that changed is made anew from the log, told, and no reason to be not ready', async () => {
  for (let sequence = 1; sequence <= 40; sequence++) await post(sequence)
  await server.restart()
  const before = (await server.call('GET', '/api/v1/runs/r')).body
  change(`UPDATE snapshots SET state = replace(state, '1', '2')`)
  await server.restart()
  await post(41)
  expect((await server.call('GET', '/api/v1/runs/r')).body.decisionCount).toBe(before.decisionCount + 1)
  expect(await ready()).toMatchObject({ status: 'ok' })
  expect(await notices()).toMatchObject([
    { kind: 'damage', detail: expect.stringMatching(/^the snapshot of run "r" .* made anew/) },
  ])
})

test('a piece of a series that changed is made anew from the log for who reads it: the chart is the same', async () => {
  for (let sequence = 1; sequence <= 40; sequence++) await post(sequence)
  const [before, near] = [await series(), await series('points=500')]
  await server.restart({ meanwhile: breakChunks })
  expect(await series()).toEqual(before)
  expect(await series('points=500')).toEqual(near)
  expect(await ready()).toMatchObject({ status: 'ok' })
  const told = await notices()
  expect(told.length).toBeGreaterThan(0)
  for (const { kind, detail } of told) {
    expect(kind).toBe('damage')
    expect(detail).toMatch(/^a stored piece of the series ".*" of run "r" is not what was stored: it follows/)
  }
  await server.restart()
  expect(await server.storage.damagedPieces('r')).toEqual([])
  expect(await series()).toEqual(before)
  expect(await replayRun(server.storage, createFakeTuner(), 'r')).toMatchObject({ identical: true })
})

test.each([
  ['while the run is in memory', async () => breakChunks()],
  ['after a restart', () => server.restart({ meanwhile: breakChunks })],
])('no batch is refused because of a damaged piece of a series: %s', async (_when, damage) => {
  const send = (sequence: number, from: number) =>
    server.call('POST', '/api/v1/runs/r/telemetry', {
      clientId: 'c',
      sequence,
      steps: sampleBatch(from, 20),
      probes: [emptyLineProbe(from + 20)],
    })
  for (let sequence = 1; sequence <= 40; sequence++) await send(sequence, 10_000 * sequence)
  const before = (await server.call('GET', '/api/v1/runs/r')).body
  await damage()
  // Steps from before, whose pieces are in memory no more.
  expect((await send(41, 10_100)).body).toMatchObject({ accepted: 20, duplicate: false })
  expect((await send(42, 420_000)).body).toMatchObject({ accepted: 20, duplicate: false })
  expect((await notices())[0]?.detail).toMatch(/^a stored piece of the series ".*" of run "r" /)
  expect((await server.call('GET', '/api/v1/runs/r')).body.decisionCount).toBe(before.decisionCount + 2)
  const whole = await series()
  expect(whole.stored).toBe(840)
  await server.restart()
  expect(await server.storage.damagedPieces('r')).toEqual([])
  expect(await series()).toEqual(whole)
  expect(await replayRun(server.storage, createFakeTuner(), 'r')).toMatchObject({ identical: true })
})

test('what follows from a log that is cut is left as it is, and the cut is told', async () => {
  for (let sequence = 1; sequence <= 40; sequence++) await post(sequence)
  const { decisionCount } = (await server.call('GET', '/api/v1/runs/r')).body
  const meanwhile = async () => {
    change('DELETE FROM observations WHERE number > 70')
    change("UPDATE snapshots SET state = replace(state, '1', '2')")
  }
  await server.restart({ meanwhile })
  expect(await series()).toMatchObject({
    code: 'storage-damaged',
    detail: expect.stringMatching(/70 observations in its log, and 81/),
  })
  expect((await server.call('GET', '/api/v1/runs/r')).body.decisionCount).toBe(decisionCount)
  await expect(replayRun(server.storage, createFakeTuner(), 'r')).rejects.toThrow(
    'has 70 observations in its log, and 81 were stored',
  )
})

test('who asks for a damaged piece that a damaged log cannot give anew is refused, and the job goes on', async () => {
  const long = (sequence: number) =>
    server.call('POST', '/api/v1/runs/r/telemetry', {
      clientId: 'c',
      sequence,
      steps: sampleBatch(100 * (sequence - 1), 100),
      probes: [emptyLineProbe(100 * sequence)],
    })
  for (let sequence = 1; sequence <= 40; sequence++) await long(sequence)
  change('UPDATE chunks SET body = zeroblob(length(body)) WHERE level = 0 AND chunk = 0')
  change(changed(2))
  const early = () => server.call('GET', '/api/v1/runs/r/series?from=0&to=1000&points=60')
  for (const sequence of [41, 42]) {
    expect((await early()).body.code).toBe('storage-damaged')
    expect((await long(sequence)).status).toBe(200)
    expect((await server.call('GET', '/api/v1/runs/r/series?from=2000&to=3000&points=60')).status).toBe(200)
  }
  await server.restart()
  expect((await long(43)).status).toBe(200)
})

test('a database whose pages do not hang together makes the server not ready until it is restarted', async () => {
  await post(1)
  const { storage } = server
  storage.damage.met(databaseDamaged('the database is damaged (disk image is malformed)'))
  expect(await ready()).toMatchObject({ status: 503, detail: expect.stringContaining('malformed') })
  expect(await notices()).toBeUndefined()
})

test.each([
  ['changed', changed(4)],
  ['follows one that is missing', 'DELETE FROM observations WHERE number = 3'],
])('a row of samples that %s is no part of a chart or a schedule', async (_what, sql) => {
  for (let sequence = 1; sequence <= 3; sequence++) await post(sequence)
  const paths = ['series?points=50', 'series?from=20&to=39&points=50', 'series/compact?points=50', 'schedule']
  const answers = () =>
    Promise.all(paths.map(async (path) => (await server.call('GET', `/api/v1/runs/r/${path}`)).body))
  for (const body of await answers()) expect(body.code).toBeUndefined()
  await server.restart({ meanwhile: async () => change(sql) })
  for (const body of await answers()) {
    expect(body).toMatchObject({ status: 503, code: 'storage-damaged' })
    expect(body.detail).toContain('of run "r" is')
  }
  expect(await ready()).toMatchObject({ status: 'ok' })
  expect((await notices()).some(({ detail }) => detail.includes('of run "r"'))).toBe(true)
})

test('a view holds rows to their checksums, and readings that are no text of ours are told, and made anew', async () => {
  await post(1)
  const row = { source: 'samples', fromStep: 0, toStep: 99, after: 0, limit: 9 } as const
  const [number = 0] = await server.storage.rowNumbers('r', row)
  const view = await server.storage.view()
  await view.stand()
  expect(await view.row('r', 'samples', number)).toMatchObject({ fromStep: 0 })
  change(`UPDATE observations SET from_step = 1 WHERE number = ${number}`)
  // It stands where it stood.
  expect(await view.row('r', 'samples', number)).toMatchObject({ fromStep: 0 })
  view.close()
  const late = await server.storage.view()
  await late.stand()
  await expect(late.row('r', 'samples', number)).rejects.toMatchObject({ code: 'storage-damaged' })
  late.close()
  change(`UPDATE observations SET from_step = 0 WHERE number = ${number}`)
  await server.restart()
  const before = await series()
  change(`UPDATE readings SET body = '{'`)
  await server.restart()
  expect(await series()).toEqual(before)
  expect((await notices())[0]?.detail).toMatch(/^a row of readings of run "r" /)
})

test('a write-ahead log that was cut is noticed: which runs went back, from where to where', async () => {
  for (let sequence = 1; sequence <= 3; sequence++) await post(sequence)
  // A kill: what is on the disk at that moment, and of its write-ahead log only the beginning.
  const copy = mkdtempSync(join(tmpdir(), 'twostep-cut-'))
  const { copyFileSync, statSync } = await import('node:fs')
  for (const end of ['', '-wal', '-acknowledged'])
    copyFileSync(`${file()}${end}`, join(copy, `twostep.db${end}`))
  const cut = join(copy, 'twostep.db')
  truncateSync(`${cut}-wal`, Math.floor(statSync(`${cut}-wal`).size * 0.6))
  const storage = openSqliteStorage({ file: cut })
  const [sentence] = await storage.settleLosses(5)
  expect(sentence).toMatch(
    /^run "r" (is gone|went back from observation 7 to [1-6]), client "c" from sequence 3 to [0-2]$/,
  )
  expect(await storage.notices()).toEqual([{ at: 5, kind: 'went-back', detail: sentence }])
  await storage.close()
  const next = openSqliteStorage({ file: cut })
  expect(await next.settleLosses(6)).toEqual([])
  await next.close()
  rmSync(copy, { recursive: true })
})

test('a deleted run and a whole one are no loss, also after a kill', async () => {
  await post(1)
  await server.call('POST', '/api/v1/runs', { runId: 'gone' })
  await server.call('DELETE', '/api/v1/runs/gone')
  const copy = mkdtempSync(join(tmpdir(), 'twostep-whole-'))
  const { copyFileSync } = await import('node:fs')
  for (const end of ['', '-wal', '-acknowledged'])
    copyFileSync(`${file()}${end}`, join(copy, `twostep.db${end}`))
  const storage = openSqliteStorage({ file: join(copy, 'twostep.db') })
  expect(await storage.settleLosses(5)).toEqual([])
  await storage.close()
  rmSync(copy, { recursive: true })
})

test('a database that is gone, or is another one, makes the server not ready, and says so', async () => {
  renameSync(file(), `${file()}.moved`)
  expect(await ready()).toMatchObject({ status: 503, detail: expect.stringContaining('is gone') })
  // What would be stored would be lost with the process.
  expect((await post(1)).body).toMatchObject({ status: 503, code: 'storage-failed' })
  await openSqliteStorage({ file: `${file()}.other` }).close()
  renameSync(`${file()}.other`, file())
  expect((await ready()).detail).toContain('is another file than the one that this server opened')
  renameSync(`${file()}.moved`, file())
  expect(await ready()).toMatchObject({ status: 'ok' })
  expect((await post(1)).body).toMatchObject({ accepted: 20, duplicate: false })
})

test('a disk that is nearly full makes the server not ready before a batch is refused', async () => {
  const storage = openSqliteStorage({ file: `${file()}.full`, freeBytes: () => 3 * 1024 * 1024 })
  await expect(storage.checkWritable()).rejects.toMatchObject({
    code: 'disk-full',
    message: expect.stringContaining('3 MB left'),
  })
  await storage.close()
})

test('one file has one server, whatever the name that it is opened by', () => {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-names-'))
  symlinkSync(file(), join(folder, 'link.db'))
  expect(() => openSqliteStorage({ file: join(folder, 'link.db') })).toThrow(/another twostep server uses/)
  linkSync(file(), join(folder, 'hard.db'))
  expect(() => openSqliteStorage({ file: join(folder, 'hard.db') })).toThrow(/has 2 names \(hard links\)/)
  expect(() => openSqliteStorage({ file: join(folder, 'hard.db'), readOnly: true })).toThrow(/hard links/)
  rmSync(folder, { recursive: true })
})

test('a folder that cannot be made is refused with a sentence, and at once', () => {
  expect(() => openSqliteStorage({ file: '/proc/x/y/twostep.db' })).toThrow(
    /\/proc\/x\/y\/twostep.db cannot be opened .*check that the folder exists, is writable/,
  )
})
