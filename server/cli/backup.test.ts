import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { loadDriver } from '../storage/sqlite/driver.ts'
import { openSqliteStorage } from '../storage/sqlite/sqliteStorage.ts'
import { writeOldDatabase } from '../testing/oldDatabase.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'
import { backup, restore, verifyFile } from './backup.ts'
import { checkSqlite } from './doctor.ts'
import { replay } from './replay.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r' })
})
afterEach(() => server.close())

const config = () => loadConfig({ dataDir: server.folder }, {}, server.folder)
const file = (name = 'b.db') => join(server.folder, 'copies', name)
const post = (sequence: number) =>
  server.call('POST', '/api/v1/runs/r/telemetry', {
    clientId: 'c',
    sequence,
    steps: sampleBatch(20 * (sequence - 1), 20),
  })
const read = async () => (await server.call('GET', '/api/v1/runs/r')).body

test('a backup made while the server writes is put back, and the run goes on from there', async () => {
  await post(1)
  await post(2)
  expect(await backup(config(), file())).toBe(
    `${file()} holds 1 run with 3 observations, read again and as stored`,
  )
  const before = await read()
  await post(3)
  await expect(backup(config(), file())).rejects.toThrow('exists already')
  await expect(restore(config(), file(), 'x')).rejects.toThrow(/another twostep server uses .*: stop it/)
  const place = join(server.folder, 'twostep.db')
  const meanwhile = async () => {
    expect(await restore(config(), file(), 'now')).toBe(
      `${place} now holds 1 run with 3 observations; what was there is kept as ${place}.before-now`,
    )
    expect(await verifyFile(`${place}.before-now`)).toEqual({ runs: 1, observations: 4, madeAnew: [] })
  }
  await server.restart({ meanwhile })
  expect(await read()).toEqual(before)
  expect((await server.call('GET', '/healthz')).body).toEqual({ status: 'ok' })
  expect((await post(4)).body).toMatchObject({ code: 'sequence-gap', expectedSequence: 3 })
  expect((await post(3)).body).toMatchObject({ accepted: 20, duplicate: false })
})

/** Changes a database behind the back of whoever uses it. */
function alter(path: string, sql: string): void {
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}
const place = () => join(server.folder, 'twostep.db')
const doctor = () => checkSqlite(config())
const zeros = 'UPDATE chunks SET body = zeroblob(length(body)); UPDATE snapshots SET checksum = 1'

test('what follows from a whole log and is damaged is told by name, and hinders neither doctor nor backup', async () => {
  for (let sequence = 1; sequence <= 70; sequence++) await post(sequence)
  expect(await doctor()).toMatchObject({ ok: true })
  expect((await doctor()).detail).not.toContain('damaged')
  alter(place(), zeros)
  const words =
    /damaged, but no loss, as it follows from the log and is made anew .*a stored piece of the series "loss" of run "r".*the snapshot of run "r"/
  expect(await doctor()).toMatchObject({ ok: true, detail: expect.stringMatching(words) })
  expect(await backup(config(), file())).toMatch(words)
  const meanwhile = async () => expect(await restore(config(), file(), 'now')).toMatch(words)
  await server.restart({ meanwhile })
  expect((await post(71)).body).toMatchObject({ accepted: 20 })
  expect(await doctor()).toMatchObject({ ok: true, detail: expect.stringMatching(/and as stored$/) })
})

test.each([
  [
    'changed',
    "UPDATE observations SET body = body || ' ' WHERE number = 2",
    'observation 2 of run "r" is not what',
  ],
  ['is cut', 'DELETE FROM observations WHERE number = 3', 'run "r" has 2 observations in its log, and 3'],
])(
  'a run that was deleted and can be restored is looked at like the others: its log %s',
  async (_what, sql, found) => {
    await post(1)
    await post(2)
    await server.call('DELETE', '/api/v1/runs/r')
    expect(await verifyFile(place())).toEqual({ runs: 1, observations: 3, madeAnew: [] })
    alter(place(), sql)
    expect(await doctor()).toMatchObject({ ok: false, detail: expect.stringContaining(found) })
    await expect(backup(config(), file())).rejects.toThrow(found)
  },
)

