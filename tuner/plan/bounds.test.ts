import { describe, expect, it } from 'vitest'
import { runState } from '../testing/runState.ts'
import {
  deadlineStep,
  earliestRiseStep,
  earliestSwitchStep,
  elapsedOf,
  endOf,
  fallbackStep,
  lengthOf,
  lengthOrNominal,
  originOf,
} from './bounds.ts'

const at = (
  step: number,
  { origin = 0, budgetSteps = 3_000 }: { origin?: number | null; budgetSteps?: number | null } = {},
) => runState({ seen: { origin, step }, budgetSteps })

describe('the bounds of a run', () => {
  it('are shares of its steps: a rise is heard from a quarter on, the rule from three, and the switch is forced at nine tenths', () => {
    const run = at(1_000)
    expect([originOf(run), elapsedOf(run), endOf(run), lengthOf(run)]).toEqual([0, 1_000, 3_000, 3_000])
    expect([earliestRiseStep(run), earliestSwitchStep(run), deadlineStep(run)]).toEqual([750, 2_250, 2_700])
  })

  it('move with the step that the job’s counter began at', () => {
    for (const origin of [0, 1, 123_000]) {
      const run = at(origin + 1_000, { origin, budgetSteps: 3_000 })
      expect(elapsedOf(run)).toBe(1_000)
      expect(lengthOf(run)).toBe(3_000)
      expect([earliestSwitchStep(run), fallbackStep(run), deadlineStep(run)]).toEqual([
        origin + 2_250,
        origin + 2_250,
        origin + 2_700,
      ])
    }
  })

  it('count a budget from the first step, also where the counter has passed it long before', () => {
    const run = at(10_000, { origin: 10_000, budgetSteps: 600 })
    expect([endOf(run), lengthOf(run), deadlineStep(run)]).toEqual([10_600, 600, 10_540])
  })

  it('end with the counter where the budget is above the first step, which is then no number of steps to take', () => {
    const run = at(45_000, { origin: 40_000, budgetSteps: 50_000 })
    expect([endOf(run), lengthOf(run), earliestSwitchStep(run), deadlineStep(run)]).toEqual([
      50_000, 10_000, 47_500, 49_000,
    ])
  })

  it('are the same for both readings of a budget where the counter begins at 0 or 1, and near where it begins soon after', () => {
    const lengths = [0, 1, 2, 10, 100, 999, 1_000, 1_001].map((origin) => {
      return lengthOf(at(origin, { origin, budgetSteps: 1_000 }))
    })
    expect(lengths).toEqual([1_000, 1_000, 998, 990, 900, 1, 1_000, 1_000])
  })

  it('are none without a budget, where the rule may switch at any step', () => {
    const open = at(500, { budgetSteps: null })
    expect([endOf(open), lengthOf(open), deadlineStep(open), fallbackStep(open)]).toEqual([
      null,
      null,
      null,
      null,
    ])
    expect([earliestRiseStep(open), earliestSwitchStep(open)]).toEqual([0, 0])
    expect(lengthOrNominal(open)).toBeGreaterThan(0)
  })

  it('never put the deadline into the past', () => {
    expect(deadlineStep(at(2_950))).toBe(2_950)
  })
})

describe('the fallback plan', () => {
  it('anneals where the hold ends, as the rule may not before, whatever the length', () => {
    for (const budgetSteps of [1, 2, 3, 7, 20, 101, 5_000, 1e9]) {
      const run = at(0, { budgetSteps })
      expect(fallbackStep(run)).toBe(earliestSwitchStep(run))
    }
  })
})
