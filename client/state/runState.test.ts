// Decisions in order and without doubles, and when a series has grown too long.

import { describe, expect, test } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { emptyRunState, emptySeries, knownUpTo, mergeDecisions, tooLong, withSeries } from './runState.ts'
import { entriesMax } from './series.ts'

const { decisions } = syntheticRun({ id: 'a', step: 1000, budgetSteps: 2000 })
const numbers = (list: readonly { number: number }[]) => list.map(({ number }) => number)

describe('decisions', () => {
  test('new ones follow', () => {
    expect(numbers(mergeDecisions(decisions.slice(0, 2), decisions.slice(2, 4)))).toEqual([1, 2, 3, 4])
  })

  test('a repeated number takes the newer record, a late one its place', () => {
    const changed = { ...decisions[1]!, status: 'superseded' as const }
    const merged = mergeDecisions([decisions[0]!, decisions[1]!, decisions[3]!], [changed, decisions[2]!])
    expect(numbers(merged)).toEqual([1, 2, 3, 4])
    expect(merged[1]?.status).toBe('superseded')
  })

  test('after a hole the server is asked again from before it', () => {
    const known = (some: typeof decisions, awaitedUpTo = 0) => knownUpTo({ decisions: some, awaitedUpTo })
    expect(known([])).toBe(0)
    expect(known(decisions.slice(0, 3))).toBe(3)
    expect(known([decisions[0]!, decisions[2]!])).toBe(1)
    // The second is on its way.
    expect(known([decisions[0]!, decisions[2]!], 2)).toBe(3)
    expect(known([decisions[0]!], 2)).toBe(2)
  })
})

describe('series', () => {
  const part = (steps: readonly number[]) => ({
    ...emptySeries('a'),
    signals: {
      loss: {
        step: steps,
        min: steps,
        max: steps,
        last: steps,
        count: steps.map(() => 1),
        nonFinite: steps.map(() => 0),
      },
    },
  })

  test('a zoomed range takes only what lies inside it', () => {
    const state = { ...emptyRunState('a'), zoomed: { ...emptySeries('a'), fromStep: 2, toStep: 4 } }
    const next = withSeries(state, part([0, 1, 2, 3, 4, 5]))
    expect(next.series.signals.loss?.step).toEqual([0, 1, 2, 3, 4, 5])
    expect(next.zoomed?.signals.loss?.step).toEqual([2, 3, 4])
  })

  test('beyond the bound the series is too long', () => {
    const steps = Array.from({ length: entriesMax }, (_, i) => i)
    const full = withSeries(emptyRunState('a'), part(steps))
    expect(tooLong(full)).toBe(false)
    expect(tooLong(withSeries(full, part([entriesMax])))).toBe(true)
  })
})
