import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runRecord } from '../../testing/runRecord.ts'
import { storedObservation } from '../../testing/storedObservation.ts'
import type { Storage } from '../storage.ts'
import { openSqliteStorage } from './sqliteStorage.ts'

let folder: string
beforeEach(() => {
  // A small disk of one's own, where there is one: the test is then held to a real one that is full.
  folder = mkdtempSync(join(process.env.SMALL_DISK ?? tmpdir(), 'twostep-room-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const file = () => join(folder, 'twostep.db')

async function fill(storage: Storage, id: string, batches: number): Promise<number> {
  await storage.createRun({ run: runRecord(id, { observationCount: 0 }), observations: [], decisions: [] })
  for (let number = 1; number <= batches; number++) {
    const body = 'x'.repeat(100_000)
    const observation = storedObservation(number, { body })
    const run = runRecord(id, { observationCount: number })
    try {
      await storage.append({ run, observations: [observation], decisions: [] })
    } catch (error) {
      expect(error).toMatchObject({ code: 'disk-full' })
      return number - 1
    }
  }
  return batches
}

test('the file becomes smaller when a run is deleted', async () => {
  const storage = openSqliteStorage({ file: file() })
  await fill(storage, 'a', 20)
  await fill(storage, 'b', 60)
  await storage.close()
  const full = statSync(file()).size
  const next = openSqliteStorage({ file: file() })
  await next.deleteRun('b')
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  await next.close()
  expect(statSync(file()).size).toBeLessThan(0.35 * full)
  const last = openSqliteStorage({ file: file() })
  expect(await last.observations('a', { after: 0, limit: 100 })).toHaveLength(20)
  await last.close()
})

test('the reserve lies there while a server runs, and is laid again after it was needed', async () => {
  let free = 1e9
  const options = { file: file(), reserve: 100_000, freeBytes: () => free }
  const storage = openSqliteStorage(options)
  await new Promise(setImmediate)
  expect(statSync(`${file()}-reserve`).size).toBe(100_000)
  await storage.close()
  free = 0
  // A full disk at the start: what the last server has left is as good.
  const again = openSqliteStorage(options)
  await new Promise(setImmediate)
  expect(existsSync(`${file()}-reserve`)).toBe(true)
  await again.close()
  rmSync(`${file()}-reserve`)
  const next = openSqliteStorage(options)
  await new Promise(setImmediate)
  expect(existsSync(`${file()}-reserve`)).toBe(false)
  await next.close()
})

test.runIf(process.env.SMALL_DISK !== undefined)(
  'on a full disk a run can be deleted, and others are stored again',
  async () => {
    const storage = openSqliteStorage({ file: file(), reserve: 2 * 1024 * 1024 })
    await new Promise(setImmediate)
    await fill(storage, 'a', 30)
    const stored = await fill(storage, 'b', 10_000)
    expect(stored).toBeGreaterThan(10)
    expect(await storage.deleteRun('a')).toBe(true)
    for (let turn = 0; turn < 400; turn++) await new Promise(setImmediate)
    expect(await fill(storage, 'c', 10)).toBe(10)
    expect(await storage.observations('b', { after: 0, limit: 10_000 })).toHaveLength(stored)
    await storage.close()
  },
)
