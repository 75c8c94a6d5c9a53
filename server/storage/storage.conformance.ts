// The laws of the storage interface. Every implementation's test calls this with a way to open a database of
// its own; `reopen` closes it and opens the same data again.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runRecord } from '../testing/runRecord.ts'
import { storedObservation } from '../testing/storedObservation.ts'
import type { StoredToken } from './access.ts'
import { describeLists } from './lists.conformance.ts'
import type { Batch, RunRecord, Storage, StoredObservation, View } from './storage.ts'
import { describeWebhooks } from './webhooks.conformance.ts'

export type Place = {
  readonly storage: Storage
  reopen(): Promise<Place>
  /** Closes and removes the data. */
  remove(): Promise<void>
}

const observation = (number: number, more: Partial<StoredObservation> = {}): StoredObservation =>
  storedObservation(number, {
    receivedAt: 1_700_000_000_000 + number,
    columns: new Uint8Array([0x80 | number, 0x7b, 0]),
    fromStep: number,
    toStep: number,
    ...more,
  })

/** With its bytes as numbers, whatever kind of array a driver gives. */
const plain = <Row extends Pick<StoredObservation, 'columns'>>(row: Row) => ({
  ...row,
  columns: row.columns === null ? null : [...row.columns],
})

const batch = (run: RunRecord, more: Partial<Batch> = {}): Batch => ({
  run,
  observations: [],
  decisions: [],
  ...more,
})

