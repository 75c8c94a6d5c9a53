// The limits that travel with the plan.

import { describe, expect, it } from 'vitest'
import { normals, random } from '../testing/random.ts'
import { runState } from '../testing/runState.ts'
import { syntheticRun } from '../testing/syntheticRun.ts'
import { isPassed, isTripwireStale, tripwireOf } from './tripwire.ts'
import { type GuardState, noGuard, watchSample } from './watch.ts'

const draw = normals(random(5))
const noise = Array.from({ length: 400 }, () => 0.1 * draw())
/** A guard that has watched so many steps at a level, with norms of about 2. */
const watched = (level: number, { steps = 200, factor = 1, from = noGuard } = {}): GuardState =>
  Array.from({ length: steps }, (_, step) => step).reduce(
    (guard, step) =>
      watchSample(guard, { step, loss: level + factor * noise[step]!, gradientNorm: 2, batchSize: null }),
    from,
  )
const at = (guard: GuardState, change: Parameters<typeof runState>[0] = {}) =>
  runState({ ...change, seen: { guard } })

describe('the tripwire', () => {
  it('limits loss and norm once their scatter is known, and falls to a tenth of the large rate', () => {
    expect(tripwireOf(at(noGuard))).toEqual({
      lossAbove: null,
      gradientNormAbove: null,
      thenLearningRate: 0.1 * 0.1,
    })
    const known = tripwireOf(at(watched(1)))!
    expect(known.lossAbove).toBeGreaterThan(1 + 10 * 0.1)
    expect(known.lossAbove).toBeLessThan(1 + 40 * 0.1)
    expect(known.gradientNormAbove).toBeCloseTo(40, 6)
  })

  it.each([
    [1, 50],
    [1, -50],
    [3, 0],
    [0.1, -2],
  ])('lies as far from the level where every loss is multiplied by %d and %d is added', (factor, added) => {
    const plain = tripwireOf(at(watched(1)))!.lossAbove!
    const moved = tripwireOf(at(watched(factor + added, { factor })))!.lossAbove!
    expect(moved).toBeCloseTo(factor * plain + added, 6)
  })

  it('is none for a loss without scatter, where nothing is steered, and after the end', () => {
    expect(tripwireOf(at(watched(1, { factor: 0 })))?.lossAbove).toBeNull()
    for (const mode of ['advisory', 'off'] as const) expect(tripwireOf(at(watched(1), { mode }))).toBeNull()
    const done = {
      kind: 'done',
      end: 'finished',
      switchStep: null,
      largeRate: null,
      keptLoss: null,
      promised: null,
      reached: null,
    } as const
    expect(tripwireOf(at(watched(1), { course: done }))).toBeNull()
  })

  it('of an arm of a race falls to a hundredth of its rate, and knows the loss that the run began with', () => {
    const { state } = syntheticRun({ seed: 1, budgetSteps: 2_000, stepCount: 70 })
    expect(state.course.kind).toBe('search')
    const { lossAbove, gradientNormAbove, thenLearningRate } = state.plan.tripwire!
    const arm = state.plan.segments[1]!
    expect(thenLearningRate).toBeCloseTo(arm.from / 100, 12)
    expect(gradientNormAbove).toBeNull()
    if (state.course.kind === 'search') expect(lossAbove).toBeGreaterThan(state.course.race.lossFirst!)
  })
})

describe('a limit', () => {
  const run = at(watched(1))
  const held = { ...run, plan: { version: 1, segments: [], tripwire: tripwireOf(run) } }

  it('is out of date once the loss has moved, and not by its scatter', () => {
    expect(isTripwireStale(held)).toBe(false)
    const moved = { ...held, seen: { ...held.seen, guard: watched(2) } }
    expect(isTripwireStale(moved)).toBe(true)
    expect(isTripwireStale(run)).toBe(false)
  })

  it('is passed by the smoothed loss, as a client passes it', () => {
    const smoothed = (value: number | null) => ({
      ...held,
      seen: { ...held.seen, guard: { ...held.seen.guard, smoothed: value } },
    })
    const limit = held.plan.tripwire!.lossAbove!
    expect(isPassed(smoothed(limit + 0.001))).toBe(true)
    expect(isPassed(smoothed(limit))).toBe(false)
    expect(isPassed(smoothed(null))).toBe(false)
    expect(isPassed({ ...smoothed(1e9), plan: { version: 1, segments: [], tripwire: null } })).toBe(false)
  })

  it('of a whole run follows the loss down, and its plan with it', () => {
    const options = {
      seed: 1,
      budgetSteps: 2_000,
      learningRate: 0.02,
      traceSigma: 1,
      capabilities: [],
    } as const
    const limits = [150, 300, 550].map(
      (stepCount) => syntheticRun({ ...options, stepCount }).state.plan.tripwire?.lossAbove,
    )
    expect(limits[0]).toBeGreaterThan(limits[2]!)
    expect(limits[2]).toBeGreaterThan(0.2)
  })
})
