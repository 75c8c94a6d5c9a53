// The laws of webhooks and of what is to be delivered to them: part of those of the storage (storage.conformance.ts).

import { describe, expect, test } from 'vitest'
import { limits } from '../../protocol/limits.ts'
import { runRecord } from '../testing/runRecord.ts'
import { storedObservation } from '../testing/storedObservation.ts'
import type { Storage } from './storage.ts'
import type { Attempt, NewDelivery, StoredWebhook } from './webhooks.ts'

export function describeWebhooks(storage: () => Storage, reopen: () => Promise<void>): void {
  describe('webhooks', () => {
    const webhook: StoredWebhook = {
      id: 'w1',
      url: 'https://example.org/hook',
      events: ['decision', 'stale'],
      project: null,
      shape: 'generic',
      secret: 'whsec_AAAA',
      createdAt: 1,
      disabledAt: null,
      failingSince: null,
    }
    const delivery = (more: Partial<NewDelivery> = {}): NewDelivery => ({
      webhookId: 'w1',
      event: 'decision',
      runId: 'a',
      body: '{}',
      at: 5,
      ...more,
    })
    const all = { before: Number.MAX_SAFE_INTEGER, limit: 10_000 }
    const bodies = async (id = 'w1') => (await storage().webhooks.deliveries(id, all)).map(({ body }) => body)
    const over = (state: Attempt['state']): Attempt => ({
      state,
      attempts: 1,
      lastAt: 6,
      status: 200,
      error: '',
      nextAt: null,
    })

    test('are kept as they are, each once, the oldest first', async () => {
      const { webhooks } = storage()
      await webhooks.putWebhook({ ...webhook, id: 'w2', createdAt: 2, project: 'p', shape: 'slack' })
      await webhooks.putWebhook(webhook)
      await webhooks.putWebhook({ ...webhook, disabledAt: 9, failingSince: 3 })
      await reopen()
      expect(await storage().webhooks.webhooks()).toEqual([
        { ...webhook, disabledAt: 9, failingSince: 3 },
        { ...webhook, id: 'w2', createdAt: 2, project: 'p', shape: 'slack' },
      ])
    })

    test('that a run fell silent is added once for each time, and who was not told of is found', async () => {
      await storage().webhooks.putWebhook(webhook)
      const quiet = async (id: string, staleAt: number | null) =>
        storage().createRun({ run: runRecord(id, { staleAt }), observations: [], decisions: [] })
      for (const [id, staleAt] of [
        ['a', 50],
        ['b', 40],
        ['c', 900],
        ['d', null],
      ] as const)
        await quiet(id, staleAt)
      const { webhooks } = storage()
      expect(await webhooks.untoldStale(100, 10)).toEqual(['b', 'a'])
      expect(await webhooks.untoldStale(100, 1)).toEqual(['b'])
      expect(await webhooks.addStale('a', 50, [delivery({ event: 'stale', body: '1' })])).toBe(true)
      expect(await webhooks.addStale('a', 50, [delivery({ event: 'stale', body: 'again' })])).toBe(false)
      expect(await webhooks.addStale('b', 40, [])).toBe(true)
      await reopen()
      expect(await storage().webhooks.untoldStale(100, 10)).toEqual([])
      expect(await storage().webhooks.addStale('a', 45, [delivery({ body: 'older' })])).toBe(false)
      // One that is deleted, and can come back, is known; one that is gone for good is not.
      await storage().removeRun('a', 100)
      await storage().deleteRun('b')
      expect(await storage().webhooks.untoldStale(100, 10)).toEqual([])
      await quiet('b', 40)
      expect(await storage().webhooks.untoldStale(100, 10)).toEqual(['b'])
      await storage().restoreRun('a')
      expect(await storage().webhooks.untoldStale(1_000, 10)).toEqual(['b', 'c'])
      expect(await storage().webhooks.addStale('a', 70, [delivery({ event: 'stale', body: '2' })])).toBe(true)
      expect(await bodies()).toEqual(['2', '1'])
    })

    test('a delivery is stored with its batch, or not at all', async () => {
      await storage().webhooks.putWebhook(webhook)
      const run = runRecord('a', { observationCount: 1 })
      const first = storedObservation(1, { kind: 'start', fromStep: null, toStep: null })
      const begun = { run, observations: [first], decisions: [], deliveries: [delivery({ body: '1' })] }
      await storage().createRun(begun)
      expect(await storage().createRun({ ...begun, deliveries: [delivery({ body: 'no' })] })).toBe(false)
      const next = { run, observations: [], decisions: [], deliveries: [delivery({ body: '2' })] }
      await storage().append(next)
      // The run is further on already.
      await expect(
        storage().append({ ...begun, deliveries: [delivery({ body: 'no' })] }),
      ).rejects.toMatchObject({ code: 'run-moved' })
      await reopen()
      expect(await bodies()).toEqual(['2', '1'])
    })

    test('a delivery waits, is due at once, and is what was made of it after each try', async () => {
      const { webhooks } = storage()
      await webhooks.putWebhook(webhook)
      await webhooks.addDeliveries([delivery({ event: 'stale' })])
      const [stored] = await webhooks.deliveries('w1', all)
      expect(stored).toEqual({
        ...delivery({ event: 'stale' }),
        number: stored!.number,
        state: 'waiting',
        attempts: 0,
        lastAt: null,
        status: null,
        error: '',
        nextAt: 5,
      })
      const tried: Attempt = {
        state: 'waiting',
        attempts: 1,
        lastAt: 6,
        status: null,
        error: 'refused',
        nextAt: 60,
      }
      await webhooks.putAttempt(stored!.number, tried)
      await reopen()
      expect(await storage().webhooks.delivery('w1', stored!.number)).toEqual({ ...stored, ...tried })
      expect(await storage().webhooks.delivery('other', stored!.number)).toBeUndefined()
      await storage().webhooks.putAttempt(stored!.number + 1, tried)
      expect(await bodies()).toHaveLength(1)
    })

    test('of each run the oldest that waits is next, those that are due first at the beginning', async () => {
      const { webhooks } = storage()
      await webhooks.putWebhook(webhook)
      await webhooks.putWebhook({ ...webhook, id: 'w2' })
      await webhooks.addDeliveries([
        delivery({ body: 'a1' }),
        delivery({ body: 'a2' }),
        delivery({ body: 'b1', runId: 'b', at: 4 }),
        delivery({ body: 'b2', runId: 'b' }),
        delivery({ body: 'other', webhookId: 'w2' }),
      ])
      const next = async (limit = 9) => {
        const found = await storage().webhooks.nextDeliveries('w1', limit)
        return found.map(({ body }) => body)
      }
      expect(await next()).toEqual(['b1', 'a1'])
      expect(await next(1)).toEqual(['b1'])
      const [first] = await webhooks.nextDeliveries('w1', 1)
      await webhooks.putAttempt(first!.number, { ...over('waiting'), nextAt: 50 })
      expect(await next()).toEqual(['a1', 'b1'])
      await webhooks.putAttempt(first!.number, over('delivered'))
      expect(await next()).toEqual(['a1', 'b2'])
    })

    test('the log comes newest first, in pages', async () => {
      const { webhooks } = storage()
      await webhooks.putWebhook(webhook)
      await webhooks.addDeliveries(['1', '2', '3'].map((body) => delivery({ body })))
      const [newest, second] = await webhooks.deliveries('w1', { ...all, limit: 2 })
      expect([newest!.body, second!.body]).toEqual(['3', '2'])
      const rest = await webhooks.deliveries('w1', { before: second!.number, limit: 2 })
      expect(rest.map(({ body }) => body)).toEqual(['1'])
    })

    test('one that is deleted takes its deliveries along, and gets no more', async () => {
      const { webhooks } = storage()
      await webhooks.putWebhook(webhook)
      await webhooks.putWebhook({ ...webhook, id: 'w2' })
      await webhooks.addDeliveries([delivery(), delivery({ webhookId: 'w2' })])
      await webhooks.deleteWebhook('w1')
      await webhooks.addDeliveries([delivery()])
      expect((await webhooks.webhooks()).map(({ id }) => id)).toEqual(['w2'])
      expect(await bodies()).toEqual([])
      expect(await bodies('w2')).toHaveLength(1)
    })

    test('so many wait and no more, and of what is over the newest are kept', async () => {
      const { webhooks } = storage()
      await webhooks.putWebhook(webhook)
      await webhooks.putWebhook({ ...webhook, id: 'w2' })
      await webhooks.addDeliveries([delivery({ webhookId: 'w2', body: 'other' })])
      const { webhookWaitingMax: most, webhookLogMax: logged } = limits
      const many = Array.from({ length: most + logged + 5 }, (_, i) => delivery({ body: String(i) }))
      await webhooks.addDeliveries(many)
      const kept = await webhooks.deliveries('w1', all)
      const waiting = kept.filter(({ state }) => state === 'waiting')
      const dropped = kept.filter(({ state }) => state === 'dropped')
      expect([waiting.length, dropped.length, kept.length]).toEqual([most, logged, most + logged])
      expect(waiting.at(-1)!.body).toBe(String(logged + 5))
      expect(dropped[0]).toMatchObject({ body: String(logged + 4), nextAt: null })
      expect(await bodies('w2')).toEqual(['other'])
    })
  })
}
