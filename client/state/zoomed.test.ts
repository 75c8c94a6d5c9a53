// The part that is shown is asked for at once, and never more than one part at a time.

import { signal } from '@preact/signals'
import { beforeEach, expect, test, vi } from 'vitest'
import answers from '../../protocol/examples/answers.json' with { type: 'json' }
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { type Address, runAddress } from './address.ts'
import { emptyRunState, emptySeries, type RunState } from './runState.ts'

type Asked = { from: number; to: number; points: number }
const server = vi.hoisted(() => ({ asked: [] as Asked[], answer: [] as (() => void)[] }))
vi.mock('../connection/api.ts', () => ({
  fetchSeries: (_runId: string, range: Asked) => {
    server.asked.push(range)
    return new Promise((resolve) => server.answer.push(() => resolve({ ok: true, value: emptySeries('a') })))
  },
}))
const shown = vi.hoisted(() => ({ address: undefined as unknown }))
vi.mock('./address.ts', async (original) => {
  const { signal } = await import('@preact/signals')
  const real = await original<typeof import('./address.ts')>()
  shown.address = signal(real.runAddress('a'))
  return { ...real, address: shown.address }
})
const { followZoom, lookedAt } = await import('./zoomed.ts')

const summary = answers.find(({ schema }) => schema === 'RunSummary')!.valid[0]!.message as unknown
const run = { ...(summary as RunSummary), step: 100_000, budgetSteps: 100_000 }
const address = () => shown.address as ReturnType<typeof signal<Address>>

const follow = () => {
  const state = signal<RunState>({ ...emptyRunState('a'), run })
  const wanted = () => ({ signals: ['loss'], extremes: ['loss'], digits: 7 })
  const addressOf = (now: Address) => (now.page === 'run' ? now : runAddress('a'))
  return { state, ...followZoom({ state, addressOf, wanted, points: 1_000 }) }
}
/** Lets what has been answered be taken. */
const taken = async () => {
  server.answer.shift()!()
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}

beforeEach(() => {
  server.asked = []
  server.answer = []
  lookedAt.value = undefined
  address().value = runAddress('a')
})

test('a gesture is followed at once; while one part is under way only the newest after it counts', async () => {
  const { state, stop } = follow()
  expect(server.asked).toHaveLength(0)
  for (const from of [10_000, 20_000, 30_000]) lookedAt.value = { from, to: from + 10_000 }
  expect(server.asked).toHaveLength(1)
  await taken()
  expect(server.asked).toHaveLength(2)
  expect(server.asked[1]!.from).toBeLessThanOrEqual(30_000)
  expect(server.asked[1]!.from).toBeGreaterThan(20_000)
  await taken()
  expect(state.value.zoomed).toMatchObject({ fromStep: server.asked[1]!.from, toStep: server.asked[1]!.to })
  // What comes to rest in the address is what is there already.
  address().value = { ...runAddress('a'), zoom: { from: 30_000, to: 40_000 } }
  lookedAt.value = undefined
  expect(server.asked).toHaveLength(2)
  stop()
})

test('the whole run needs no part, and a part that comes late is not kept', async () => {
  const { state, stop } = follow()
  lookedAt.value = { from: 10_000, to: 20_000 }
  lookedAt.value = null
  await taken()
  expect(state.value.zoomed).toBeNull()
  stop()
})

test('other signals are asked for of the same part', async () => {
  const { again, stop } = follow()
  lookedAt.value = { from: 10_000, to: 20_000 }
  await taken()
  again()
  expect(server.asked).toHaveLength(2)
  stop()
})