test('what is said of a damaged backup is about the backup, and not about the database in use', async () => {
  await post(1)
  await backup(config(), file())
  const { size } = statSync(file())
  copyFileSync(file(), file('cut.db'))
  truncateSync(file('cut.db'), Math.floor(size / 2))
  alter(file(), "UPDATE observations SET body = body || ' ' WHERE number = 2")
  for (const name of ['b.db', 'cut.db']) {
    const message = await restore(config(), file(name), 'now').then(
      () => '',
      (error: Error) => error.message,
    )
    expect(message).toContain(file(name))
    expect(message).toMatch(/it is not put in the place of .*, which is as it was: take another backup$/)
    expect(message).not.toMatch(/-wal|twostep restore|move it aside/)
  }
})

test('of a database of an older version it is said that the next start upgrades it, and how to copy it before', async () => {
  const folder = join(server.folder, 'old')
  mkdirSync(folder)
  writeOldDatabase(join(folder, 'twostep.db'))
  const old = loadConfig({ dataDir: folder }, {}, folder)
  const words =
    /is of an older version of twostep \(schema 1; this one has \d+\).*next start of `twostep serve` on it upgrades it\. .*copy the file together with its -wal while no server runs/
  await expect(backup(old, file())).rejects.toThrow(words)
  await expect(replay(old, 'old', { json: false })).rejects.toThrow(words)
  expect(await checkSqlite(old)).toMatchObject({ ok: false, detail: expect.stringMatching(words) })
})

test('what is damaged makes no backup, and is not put in the place of what is there', async () => {
  await post(1)
  await backup(config(), file())
  const change = (path: string) => {
    const { DatabaseSync } = loadDriver()
    const database = new DatabaseSync(path)
    database.exec(
      "UPDATE observations SET columns = CAST(replace(columns, 'loss', 'moss') AS BLOB) WHERE number = 2",
    )
    database.close()
  }
  change(join(server.folder, 'twostep.db'))
  await expect(backup(config(), file('c.db'))).rejects.toThrow(
    'observation 2 of run "r" is not what was stored',
  )
  expect(readdirSync(join(server.folder, 'copies'))).toEqual(['b.db'])
  change(file())
  const meanwhile = async () => {
    await expect(restore(config(), file(), 'now')).rejects.toThrow('observation 2 of run "r"')
    expect(existsSync(join(server.folder, 'twostep.db.before-now'))).toBe(false)
    await expect(restore(config(), file('none.db'), 'now')).rejects.toThrow('there is no file')
  }
  await server.restart({ meanwhile })
})

test('a backup of a database of before can become smaller, and is made without a server as well', async () => {
  const folder = join(server.folder, 'old')
  mkdirSync(folder)
  writeOldDatabase(join(folder, 'twostep.db'))
  const old = loadConfig({ dataDir: folder }, {}, folder)
  await openSqliteStorage({ file: old.databaseFile }).close()
  expect(await backup(old, file())).toContain('holds 1 run with 3 observations')
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file(), { readOnly: true })
  expect(database.prepare('PRAGMA auto_vacuum').get()).toEqual({ auto_vacuum: 2 })
  database.close()
})

test.skipIf(process.platform === 'win32')(
  'what is stored, copied and put back is readable for its owner alone, and a database of before is left as it is',
  async () => {
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
    await post(1)
    const place = join(server.folder, 'own', 'twostep.db')
    const storage = openSqliteStorage({ file: place })
    expect(modeOf(dirname(place))).toBe('700')
    const files = readdirSync(dirname(place)).map((name) => join(dirname(place), name))
    const names = files.map((path) => basename(path))
    for (const part of ['', '-wal', '-lock', '-acknowledged']) expect(names).toContain(`twostep.db${part}`)
    for (const path of files) expect(modeOf(path), path).toBe('600')
    await storage.close()
    await backup(config(), file())
    expect(modeOf(file())).toBe('600')
    chmodSync(file(), 0o644)
    await restore(loadConfig({ dataDir: dirname(place) }, {}, server.folder), file(), 'now')
    expect(modeOf(place)).toBe('600')
    chmodSync(place, 0o640)
    await openSqliteStorage({ file: place }).close()
    expect(modeOf(place)).toBe('640')
  },
)
