// The decisions of a long run come newest first, and all of them in the end.

import { afterEach, expect, test, vi } from 'vitest'
import type { Decision } from '../../protocol/vocabulary.ts'

const server = vi.hoisted(() => ({ count: 1_000, pages: [] as string[] }))
vi.mock('../connection/api.ts', () => ({
  fetchDecisions: async (
    _runId: string,
    { after, limit, kinds }: { after: number; limit: number; kinds?: readonly string[] },
  ) => {
    server.pages.push(`${after} ${limit}${kinds === undefined ? '' : ' changes'}`)
    const numbers = Array.from({ length: server.count }, (_, i) => i + 1)
    const page = numbers.filter((n) => n > after && (kinds === undefined || n % 100 === 1)).slice(0, limit)
    return { ok: true, value: { decisions: page.map((number) => ({ number })), next: null } }
  },
}))
const { loadChanges, loadNewest, loadOlder } = await import('./runDecisions.ts')

afterEach(() => {
  server.pages = []
})

const numbersOf = (decisions: readonly Decision[]) => decisions.map(({ number }) => number)

test('changes, the chosen one and the newest come first; then all before them, each once', async () => {
  const changes = await loadChanges('a', 555)
  expect(numbersOf(changes)).toEqual([1, 101, 201, 301, 401, 501, 555, 601, 701, 801, 901])
  const { decisions, awaitedUpTo } = await loadNewest('a', server.count)
  expect(decisions).toHaveLength(20)
  expect(awaitedUpTo).toBe(980)
  const taken = numbersOf(decisions)
  await loadOlder('a', awaitedUpTo, (older) => taken.push(...numbersOf(older)) > 0)
  expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1))
  expect(server.pages.slice(3)).toEqual(['780 200', '580 200', '380 200', '180 200', '0 180'])
})

test('a page that was left asks for no more', async () => {
  await loadOlder('a', 900, () => false)
  expect(server.pages).toEqual(['700 200'])
})

test('a short run has all of its decisions at once', async () => {
  server.count = 7
  const { decisions, awaitedUpTo } = await loadNewest('a', 7)
  expect(numbersOf(decisions)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(awaitedUpTo).toBe(0)
})
