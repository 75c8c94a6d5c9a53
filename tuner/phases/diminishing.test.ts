import { describe, expect, it } from 'vitest'
import { diminishingOf } from './diminishing.ts'

const falling = (perDoubling: number, noise = 0) =>
  Array.from({ length: 50 }, (_, i) => 100 * 1.05 ** i).map((runLength, i) => ({
    runLength,
    averagedLoss: 2 - perDoubling * Math.log2(runLength / 100) + (i % 2 === 0 ? noise : -noise),
    count: 1,
  }))

describe('as many steps again', () => {
  it('are worth it while they take off more than a quarter of what annealing does', () => {
    expect(diminishingOf(falling(0.26), 1)).toMatchObject({ isEnough: false })
    expect(diminishingOf(falling(0.24), 1)).toMatchObject({ isEnough: true })
    expect(diminishingOf(falling(0.24), 1)?.gain.value).toBeCloseTo(0.24, 10)
    expect(diminishingOf(falling(0.24), 1)?.worth).toBeCloseTo(0.25, 10)
  })

  it('are taken in doubt', () => {
    expect(diminishingOf(falling(0.05, 0.9), 1)).toMatchObject({ isEnough: false })
  })

  it('are worth a thousandth of what was learned where annealing gains nothing or nothing is known of it', () => {
    for (const annealing of [null, 0, -1]) {
      expect(diminishingOf(falling(0.1), annealing)).toMatchObject({ isEnough: false })
      const level = [{ runLength: 50, averagedLoss: 9, count: 1 }, ...falling(0.001)]
      expect(diminishingOf(level, annealing)).toMatchObject({ isEnough: true })
    }
  })

  it('are never too few where the loss rises', () => {
    expect(diminishingOf(falling(-0.1), null)).toMatchObject({ isEnough: true, worth: 0 })
  })

  it('cannot be told of by a few points', () => {
    expect(diminishingOf(falling(0).slice(0, 7), 1)).toBeUndefined()
  })
})
