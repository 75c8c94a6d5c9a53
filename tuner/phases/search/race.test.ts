import { describe, expect, it } from 'vitest'
import { type GuardState, noGuard, watchSample } from '../../guard/watch.ts'
import { raceAround, scored } from '../../testing/raced.ts'
import { normals, random } from '../../testing/random.ts'
import { armLossMax, endArm, finishers, hasArmDiverged, startArm, watchedRace } from './race.ts'

describe('a race', () => {
  it('has arms of 2 % of the budget, between 12 and 60 steps: early it is the same however long the budget is', () => {
    expect([500, 1_000, 2_000, 10_000, 1e6].map((length) => raceAround(0.1, { length })?.armSteps)).toEqual([
      12, 20, 40, 60, 60,
    ])
  })

  it('is none where three arms do not fit into a quarter of the budget', () => {
    expect(raceAround(0.1, { length: 143 })).toBeUndefined()
    expect(raceAround(0.1, { length: 144 })).toBeDefined()
  })

  it("is none where the run's limits leave one rate only", () => {
    expect(raceAround(0.1, { min: 0.05, max: 0.2 })).toBeUndefined()
    expect(raceAround(0.1, { min: 0.05, max: 0.31 })).toBeDefined()
    expect(raceAround(0.1, { min: 0.03, max: 0.1 })).toBeDefined()
  })

  it('keeps who ran what and what it scored, slowest first; an arm without a finite loss has diverged', () => {
    const first = endArm(startArm(raceAround(0.1)!, 0.1, 0), scored(1), 40)
    const second = endArm(startArm(first, 0.3, 40), scored(Number.NaN), 80)
    const third = endArm(startArm(second, 0.033, 80), scored(2), 120)
    expect(third.arms.map(({ diverged }) => diverged)).toEqual([false, true, false])
    expect(finishers(third).map(({ learningRate }) => learningRate)).toEqual([0.033, 0.1])
    expect(third.current).toBeNull()
    expect(endArm(third, scored(0), 160)).toBe(third)
  })
})

describe('an arm', () => {
  const draw = normals(random(3))
  const noisy = (level: number, count: number) => Array.from({ length: count }, () => level + 0.1 * draw())
  const watched = (losses: readonly number[], from: GuardState = noGuard) =>
    losses.reduce(
      (guard, loss, step) => watchSample(guard, { step, loss, gradientNorm: null, batchSize: null }),
      from,
    )

  it('tells where the run begins and how its loss scatters, the first one for all', () => {
    const guard = watched(noisy(3, 20))
    const race = watchedRace(startArm(raceAround(0.1)!, 0.1, 0), watched([3.2]))
    expect(race).toMatchObject({ lossFirst: 3.2, scatter: null })
    const known = watchedRace(race, guard)
    expect(known.lossFirst).toBe(3.2)
    expect(known.scatter).toBeGreaterThan(0.05)
    expect(known.scatter).toBeLessThan(0.2)
    expect(watchedRace(known, watched(noisy(9, 20)))).toBe(known)
  })

  /** A race that knows where the run begins. */
  const known = { ...startArm(raceAround(0.1)!, 0.3, 100), lossFirst: 3, scatter: 0.1 }

  it('has diverged at five losses, or five gradient norms, that are none', () => {
    expect(hasArmDiverged(known, watched(Array<number>(4).fill(Number.NaN)))).toBe(false)
    expect(hasArmDiverged(known, watched(Array<number>(5).fill(Number.NaN)))).toBe(true)
    const norms = Array.from({ length: 5 }, (_, step) => step).reduce(
      (guard, step) =>
        watchSample(guard, { step, loss: 3, gradientNorm: Number.POSITIVE_INFINITY, batchSize: null }),
      noGuard,
    )
    expect(hasArmDiverged(known, norms)).toBe(true)
  })

  it('has diverged where its smoothed loss is far above the first one, and one outlier is smoothed away', () => {
    const limit = armLossMax(known, noGuard)!
    expect(limit).toBeGreaterThan(3 + 10 * 0.1)
    expect(hasArmDiverged(known, watched([limit - 0.01]))).toBe(false)
    expect(hasArmDiverged(known, watched([limit + 0.01]))).toBe(true)
    expect(hasArmDiverged(known, watched([...noisy(3, 8), 12]))).toBe(false)
  })

  it.each([-3, 0, 100])('is judged alike where every loss lies higher by %d', (added) => {
    const moved = { ...known, lossFirst: 3 + added }
    expect(armLossMax(moved, noGuard)! - added).toBeCloseTo(armLossMax(known, noGuard)!, 9)
    for (const loss of [3.5, 4.5, 5.5])
      expect(hasArmDiverged(moved, watched([loss + added]))).toBe(hasArmDiverged(known, watched([loss])))
  })

  it('is not judged by its loss before a deviation is known', () => {
    const unknown = startArm(raceAround(0.1)!, 0.3, 0)
    expect(armLossMax(unknown, noGuard)).toBeNull()
    expect(hasArmDiverged(unknown, watched([3, 1e6]))).toBe(false)
  })
})
