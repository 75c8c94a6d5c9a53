import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeOldDatabase } from '../../testing/oldDatabase.ts'
import { runRecord } from '../../testing/runRecord.ts'
import { storedObservation } from '../../testing/storedObservation.ts'
import { describeStorage, type Place } from '../storage.conformance.ts'
import { loadDriver } from './driver.ts'
import { migrations } from './schema.ts'
import { openSqliteStorage } from './sqliteStorage.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-sqlite-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describeStorage('SQLite', async () => {
  const place = mkdtempSync(join(tmpdir(), 'twostep-conformance-'))
  const file = join(place, 'data', 'twostep.db')
  const open = async (): Promise<Place> => {
    const storage = openSqliteStorage({ file })
    return {
      storage,
      reopen: async () => {
        await storage.close()
        return open()
      },
      remove: async () => {
        await storage.close()
        rmSync(place, { recursive: true, force: true })
      },
    }
  }
  return open()
})

const emptyBatch = { observations: [], decisions: [] }
const file = () => join(folder, 'twostep.db')

test('a file that is no database is refused by name, and kept as it is', () => {
  writeFileSync(file(), 'not a database '.repeat(1_000))
  expect(() => openSqliteStorage({ file: file() })).toThrow(/twostep\.db is damaged .* move it aside/)
})

test('a damaged schema is refused by name', async () => {
  await openSqliteStorage({ file: file() }).close()
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file())
  database.exec('DROP TABLE chunks')
  database.close()
  expect(() => openSqliteStorage({ file: file() })).toThrow(/twostep\.db cannot be opened .*chunks/)
})

test('a database of a newer version or of another program is refused', async () => {
  await openSqliteStorage({ file: file() }).close()
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file())
  database.exec('PRAGMA user_version = 99')
  expect(() => openSqliteStorage({ file: file() })).toThrow(/written by a newer twostep \(schema 99/)
  database.exec('PRAGMA user_version = 1; PRAGMA application_id = 5')
  expect(() => openSqliteStorage({ file: file() })).toThrow(/database of another program/)
  database.close()
})

test('two servers cannot use one file, a reader can join', async () => {
  const storage = openSqliteStorage({ file: file() })
  expect(() => openSqliteStorage({ file: file() })).toThrow(/another twostep server uses .*--data-dir/)
  await storage.createRun({ run: runRecord('a'), ...emptyBatch })
  const reader = openSqliteStorage({ file: file(), readOnly: true })
  expect(await reader.run('a')).toBeDefined()
  await reader.close()
  await storage.close()
  const next = openSqliteStorage({ file: file() })
  expect(await next.run('a')).toBeDefined()
  await next.close()
})

test('a full disk refuses the batch with 507, keeps what was accepted, and recovers', async () => {
  const storage = openSqliteStorage({ file: file(), pagesMax: 60 })
  await storage.createRun({ run: runRecord('a', { observationCount: 0 }), ...emptyBatch })
  const fill = async (number: number) => {
    const observation = storedObservation(number, { body: 'x'.repeat(20_000) })
    await storage.append({
      run: runRecord('a', { observationCount: number }),
      observations: [observation],
      decisions: [],
    })
  }
  let accepted = 0
  let refusal: unknown
  while (refusal === undefined && accepted < 100)
    await fill(accepted + 1).then(
      () => accepted++,
      (error) => {
        refusal = error
      },
    )
  expect(refusal).toMatchObject({ code: 'disk-full', extras: { retryAfterSeconds: 30 } })
  expect((await storage.run('a'))?.observationCount).toBe(accepted)
  expect(await storage.observations('a', { after: 0, limit: 1_000 })).toHaveLength(accepted)
  await storage.createRun({ run: runRecord('b'), ...emptyBatch })
  expect(await storage.deleteRun('b')).toBe(true)
  await storage.close()
  const roomier = openSqliteStorage({ file: file(), pagesMax: 1_000 })
  const last = storedObservation(accepted + 1)
  await roomier.append({
    run: runRecord('a', { observationCount: accepted + 1 }),
    observations: [last],
    decisions: [],
  })
  expect(await roomier.observations('a', { after: 0, limit: 1_000 })).toHaveLength(accepted + 1)
  await roomier.close()
})

test('the rows of an intake that a crash cut off go at the next start', async () => {
  const storage = openSqliteStorage({ file: file() })
  const last = storedObservation(1)
  await (await storage.takeIn()).append({ observations: [last], decisions: [] })
  await storage.close()
  const rows = () => {
    const { DatabaseSync } = loadDriver()
    const database = new DatabaseSync(file())
    const { left } = database.prepare('SELECT count(*) AS left FROM observations').get() as { left: number }
    database.close()
    return left
  }
  expect(rows()).toBe(1)
  const next = openSqliteStorage({ file: file() })
  // The sweep takes a turn a slice, and closing waits for the turn it is at: a deletion's own sweep comes after it.
  await next.createRun({ run: runRecord('a'), ...emptyBatch })
  await next.deleteRun('a')
  await new Promise(setImmediate)
  await next.close()
  expect(rows()).toBe(0)
})

test('runs of an older schema can be ordered and searched, without being read anew', async () => {
  writeOldDatabase(file())
  const storage = openSqliteStorage({ file: file() })
  const list = async (query: object) =>
    (await storage.listRuns({ limit: 5, now: 0, ...query })).runs.map(({ id }) => id)
  expect(await list({ text: 'OLD adamw default' })).toEqual(['old'])
  expect(await list({ text: 'other' })).toEqual([])
  expect(await list({ sort: 'loss' })).toEqual(['old'])
  expect(await storage.access.tokens()).toEqual([])
  await storage.close()
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file())
  const row = database.prepare('SELECT step, loss, held_out_loss, search FROM runs').get()
  expect(row).toMatchObject({ step: 3, loss: 2, held_out_loss: null })
  database.close()
})

test.each(migrations.map((_, i) => i + 1))(
  'a database of schema %i is brought to this one, with its run',
  async (schema) => {
    writeOldDatabase(file(), schema)
    const storage = openSqliteStorage({ file: file() })
    expect((await storage.run('old'))?.summary).toMatchObject({ step: 3, loss: 2, branches: [] })
    expect(await storage.observations('old', { after: 0, limit: 9 })).toHaveLength(3)
    expect(await storage.webhooks.webhooks()).toEqual([])
    expect(await storage.notices()).toEqual([])
    await storage.close()
  },
)

test('a list is found, counted and ordered by its index alone', async () => {
  const storage = openSqliteStorage({ file: file() })
  await storage.createRun({ run: runRecord('a'), ...emptyBatch })
  await storage.close()
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file())
  const plan = database
    .prepare(
      'EXPLAIN QUERY PLAN SELECT key, lower(name) FROM runs INDEXED BY runs_list WHERE instr(search, ?) > 0 ORDER BY loss IS NULL, loss, key',
    )
    .all('x') as { detail: string }[]
  database.close()
  expect(plan[0]?.detail).toBe('SCAN runs USING COVERING INDEX runs_list')
})

test('the driver is node:sqlite where Node has it', () => {
  expect(loadDriver('20.19.0').name).toBe('@photostructure/sqlite')
  expect(loadDriver('22.12.0').name).toBe('@photostructure/sqlite')
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major >= 23) expect(loadDriver().name).toBe('node:sqlite')
})
