// Which rates race, within a run's limits.

import { describe, expect, it } from 'vitest'
import { raceArmRatio } from '../constants.ts'
import { raceBelow } from './raceOpening.ts'

describe("a race below a divergence rate, within the run's limits", () => {
  const limited = (min: number) =>
    raceBelow({ divergenceRate: 1, fromStep: 0, segmentSteps: 20, budgetSteps: 4_000, min, lossFirst: 3 })

  it('leaves out the rates below the lowest allowed, and rounds that would let all go on', () => {
    const rates = [0.01, 0.05, 0.1, 0.25].map((min) =>
      limited(min)!.arms.map(({ learningRate }) => learningRate),
    )
    expect(rates.map(({ length }) => length)).toEqual([7, 5, 3, 2])
    expect(Math.min(...rates[2]!)).toBeCloseTo(raceArmRatio ** 3, 12)
    expect([0.01, 0.05, 0.1, 0.25].map((min) => limited(min)!.rounds)).toEqual([
      [7, 3, 2],
      [5, 3, 2],
      [3, 2],
      [2, 2],
    ])
  })

  it('is not run where fewer than two are left', () => {
    expect(limited(0.4)).toBeUndefined()
    expect(limited(2)).toBeUndefined()
  })
})
