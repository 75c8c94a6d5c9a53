import { expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import type { Replica, ReplicaStore } from '../storage/replicas.ts'
import { createFakeClock } from '../testing/fakeClock.ts'
import { beatMilliseconds, chosen, newest, Replicas } from './replicas.ts'

const replica = (id: string, tunerVersion = '16'): Replica => ({
  ...{ id, tunerVersion },
  address: `http://${id}.test:7317`,
  secret: `secret of ${id}`,
})
const runIds = Array.from({ length: 3_000 }, (_, i) => `run-${i}`)

test('what falls to whom is the same wherever it is asked, and shared out evenly', () => {
  const three = ['a', 'b', 'c'].map((id) => replica(id))
  const counts = new Map<string, number>()
  for (const runId of runIds) {
    const { id } = chosen(three, runId)
    expect(chosen([...three].reverse(), runId).id).toBe(id)
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  // 1,000 each, give or take 26 by chance; five times that.
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(130)
})

test('where a server goes, only what fell to it moves', () => {
  const three = ['a', 'b', 'c'].map((id) => replica(id))
  const two = three.slice(0, 2)
  for (const runId of runIds) {
    const before = chosen(three, runId).id
    if (before !== 'c') expect(chosen(two, runId).id).toBe(before)
  }
})

test('runs fall to those of the newest tuner', () => {
  const all = [replica('a', '9'), replica('b', '10'), replica('c', '10')]
  expect(newest(all).map(({ id }) => id)).toEqual(['b', 'c'])
})

function started(others: { all: Replica[] }) {
  const clock = createFakeClock()
  let changes = 0
  const self = replica('me')
  const versions = { tokens: 1, webhooks: 1, deliveries: 1 }
  const told: object[] = []
  const store: ReplicaStore = {
    beat: async () => ({ replicas: [self, ...others.all], versions: { ...versions } }),
    leave: async () => {},
    liveAdapter: () => {
      throw new Error('not asked for')
    },
  }
  const replicas = new Replicas({
    ...{ store, clock, self, log: silentLog },
    onChange: () => changes++,
    onVersions: async (before, now) => void told.push({ before, now }),
  })
  return { clock, replicas, versions, told, store, changes: () => changes }
}

test('a server that was not reached is passed over until it has been heard of again or is gone', async () => {
  const other = replica('other')
  const { clock, replicas } = started({ all: [other] })
  await replicas.start(1)
  const theirs = runIds.find((runId) => replicas.ownerOf(runId) !== undefined)!
  replicas.avoid('other')
  expect(replicas.owns(theirs)).toBe(true)
  await clock.advance(2_100)
  expect(replicas.ownerOf(theirs)).toEqual(other)
  await replicas.stop()
})

test('coming and going is told, and so is each change of what is counted, again where reading it failed', async () => {
  const others = { all: [] as Replica[] }
  const { clock, replicas, versions, told, changes } = started(others)
  await replicas.start(1)
  expect(told).toHaveLength(1)
  others.all = [replica('other')]
  await clock.advance(beatMilliseconds)
  expect(changes()).toBe(1)
  versions.tokens = 2
  await clock.advance(beatMilliseconds)
  await clock.advance(beatMilliseconds)
  expect(told).toEqual([
    expect.anything(),
    { before: { ...versions, tokens: 1 }, now: { ...versions, tokens: 2 } },
  ])
  await replicas.stop()
})

test('while the database is away, who is there stays as it was', async () => {
  const { clock, replicas, store } = started({ all: [replica('other')] })
  await replicas.start(1)
  store.beat = async () => {
    throw new Error('away')
  }
  await clock.advance(5 * beatMilliseconds)
  expect(replicas.present.map(({ id }) => id)).toEqual(['me', 'other'])
  await replicas.stop()
})
