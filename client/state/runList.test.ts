// The order of the list, and what a search finds.

import { expect, test } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { listedRunsMax, matchingRuns, orderRuns, withRun } from './runList.ts'

const named = (id: string, lastSeenAt: string, state: 'running' | 'waiting' = 'running') => ({
  ...syntheticRun({ id, step: 10, budgetSteps: 100 }).run,
  lastSeenAt,
  state,
})
const a = named('fashion-a', '2025-01-01T00:00:01Z')
const b = named('mnist-b', '2025-01-01T00:00:03Z')
const c = named('mnist-c', '2025-01-01T00:00:02Z', 'waiting')
const ids = (runs: readonly { id: string }[]) => runs.map(({ id }) => id)

test('waiting runs come first, then the most recently seen', () => {
  expect(ids(orderRuns([a, b, c]))).toEqual(['mnist-c', 'mnist-b', 'fashion-a'])
})

test('a run changes in place, a new one goes to the top', () => {
  const changed = { ...a, step: 11 }
  expect(withRun([b, a], changed)[1]?.step).toBe(11)
  expect(ids(withRun([b], a))).toEqual(['fashion-a', 'mnist-b'])
  const many = Array.from({ length: listedRunsMax }, (_, i) => ({ ...b, id: `r${i}` }))
  expect(withRun(many, a)).toHaveLength(listedRunsMax)
})

test('every word must be found, in name, project, id or tag', () => {
  expect(ids(matchingRuns([a, b, c], 'MNIST'))).toEqual(['mnist-b', 'mnist-c'])
  expect(ids(matchingRuns([a, b, c], 'mnist c'))).toEqual(['mnist-c'])
  expect(ids(matchingRuns([a, b, c], '  '))).toHaveLength(3)
  expect(matchingRuns([a], 'text')).toEqual([])
})
