import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { loadDriver } from '../storage/sqlite/driver.ts'
import { openSqliteStorage } from '../storage/sqlite/sqliteStorage.ts'
import { writeOldDatabase } from '../testing/oldDatabase.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'
import { backup, restore, verifyFile } from './backup.ts'

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
    expect(await verifyFile(`${place}.before-now`)).toEqual({ runs: 1, observations: 4 })
  }
  await server.restart({ meanwhile })
  expect(await read()).toEqual(before)
  expect((await server.call('GET', '/healthz')).body).toEqual({ status: 'ok' })
  expect((await post(4)).body).toMatchObject({ code: 'sequence-gap', expectedSequence: 3 })
  expect((await post(3)).body).toMatchObject({ accepted: 20, duplicate: false })
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
