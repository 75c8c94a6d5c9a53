// The laws of lists of runs: part of those of the storage (storage.conformance.ts).

import { describe, expect, test } from 'vitest'
import { runSorts } from '../../protocol/lists.ts'
import { runRecord } from '../testing/runRecord.ts'
import type { RunRecord, Storage } from './storage.ts'

export function describeLists(storage: () => Storage): void {
  describe('a list of runs', () => {
    type Query = Partial<Parameters<Storage['listRuns']>[0]>
    const page = (query: Query) => storage().listRuns({ limit: 10, now: 0, ...query })
    const list = async (query: Query) => (await page(query)).runs.map(({ id }) => id)
    /** A run with what lists are ordered by. */
    const measured = (id: string, loss: number | null, more: Partial<RunRecord> = {}) => {
      const run = runRecord(id, more)
      const heldOut =
        loss === null ? {} : { heldOut: { loss, lossBest: loss, accuracy: null, accuracyBest: 1 - loss } }
      return { ...run, summary: { ...run.summary, loss, step: 100 - (loss ?? 0), ...heldOut } }
    }
    const create = async (...runs: readonly RunRecord[]) => {
      for (const run of runs) await storage().createRun({ run, observations: [], decisions: [] })
    }

    test('goes by a value, either way, those without one last, equal ones by age', async () => {
      await create(measured('a', 0.3), measured('b', null), measured('c', 0.1), measured('d', 0.3))
      for (const sort of ['loss', 'heldOut', 'heldOutBest'] as const) {
        expect(await list({ sort, order: 'asc' })).toEqual(['c', 'a', 'd', 'b'])
        expect(await list({ sort, order: 'desc' })).toEqual(['d', 'a', 'c', 'b'])
      }
      expect(await list({ sort: 'accuracyBest', order: 'desc' })).toEqual(['c', 'd', 'a', 'b'])
      expect(await list({ sort: 'step', order: 'desc' })).toEqual(['b', 'c', 'd', 'a'])
      expect(await list({ sort: 'accuracy', order: 'asc' })).toEqual(['a', 'b', 'c', 'd'])
    })

    test('goes on from a cursor of its own sort alone: a made-up one is refused before the database sees it', async () => {
      await create(measured('a', 0.3), measured('b', 0.1))
      const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
      const made: readonly (readonly [(typeof runSorts)[number], readonly unknown[]])[] = [
        ['loss', [0, 'x', 1]],
        ['loss', [2, 0.5, 1]],
        ['loss', [0, 0.5, 1e300]],
        ['created', [0, 0.5, 1]],
        ['step', [0, 'x', 1]],
        ['duration', [0, 1e300, 1]],
        ['state', [0, 1e12, 1]],
        ['name', [0, 5, 1]],
        ['name', [0, 'a\u0000', 1]],
        ['name', [0, 'a\ud800', 1]],
        ['seen', [0, [], 1]],
        ['seen', [0]],
      ]
      for (const [sort, parts] of made)
        await expect(page({ sort, after: cursor(...parts) }), JSON.stringify(parts)).rejects.toMatchObject({
          code: 'invalid-request',
        })
      for (const sort of runSorts) {
        const first = await page({ sort, limit: 1 })
        expect((await page({ sort, limit: 1, after: first.next! })).runs, sort).toHaveLength(1)
      }
    })

    test('goes by name whatever the case, by times, by how long a run took, and by state', async () => {
      await create(
        measured('b', null, { name: 'beta', createdAt: 1_000, lastSeenAt: 9_000, staleAt: null }),
        measured('a', null, {
          name: 'Alpha',
          createdAt: 2_000,
          lastSeenAt: 3_000,
          lifecycle: 'finished',
          staleAt: null,
        }),
        measured('g', null, { name: 'gamma', createdAt: 3_000, lastSeenAt: 5_000, staleAt: 6_000 }),
        measured('d', null, {
          name: 'delta',
          createdAt: 4_000,
          lastSeenAt: 4_500,
          lifecycle: 'waiting',
          staleAt: 90_000,
        }),
      )
      expect(await list({ sort: 'name', order: 'asc' })).toEqual(['a', 'b', 'd', 'g'])
      expect(await list({ sort: 'seen' })).toEqual(['b', 'g', 'd', 'a'])
      expect(await list({ sort: 'created', order: 'asc' })).toEqual(['b', 'a', 'g', 'd'])
      expect(await list({ sort: 'duration' })).toEqual(['b', 'g', 'a', 'd'])
      expect(await list({ sort: 'state', order: 'asc', now: 7_000 })).toEqual(['d', 'b', 'g', 'a'])
      expect(await list({ sort: 'name', waitingFirst: true, order: 'asc', now: 7_000 })).toEqual([
        'd',
        'a',
        'b',
        'g',
      ])
      // A job that is gone waits for nobody.
      expect(await list({ sort: 'name', waitingFirst: true, order: 'asc', now: 91_000 })).toEqual([
        'a',
        'b',
        'd',
        'g',
      ])
    })

    test('comes whole in pages of any size, each run once, in one order', async () => {
      const losses = [0.3, null, 0.1, 0.3, null, 0.2, 0.3, 0.1]
      await create(
        ...losses.map((loss, i) => measured(`r${i}`, loss, i === 4 ? { lifecycle: 'waiting' } : {})),
      )
      for (const order of ['asc', 'desc'] as const)
        for (const sort of ['loss', 'name', 'created', 'state'] as const)
          for (const limit of [1, 2, 3]) {
            const found: string[] = []
            for (let after: string | null | undefined; after !== null; ) {
              const query = {
                sort,
                order,
                limit,
                waitingFirst: true,
                ...(after === undefined ? {} : { after }),
              }
              const { runs, next } = await page(query)
              found.push(...runs.map(({ id }) => id))
              after = next
            }
            expect(found, `${sort} ${order} ${limit}`).toEqual(
              await list({ sort, order, waitingFirst: true }),
            )
            expect(found).toHaveLength(losses.length)
          }
      await expect(page({ after: 'WzEs' })).rejects.toMatchObject({ code: 'invalid-request' })
    })

    test('falls into groups by project and by tag, each with what its runs reached', async () => {
      await create(
        measured('a', 0.25, { project: 'p', tags: ['lr', 's1'] }),
        measured('b', 0.75, { project: 'p', tags: ['lr'] }),
        measured('c', null, { project: 'q', tags: ['s1'] }),
      )
      const losses = { count: 2, mean: 0.5, min: 0.25, max: 0.75 }
      expect(await storage().groupRuns({ now: 0 }, 'project')).toEqual([
        { name: 'p', count: 2, loss: losses, heldOutBest: losses, accuracyBest: losses },
        { name: 'q', count: 1, loss: null, heldOutBest: null, accuracyBest: null },
      ])
      const tags = await storage().groupRuns({ now: 0, tag: 's1' }, 'tag')
      expect(tags.map(({ name, count, loss }) => [name, count, loss?.mean])).toEqual([
        ['s1', 2, 0.25],
        ['lr', 1, 0.25],
      ])
    })

    test('is searched by words in name, id, project, tags, optimizer and settings, and counted', async () => {
      const run = runRecord('x1', { name: 'Fashion', project: 'vision', tags: ['night', 'Ä'] })
      const options = { ...run.summary.options, settings: { lr: 0.1, note: null }, framework: 'Keras' }
      await create(
        { ...run, summary: { ...run.summary, options } },
        runRecord('x2', { project: 'vision', tags: ['night'] }),
      )
      await create(runRecord('x3', { lifecycle: 'waiting', staleAt: null }))
      for (const text of ['FASHION', 'x1 vision', 'night  lr=0.1', 'ä', 'keras note=null'])
        expect(await list({ text }), text).toEqual(['x1'])
      expect(await list({ text: 'night' })).toEqual(['x2', 'x1'])
      expect(await list({ text: 'lr=0.2' })).toEqual([])
      expect(await page({ text: 'night', limit: 1 })).toMatchObject({ total: 2, all: 3 })
      expect(await page({ tag: 'Ä' })).toMatchObject({ total: 1, all: 3, next: null })
      await storage().updateRun({ ...run, name: 'renamed' })
      expect(await list({ text: 'fashion' })).toEqual([])
      expect(await list({ text: 'renamed' })).toEqual(['x1'])
      expect(await storage().countRuns(1e12)).toEqual({
        states: [
          { name: 'waiting', count: 1 },
          { name: 'stale', count: 2 },
        ],
        projects: [
          { name: 'vision', count: 2 },
          { name: run.summary.options.project, count: 1 },
        ],
        tags: [
          { name: 'night', count: 2 },
          { name: 'Ä', count: 1 },
        ],
      })
    })
  })
}