export function describeStorage(name: string, open: () => Promise<Place>): void {
  let place: Place
  const storage = () => place.storage
  const log = async (runId: string, after = 0) =>
    (await storage().observations(runId, { after, limit: 10 })).map(plain)

  describe(`storage: ${name}`, () => {
    beforeEach(async () => {
      place = await open()
    })
    afterEach(() => place.remove())

    test('a run is stored once, and read back as it was', async () => {
      const run = runRecord('a', {
        tags: ['x', 'y'],
        flushSecondsMean: 0.5,
        staleAt: 61_000,
        refoldedFrom: 'older',
      })
      expect(await storage().createRun(batch(run))).toBe(true)
      expect(await storage().createRun(batch(runRecord('a', { name: 'other' })))).toBe(false)
      expect(await storage().run('a')).toEqual(run)
      expect(await storage().run('b')).toBeUndefined()
    })

    test('texts and bytes of a batch are stored as they are, in their order, whatever is in them', async () => {
      const given = [
        observation(1, { body: '{"é":"\\u001e, \\n","n":[1]}', columns: new Uint8Array([0, 255, 0, 44]) }),
        observation(2, { body: '{"a\\\\":"{},\\"NULL"}', columns: null }),
        observation(3, { body: '{}', columns: new Uint8Array(100_000).fill(39) }),
      ]
      await storage().createRun(batch(runRecord('a', { observationCount: 3 }), { observations: given }))
      expect(await log('a')).toEqual(given.map(plain))
      expect(plain((await storage().row('a', 'samples', 3))!)).toMatchObject({
        body: '{}',
        columns: plain(given[2]!).columns,
      })
    })

    test('a batch is there whole after reopening', async () => {
      await storage().createRun(batch(runRecord('a'), { observations: [observation(1)] }))
      const run = runRecord('a', { observationCount: 3, decisionCount: 1 })
      await storage().append(
        batch(run, {
          observations: [observation(2), observation(3, { kind: 'probe', fromStep: null, toStep: null })],
          decisions: [{ number: 1, kind: 'hold', step: 2, body: '{"number":1}' }],
          readings: { number: 3, fromStep: 2, toStep: 2, body: '{"loss":[[2],[1]]}' },
          client: { clientId: 'c', lastSequence: 7, lastAnswer: '{"accepted":1}' },
          snapshot: { number: 3, tunerVersion: 'v', state: '{}', series: '{}' },
          chunks: [{ signal: 'loss', level: 0, chunk: 2, body: new Uint8Array([1, 2, 3]) }],
        }),
      )
      place = await place.reopen()
      expect(await storage().run('a')).toEqual(run)
      expect(await log('a', 1)).toEqual(
        [observation(2), observation(3, { kind: 'probe', fromStep: null, toStep: null })].map(plain),
      )
      expect(await storage().decision('a', 1)).toMatchObject({ kind: 'hold', step: 2, body: '{"number":1}' })
      expect(await storage().client('a', 'c')).toEqual({
        clientId: 'c',
        lastSequence: 7,
        lastAnswer: '{"accepted":1}',
      })
      expect(await storage().clientSequences('a')).toEqual(new Map([['c', 7]]))
      expect(await storage().sent('a', 'c', 7)).toEqual(
        await storage().observations('a', { after: 1, limit: 10 }),
      )
      expect(await storage().snapshot('a')).toEqual({
        number: 3,
        tunerVersion: 'v',
        state: '{}',
        series: '{}',
      })
      const [chunk] = await storage().chunks('a', [
        { signal: 'loss', level: 0, chunk: 2 },
        { signal: 'loss', level: 1, chunk: 2 },
      ])
      expect([...chunk!.body]).toEqual([1, 2, 3])
    })

    test('what a client has sent as a sequence is found in the log, of each client apart', async () => {
      await storage().createRun(batch(runRecord('a'), { observations: [observation(1)] }))
      let count = 1
      const send = (clientId: string, sequence: number, observations: number) => {
        const sent = Array.from({ length: observations }, (_, i) => observation(count + 1 + i))
        count += observations
        const client = { clientId, lastSequence: sequence, lastAnswer: '{}' }
        return storage().append(
          batch(runRecord('a', { observationCount: count }), { observations: sent, client }),
        )
      }
      await send('c', 1, 2)
      await send('other', 1, 1)
      await send('c', 2, 0)
      await send('c', 3, 1)
      const numbers = async (clientId: string, sequence: number) =>
        (await storage().sent('a', clientId, sequence))?.map(({ number }) => number)
      expect(await numbers('c', 1)).toEqual([2, 3])
      expect(await numbers('other', 1)).toEqual([4])
      expect(await numbers('c', 2)).toEqual([])
      expect(await numbers('c', 3)).toEqual([5])
      expect(await numbers('other', 2)).toBeUndefined()
    })

    test('a batch that fails leaves nothing of itself', async () => {
      await storage().createRun(batch(runRecord('a'), { observations: [observation(1)] }))
      const run = runRecord('a', { observationCount: 3 })
      // Number 1 is taken, so the second insert fails after the first succeeded.
      const client = { clientId: 'c', lastSequence: 1, lastAnswer: '{}' }
      const twice = batch(run, { observations: [observation(2), observation(1)], client })
      await expect(storage().append(twice)).rejects.toMatchObject({ code: 'storage-failed' })
      expect((await storage().run('a'))?.observationCount).toBe(1)
      expect(await storage().sent('a', 'c', 1)).toBeUndefined()
      expect(await log('a')).toEqual([plain(observation(1))])
      const next = { ...run, observationCount: 2 }
      await storage().append(batch(next, { observations: [observation(2)] }))
      expect(await storage().observations('a', { after: 0, limit: 10 })).toHaveLength(2)
    })

    test('an append does not write over what was changed otherwise', async () => {
      await storage().createRun(batch(runRecord('a'), { observations: [observation(1)] }))
      const changed = runRecord('a', { name: 'changed', project: 'other', tags: ['one'] })
      await storage().updateRun(changed)
      const late = batch(runRecord('a', { observationCount: 2 }), { observations: [observation(2)] })
      await expect(storage().append(late)).rejects.toMatchObject({ code: 'run-moved' })
      expect(await storage().run('a')).toEqual(changed)
      await storage().append({ ...late, run: { ...changed, observationCount: 2 } })
      expect(await storage().observations('a', { after: 0, limit: 9 })).toHaveLength(2)
    })

    test('what is appended to a run that is gone is told so', async () => {
      const gone = batch(runRecord('a', { observationCount: 2 }), { observations: [observation(2)] })
      await expect(storage().append(gone)).rejects.toMatchObject({ code: 'run-moved' })
    })

    test('whoever does not know all of a run changes nothing of it', async () => {
      await storage().createRun(batch(runRecord('a'), { observations: [observation(1)] }))
      const second = runRecord('a', { observationCount: 2 })
      await storage().append(batch(second, { observations: [observation(2)] }))
      const late = runRecord('a', { observationCount: 2, name: 'late' })
      const client = { clientId: 'c', lastSequence: 1, lastAnswer: '{}' }
      const moved = { code: 'run-moved' }
      await expect(
        storage().append(batch(late, { observations: [observation(2)], client })),
      ).rejects.toMatchObject(moved)
      const ahead = { ...late, observationCount: 4 }
      await expect(storage().append(batch(ahead, { observations: [observation(4)] }))).rejects.toMatchObject(
        moved,
      )
      const before = runRecord('a', { name: 'late' })
      await expect(storage().updateRun(before)).rejects.toMatchObject(moved)
      await expect(
        storage().replaceDerived({ run: before, decisions: [], allReadings: [] }),
      ).rejects.toMatchObject(moved)
      // Its summary would be that of another version of the tuner.
      await expect(storage().updateRun({ ...second, tunerVersion: 'older' })).rejects.toMatchObject(moved)
      expect(await storage().run('a')).toEqual(second)
      expect(await storage().observations('a', { after: 0, limit: 9 })).toHaveLength(2)
      expect(await storage().client('a', 'c')).toBeUndefined()
    })

    test('a batch with nothing in it is taken once, as any other', async () => {
      const run = runRecord('a')
      await storage().createRun(batch(run, { observations: [observation(1)] }))
      const client = { clientId: 'c', lastSequence: 1, lastAnswer: '{}' }
      await storage().append(batch(run, { client }))
      const moved = { code: 'run-moved' }
      await expect(storage().append(batch(run, { client }))).rejects.toMatchObject(moved)
      await expect(
        storage().append(batch({ ...run, observationCount: 2 }, { observations: [observation(2)], client })),
      ).rejects.toMatchObject(moved)
      expect(await log('a')).toHaveLength(1)
      await storage().append(batch(run, { client: { ...client, lastSequence: 2 } }))
      expect(await storage().lastSequence('a', 'c')).toBe(2)
    })

    test('decisions come in order, after a number, by kind, up to a limit', async () => {
      const kinds = ['start', 'hold', 'hold', 'switch'] as const
      const decisions = kinds.map((kind, i) => ({ number: i + 1, kind, step: i, body: `{"n":${i + 1}}` }))
      await storage().createRun(batch(runRecord('a'), { decisions }))
      const read = async (query: Parameters<Storage['decisions']>[1]) =>
        (await storage().decisions('a', query)).map(({ number }) => number)
      expect(await read({ after: 0, limit: 10 })).toEqual([1, 2, 3, 4])
      expect(await read({ after: 1, limit: 2 })).toEqual([2, 3])
      expect(await read({ after: 0, limit: 10, kinds: ['hold', 'switch'] })).toEqual([2, 3, 4])
      expect(await storage().decision('a', 9)).toBeUndefined()
    })

    test('raw rows are those that overlap the steps', async () => {
      const rows = [
        observation(1, { fromStep: 0, toStep: 9 }),
        observation(2, { fromStep: 10, toStep: 19 }),
        observation(3, { kind: 'probe', fromStep: null, toStep: null }),
        observation(4, { fromStep: 20, toStep: 29 }),
      ]
      await storage().createRun(batch(runRecord('a'), { observations: rows }))
      const query = { source: 'samples', fromStep: 9, toStep: 20, after: 0, limit: 10 } as const
      expect(await storage().rowNumbers('a', query)).toEqual([1, 2, 4])
      expect(await storage().rowNumbers('a', { ...query, toStep: 15 })).toEqual([1, 2])
      expect(await storage().rowNumbers('a', { ...query, after: 1 })).toEqual([2, 4])
      expect(await storage().rowNumbers('a', { ...query, limit: 2 })).toEqual([1, 2])
      expect(await storage().rowNumbers('a', { ...query, source: 'readings' })).toEqual([])
      expect(plain((await storage().row('a', 'samples', 4))!)).toMatchObject(plain(rows[3]!))
      expect(await storage().row('a', 'samples', 5)).toBeUndefined()
    })

    test('a view shows one moment, whatever is written, replaced or deleted after it', async () => {
      const chunk = (byte: number) => ({ signal: 'loss', level: 0, chunk: 0, body: new Uint8Array([byte]) })
      const range = { signal: 'loss', level: 0, fromChunk: 0, toChunk: 9 }
      const rows = { source: 'samples', fromStep: 0, toStep: 99, after: 0, limit: 9 } as const
      const client = (lastSequence: number) => ({ clientId: 'c', lastSequence, lastAnswer: '{}' })
      const snapshot = (number: number) => ({ number, tunerVersion: '1', state: '{}', series: '{}' })
      await storage().createRun(
        batch(runRecord('a'), {
          ...{ observations: [observation(1)], chunks: [chunk(1)] },
          ...{ client: client(1), snapshot: snapshot(1) },
        }),
      )
      const view = await storage().view()
      const late = await storage().view()
      await view.stand()
      await storage().append(
        batch(runRecord('a', { observationCount: 2 }), {
          observations: [observation(2)],
          chunks: [chunk(2)],
          client: client(2),
          snapshot: snapshot(2),
        }),
      )
      await late.stand()
      await storage().deleteRun('a')
      expect(await view.rowNumbers('a', rows)).toEqual([1])
      expect([...(await view.chunkRange('a', range))[0]!.body]).toEqual([1])
      expect(await late.rowNumbers('a', rows)).toEqual([1, 2])
      expect([...(await late.chunkRange('a', range))[0]!.body]).toEqual([2])
      // What a run is brought into memory from.
      const keys = [{ signal: 'loss', level: 0, chunk: 0 }]
      for (const [one, count] of [
        [view, 1],
        [late, 2],
      ] as const) {
        expect((await one.run('a'))?.observationCount).toBe(count)
        expect(await one.observations('a', { after: 0, limit: 9 })).toHaveLength(count)
        expect((await one.snapshot('a'))?.number).toBe(count)
        expect([...(await one.chunks('a', keys))[0]!.body]).toEqual([count])
        expect([...(await one.clientSequences('a'))]).toEqual([['c', count]])
      }
      view.close()
      late.close()
      const after = await storage().view()
      await after.stand()
      expect(await after.rowNumbers('a', rows)).toEqual([])
      after.close()
    })

    test('views beyond those that may be open wait for one to be closed', async () => {
      await storage().createRun(batch(runRecord('a')))
      const open: View[] = []
      let last: View | undefined
      const asked = Array.from({ length: 40 }, async () => {
        const view = await storage().view()
        await view.stand()
        open.push(view)
        last = view
      })
      for (let closed = 0; closed < 40; closed++) {
        await vi.waitFor(() => expect(open.length).toBeGreaterThan(0))
        open.shift()!.close()
      }
      await Promise.all(asked)
      expect(last).toBeDefined()
    })

    test('chunks are replaced by key and read by range', async () => {
      const chunk = (number: number, byte: number) => ({
        signal: 'loss',
        level: 1,
        chunk: number,
        body: new Uint8Array([byte]),
      })
      await storage().createRun(batch(runRecord('a'), { chunks: [chunk(1, 1), chunk(2, 2), chunk(5, 5)] }))
      await storage().append(batch(runRecord('a'), { chunks: [chunk(2, 9)] }))
      const range = { signal: 'loss', level: 1, fromChunk: 2, toChunk: 5 }
      expect((await storage().chunkRange('a', range)).map(({ body }) => body[0])).toEqual([9, 5])
    })

    test('runs are listed newest first, by cursor, and filtered', async () => {
      await storage().createRun(batch(runRecord('a', { project: 'p', tags: ['t'] })))
      await storage().createRun(batch(runRecord('b_1', { lifecycle: 'paused', staleAt: null })))
      await storage().createRun(batch(runRecord('c', { project: 'p' })))
      const list = async (query: Partial<Parameters<Storage['listRuns']>[0]>) =>
        (await storage().listRuns({ limit: 10, now: 0, ...query })).runs.map(({ id }) => id)
      expect(await list({})).toEqual(['c', 'b_1', 'a'])
      const first = await storage().listRuns({ limit: 2, now: 0 })
      expect(first.next).not.toBeNull()
      expect(await list({ after: first.next! })).toEqual(['a'])
      expect((await storage().listRuns({ limit: 3, now: 0 })).next).toBeNull()
      expect(await list({ project: 'p' })).toEqual(['c', 'a'])
      expect(await list({ tag: 't' })).toEqual(['a'])
      expect(await list({ text: 'B_' })).toEqual(['b_1'])
      expect(await list({ text: '%' })).toEqual([])
      expect(await list({ state: 'running' })).toEqual(['c', 'a'])
      expect(await list({ state: 'stale', now: 1e12 })).toEqual(['c', 'a'])
      expect(await list({ state: 'paused', now: 1e12 })).toEqual(['b_1'])
    })

    describeWebhooks(storage, async () => {
      place = await place.reopen()
    })
    describeLists(storage)

    test('a deleted run is gone, and another of its name starts empty', async () => {
      const rows = Array.from({ length: 500 }, (_, i) => observation(i + 1))
      await storage().createRun(batch(runRecord('a'), { observations: rows }))
      expect(await storage().deleteRun('a')).toBe(true)
      expect(await storage().deleteRun('a')).toBe(false)
      expect(await storage().observations('a', { after: 0, limit: 10 })).toEqual([])
      expect(await storage().createRun(batch(runRecord('a')))).toBe(true)
      expect(await storage().observations('a', { after: 0, limit: 10 })).toEqual([])
      place = await place.reopen()
      expect(await storage().run('a')).toBeDefined()
    })

    test('what is derived can be replaced as a whole; the log stays', async () => {
      await storage().createRun(
        batch(runRecord('a'), {
          observations: [observation(1)],
          decisions: [{ number: 1, kind: 'hold', step: 0, body: '"old"' }],
          chunks: [{ signal: 'gone', level: 0, chunk: 0, body: new Uint8Array([1]) }],
        }),
      )
      await storage().replaceDerived({
        run: runRecord('a', { decisionCount: 1 }),
        decisions: [{ number: 1, kind: 'switch', step: 0, body: '"new"' }],
        allReadings: [{ number: 1, fromStep: 1, toStep: 1, body: '{}' }],
      })
      expect((await storage().decision('a', 1))?.body).toBe('"new"')
      expect(await storage().chunks('a', [{ signal: 'gone', level: 0, chunk: 0 }])).toEqual([])
      expect(await storage().observations('a', { after: 0, limit: 10 })).toHaveLength(1)
    })

    test('a run that is taken in is there whole once it is finished, and not before', async () => {
      const chunk = { signal: 'loss', level: 0, chunk: 2, body: new Uint8Array([1]) }
      const decision = { number: 1, kind: 'start', step: 0, body: '{}' } as const
      await storage().createRun(batch(runRecord('other'), { observations: [observation(1)] }))
      const intake = await storage().takeIn()
      await intake.append({ observations: [observation(1)], decisions: [decision] })
      // A deletion in the middle sweeps what is deleted, and nothing of this.
      await storage().deleteRun('other')
      await intake.append({ observations: [observation(2)], decisions: [], chunks: [chunk] })
      expect([...(await intake.chunks([chunk]))[0]!.body]).toEqual([1])
      expect((await storage().listRuns({ limit: 9, now: 0 })).runs).toEqual([])
      const run = runRecord('a', { observationCount: 2, decisionCount: 1 })
      const snapshot = { number: 2, tunerVersion: 'v', state: '{}', series: '{}' }
      const clients = [{ clientId: 'c', lastSequence: 7, lastAnswer: '{}' }]
      expect(await intake.finish({ run, snapshot, clients })).toBe(true)
      await intake.discard()
      place = await place.reopen()
      expect(await storage().run('a')).toEqual(run)
      expect(await storage().observations('a', { after: 0, limit: 9 })).toHaveLength(2)
      expect(await storage().decision('a', 1)).toMatchObject(decision)
      expect(await storage().snapshot('a')).toEqual(snapshot)
      expect(await storage().clientSequences('a')).toEqual(new Map([['c', 7]]))
      expect(await storage().sent('a', 'c', 7)).toBeUndefined()
      expect(await storage().chunks('a', [chunk])).toHaveLength(1)
    })

    test('a run that is taken in takes the place of no other, and leaves nothing where it is not finished', async () => {
      await storage().createRun(batch(runRecord('a', { name: 'first' }), { observations: [observation(1)] }))
      const snapshot = { number: 1, tunerVersion: 'v', state: '{}', series: '{}' }
      const begin = async () => {
        const intake = await storage().takeIn()
        await intake.append({ observations: [observation(1), observation(2)], decisions: [] })
        return intake
      }
      const refused = await begin()
      expect(await refused.finish({ run: runRecord('a'), snapshot, clients: [] })).toBe(false)
      await refused.discard()
      await begin()
      place = await place.reopen()
      expect((await storage().listRuns({ limit: 9, now: 0 })).runs.map(({ name }) => name)).toEqual(['first'])
      expect(await storage().observations('a', { after: 0, limit: 9 })).toHaveLength(1)
    })

    test('an unknown run is empty, not an error, and cannot be appended to', async () => {
      expect(await storage().decisions('nobody', { after: 0, limit: 5 })).toEqual([])
      expect(await storage().snapshot('nobody')).toBeUndefined()
      expect(await storage().client('nobody', 'c')).toBeUndefined()
      expect(await storage().sent('nobody', 'c', 1)).toBeUndefined()
      await expect(storage().append(batch(runRecord('nobody')))).rejects.toThrow('nobody')
    })

    test('of admins that are made first only one is, while it is in force', async () => {
      const { access } = storage()
      const admin = (id: string, more: Partial<StoredToken> = {}): StoredToken => ({
        ...{ id, name: id, scopes: ['admin'], project: null, digest: id.repeat(32), createdAt: 10 },
        ...{ expiresAt: null, lastUsedAt: null, revokedAt: null },
        ...more,
      })
      await access.putToken(admin('a0', { scopes: ['read'] }))
      await access.putToken(admin('a1', { revokedAt: 5 }))
      await access.putToken(admin('a2', { expiresAt: 9 }))
      const made = await Promise.all(
        ['b1', 'b2', 'b3', 'b4'].map((id) => access.addFirstAdmin(admin(id, { expiresAt: 20 }))),
      )
      expect(made.filter((isMade) => isMade)).toHaveLength(1)
      expect(await access.addFirstAdmin(admin('c1', { createdAt: 19 }))).toBe(false)
      expect(await access.addFirstAdmin(admin('c2', { createdAt: 20 }))).toBe(true)
      expect(await access.tokens()).toHaveLength(5)
    })

    test('tokens are kept as they are, each once, and in no run', async () => {
      const token = {
        id: 't1',
        name: 'laptop',
        scopes: ['read', 'control'],
        project: null,
        digest: 'ab'.repeat(32),
        createdAt: 1,
        expiresAt: null,
        lastUsedAt: null,
        revokedAt: null,
      } as const
      const { access } = storage()
      await access.putToken(token)
      await access.putToken({ ...token, id: 't2', digest: 'cd'.repeat(32), project: 'p', expiresAt: 9 })
      await access.putToken({ ...token, revokedAt: 5 })
      await access.noteTokenUse('t2', 7)
      place = await place.reopen()
      const found = await storage().access.tokens()
      expect([...found].sort((a, b) => a.id.localeCompare(b.id))).toEqual([
        { ...token, revokedAt: 5 },
        { ...token, id: 't2', digest: 'cd'.repeat(32), project: 'p', expiresAt: 9, lastUsedAt: 7 },
      ])
      await storage().access.deleteToken('t2')
      expect(await storage().access.tokens()).toHaveLength(1)
    })

    test('actions are numbered, completed, and read newest first, of all runs or of one', async () => {
      const action = {
        at: 5,
        caller: 'laptop',
        tokenId: 't',
        operation: 'command',
        from: '::1',
        requestId: 'q',
      }
      const begin = (runId: string | null) => storage().access.beginAction({ ...action, runId })
      expect([await begin('a'), await begin('b'), await begin(null)]).toEqual([1, 2, 3])
      await storage().access.endAction(1, 200, { detail: 'pause', reason: 'tea' })
      place = await place.reopen()
      const numbers = async (query: { before: number; limit: number; runId?: string }) =>
        (await storage().access.actions(query)).map(({ number }) => number)
      expect(await numbers({ before: 9, limit: 2 })).toEqual([3, 2])
      expect(await numbers({ before: 2, limit: 2 })).toEqual([1])
      expect(await numbers({ before: 9, limit: 9, runId: 'b' })).toEqual([2])
      const [first] = await storage().access.actions({ before: 2, limit: 1 })
      expect(first).toEqual({ ...action, number: 1, runId: 'a', status: 200, detail: 'pause', reason: 'tea' })
    })

    test('of an operation it knows when it was last done to each run: what was refused does not count', async () => {
      const done = async (at: number, operation: string, runId: string | null, status: number | null) => {
        const action = { at, caller: 'x', tokenId: null, operation, runId, from: '::1', requestId: 'q' }
        const number = await storage().access.beginAction(action)
        if (status !== null) await storage().access.endAction(number, status, { detail: '', reason: '' })
      }
      await done(5, 'restoreRun', 'a', 200)
      await done(9, 'restoreRun', 'a', 200)
      await done(10, 'restoreRun', 'a', 409)
      await done(11, 'deleteRun', 'a', 204)
      await done(12, 'restoreRun', 'b', 404)
      await done(13, 'restoreRun', 'c', null)
      await done(14, 'restoreRun', null, 200)
      const last = await storage().access.lastDone('restoreRun')
      expect([...last].sort()).toEqual([
        ['a', 9],
        ['c', 13],
      ])
    })

    test('it says whether it can be written to', async () => {
      await expect(storage().checkWritable()).resolves.toBeUndefined()
      expect(storage().description).not.toBe('')
    })
  })
}
