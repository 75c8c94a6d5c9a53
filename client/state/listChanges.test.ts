// What a change of one run does to the list.

import { expect, test } from 'vitest'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { allRuns } from './listAddress.ts'
import {
  changed,
  emptyRunList,
  matches,
  newsWords,
  type RunList,
  requestOf,
  withoutRun,
} from './listChanges.ts'

const named = (id: string, part: Partial<RunSummary> = {}): RunSummary => ({
  ...syntheticRun({ id, step: 10, budgetSteps: 100 }).run,
  createdAt: '2025-01-01T00:00:05.000Z',
  ...part,
})
const list = (runs: readonly RunSummary[], part: Partial<RunList> = {}): RunList => ({
  ...emptyRunList,
  runs,
  loaded: true,
  ...part,
})
const ids = ({ runs }: RunList) => runs.map(({ id }) => id)
const waiting = named('w', { state: 'waiting' })
const [a, b, c] = [named('a'), named('b'), named('c')]
const byLoss = { ...allRuns, sort: 'loss', order: 'asc' } as const

test('a run changes where it stands, and goes to the top when it begins to wait for a person', () => {
  const before = list([waiting, a, b])
  const after = changed(before, { ...b, step: 11 }, allRuns)
  expect(ids(after)).toEqual(['w', 'a', 'b'])
  expect(after.runs[2]?.step).toBe(11)
  expect(ids(changed(before, { ...b, state: 'waiting' }, byLoss))).toEqual(['b', 'w', 'a'])
})

test('in the usual order a run that is not there goes to the top, under those that wait', () => {
  expect(ids(changed(list([waiting, a]), c, allRuns))).toEqual(['w', 'c', 'a'])
  expect(ids(changed(list([]), c, allRuns))).toEqual(['c'])
  expect(ids(changed(list([waiting]), c, allRuns))).toEqual(['w', 'c'])
})

test('of a long list an older run that reports again is counted, so that rows do not jump', () => {
  const long = list([waiting, a], { next: 'more' })
  const after = changed(changed(long, c, allRuns), c, allRuns)
  expect(ids(after)).toEqual(['w', 'a'])
  expect(newsWords(after)).toBe('1 seen again')
  expect(ids(changed(long, { ...c, createdAt: '2025-01-01T00:00:06.000Z' }, allRuns))).toEqual([
    'w',
    'c',
    'a',
  ])
})

test('in any other order it is counted, once, and not where it may have been further down all along', () => {
  const once = changed(list([a, b]), c, byLoss)
  expect(ids(once)).toEqual(['a', 'b'])
  expect(changed(once, c, byLoss).missing).toEqual(['c'])
  const long = list([a, b], { next: 'more' })
  expect(changed(long, c, byLoss).missing).toEqual([])
  expect(changed(long, { ...c, createdAt: '2025-01-01T00:00:06.000Z' }, byLoss).missing).toEqual(['c'])
})

test('a run that no longer matches is counted, until it does again or is removed', () => {
  const running = { ...allRuns, state: 'running' } as const
  const after = changed(list([a, b]), { ...a, state: 'finished' }, running)
  expect(ids(after)).toEqual(['a', 'b'])
  expect(newsWords(after)).toBe('1 no longer matches')
  expect(newsWords(changed(after, a, running))).toBeNull()
  expect(newsWords(withoutRun(after, 'a'))).toBeNull()
  expect(changed(list([a]), { ...c, state: 'finished' }, running).missing).toEqual([])
  expect(newsWords({ missing: ['x', 'y'], again: ['z'], gone: ['a', 'b'] })).toBe(
    '2 new, 1 seen again, 2 no longer match',
  )
})

test('a run matches by state, project, tag, and every word of what it is called and set to', () => {
  const { options } = a
  const run = { ...a, options: { ...options, project: 'vision', tags: ['night'], settings: { lr: 0.1 } } }
  const found = (part: object) => matches(run, { ...allRuns, ...part })
  expect(found({ search: 'A  VISION lr=0.1 night', project: 'vision', tag: 'night', state: 'running' })).toBe(
    true,
  )
  expect([{ search: 'lr=0.2' }, { project: 'v' }, { tag: 'nigh' }, { state: 'paused' }].some(found)).toBe(
    false,
  )
})

test('the server is asked for what the address says, with those first that wait', () => {
  expect(requestOf(allRuns)).toEqual({ sort: 'seen', order: 'desc', first: 'waiting' })
  expect(requestOf({ ...byLoss, search: ' x ', tag: 't', group: 'tag' })).toEqual({
    ...{ sort: 'loss', order: 'asc', first: 'waiting' },
    ...{ q: 'x', tag: 't', group: 'tag' },
  })
})
