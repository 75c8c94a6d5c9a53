import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dropDatabase, hasPostgres, newDatabase, sql } from '../../testing/postgresDatabase.ts'
import { runRecord } from '../../testing/runRecord.ts'
import { storedObservation } from '../../testing/storedObservation.ts'
import { describeStorage, type Place } from '../storage.conformance.ts'
import type { StoredWebhook } from '../webhooks.ts'
import { openPostgresStorage } from './postgresStorage.ts'

describe.skipIf(!hasPostgres)('PostgreSQL', () => {
  describeStorage('PostgreSQL', async () => {
    const url = await newDatabase()
    const open = async (): Promise<Place> => {
      const storage = await openPostgresStorage({ url })
      return {
        storage,
        reopen: async () => {
          await storage.close()
          return open()
        },
        remove: async () => {
          await storage.close()
          await dropDatabase(url)
        },
      }
    }
    return open()
  })

  let url: string
  beforeEach(async () => {
    url = await newDatabase()
  })
  afterEach(() => dropDatabase(url))
  const emptyBatch = { observations: [], decisions: [] }

  test('a database of a newer version, of another program, or that is not there is refused by name', async () => {
    await (await openPostgresStorage({ url })).close()
    await sql(url, 'UPDATE twostep_schema SET version = 99')
    await expect(openPostgresStorage({ url })).rejects.toThrow(/written by a newer twostep \(schema 99/)
    await sql(url, 'DROP TABLE twostep_schema')
    await expect(openPostgresStorage({ url })).rejects.toThrow(/table "runs" of another program/)
    const missing = url.replace(/\/test_.*/, '/nothing').replace('twostep@', 'twostep:secret@')
    const failure = await openPostgresStorage({ url: missing }).catch((error: Error) => error)
    expect(String(failure)).toMatch(/127\.0\.0\.1:\d+\/nothing cannot be used: there is no such database/)
    expect(String(failure)).not.toContain('secret')
    const closed = 'postgresql://twostep:secret@127.0.0.1:1/x'
    await expect(openPostgresStorage({ url: closed })).rejects.toThrow(
      /^the database 127\.0\.0\.1:1\/x cannot be used: nothing listens there/,
    )
  })

  test('servers that start at once bring the tables once', async () => {
    const storages = await Promise.all([1, 2, 3, 4].map(() => openPostgresStorage({ url })))
    await storages[0]!.createRun({ run: runRecord('a'), ...emptyBatch })
    expect(await storages[3]!.run('a')).toBeDefined()
    await Promise.all(storages.map((storage) => storage.close()))
    await expect(openPostgresStorage({ url, readOnly: true }).then((s) => s.close())).resolves.toBeUndefined()
  })

  test('of two servers that append at once one does, and the other is told that the run has moved', async () => {
    const [one, two] = await Promise.all([openPostgresStorage({ url }), openPostgresStorage({ url })])
    await one.createRun({ run: runRecord('a'), observations: [storedObservation(1)], decisions: [] })
    for (let number = 2; number < 40; number++) {
      const run = runRecord('a', { observationCount: number })
      const outcomes = await Promise.allSettled(
        [one, two].map((storage, i) =>
          storage.append({
            run,
            observations: [storedObservation(number, { body: `{"by":${i}}` })],
            decisions: [],
          }),
        ),
      )
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      expect(refused).toMatchObject([{ code: 'run-moved' }])
    }
    expect(await one.observations('a', { after: 0, limit: 99 })).toHaveLength(39)
    await Promise.all([one.close(), two.close()])
  })

  test('what several servers owe to the same webhooks at once is there whole, and goes with its webhook', async () => {
    const storages = await Promise.all([1, 2, 3].map(() => openPostgresStorage({ url })))
    const webhook: Omit<StoredWebhook, 'id'> = {
      url: 'https://example.org/hook',
      events: ['decision'],
      project: null,
      shape: 'generic',
      secret: 'whsec_AAAA',
      createdAt: 1,
      disabledAt: null,
      failingSince: null,
    }
    for (const id of ['v', 'w']) await storages[0]!.webhooks.putWebhook({ ...webhook, id })
    const add = (server: number, i: number) => {
      const ids = i % 2 === 0 ? ['v', 'w'] : ['w', 'v']
      const one = { event: 'decision', runId: String(server), body: String(i), at: 1 } as const
      return storages[server]!.webhooks.addDeliveries(ids.map((webhookId) => ({ ...one, webhookId })))
    }
    const many = storages.flatMap((_, server) => Array.from({ length: 20 }, (__, i) => () => add(server, i)))
    await Promise.all([
      ...many.map((one) => one()),
      storages[1]!.webhooks.deleteWebhook('v'),
      ...many.map((one) => one()),
    ])
    const all = { before: Number.MAX_SAFE_INTEGER, limit: 999 }
    expect(await storages[2]!.webhooks.deliveries('v', all)).toEqual([])
    expect(await storages[2]!.webhooks.deliveries('w', all)).toHaveLength(2 * many.length)
    await Promise.all(storages.map((storage) => storage.close()))
  })

  test('what was changed behind the back of the server is found', async () => {
    const storage = await openPostgresStorage({ url })
    const observation = storedObservation(1, { body: '{"a":1}' })
    await storage.createRun({ run: runRecord('a'), observations: [observation], decisions: [] })
    await sql(url, `UPDATE observations SET body = '{"a":2}'`)
    await expect(storage.checkTail('a')).rejects.toMatchObject({ code: 'storage-damaged' })
    // Other runs go on.
    await expect(storage.checkWritable()).resolves.toBeUndefined()
    await storage.close()
  })

  test('connections that break are told as such, and the next call finds new ones', async () => {
    const storage = await openPostgresStorage({ url })
    const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`
    const view = await storage.view()
    await view.stand()
    await sql(url, kill)
    await expect(
      view.rowNumbers('a', { source: 'samples', fromStep: 0, toStep: 1, after: 0, limit: 1 }),
    ).rejects.toMatchObject({ code: 'storage-failed', extras: { retryAfterSeconds: 5 } })
    view.close()
    await expect
      .poll(() =>
        storage.checkWritable().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    await storage.close()
  })

  test('the rows of a deleted run go, and what runs take is known', async () => {
    const storage = await openPostgresStorage({ url })
    const body = 'x'.repeat(1_000)
    const observation = storedObservation(1, { body })
    await storage.createRun({ run: runRecord('a'), observations: [observation], decisions: [] })
    expect(await storage.usedBytes()).toBe(1_000)
    await storage.removeRun('a', 5)
    expect(await storage.usedBytes()).toBe(1_000)
    await storage.restoreRun('a')
    expect(await storage.observations('a', { after: 0, limit: 9 })).toEqual([observation])
    await storage.removeRun('a', 5)
    expect(await storage.purgeRemoved(6)).toBe(1)
    await storage.settled()
    expect(await storage.usedBytes()).toBe(0)
    expect(await sql(url, 'SELECT count(*)::integer AS left FROM observations')).toEqual([{ left: 0 }])
    await storage.close()
  })
})
