import { describe, expect, it } from 'vitest'
import { timeScore, tunedRate } from './tunedRate.ts'

/** A valley on the log scale with its floor at `floor`; counts what was tried. */
function valley(floor: number) {
  const tried: number[] = []
  const score = async (rate: number): Promise<number> => {
    tried.push(rate)
    return Math.abs(Math.log(rate / floor))
  }
  return { tried, score }
}

describe('a tuned rate', () => {
  it('is the middle one of three where that is the best', async () => {
    const { tried, score } = valley(1)
    expect(await tunedRate({ middle: 1, refinements: 0, score })).toEqual({ rate: 1, isInside: true })
    expect(tried).toEqual([1, 0.5, 2])
  })
  it('is looked for beyond either edge until it lies inside', async () => {
    for (const floor of [16, 1 / 16]) {
      const { tried, score } = valley(floor)
      expect(await tunedRate({ middle: 1, refinements: 0, score })).toEqual({ rate: floor, isInside: true })
      expect(tried).toContain(floor > 1 ? 32 : 1 / 32)
    }
  })
  it('comes closer to the floor with each refinement', async () => {
    const off = async (refinements: number) => {
      const { rate } = await tunedRate({ middle: 1, refinements, score: valley(1.3).score })
      return Math.abs(Math.log2(rate / 1.3))
    }
    expect(await off(1)).toBeLessThanOrEqual(1 / 4)
    expect(await off(3)).toBeLessThanOrEqual(1 / 16)
  })
  it('is said to be at an edge where the score falls for ever, after a bounded number of tries', async () => {
    const { tried, score } = valley(1e9)
    expect(await tunedRate({ middle: 1, refinements: 2, score })).toMatchObject({ isInside: false })
    expect(tried).toHaveLength(11)
  })
  it('is never one whose score is not a number, as of a run that diverged', async () => {
    const score = async (rate: number) => (rate > 1.5 ? Number.NaN : -rate)
    expect(await tunedRate({ middle: 1, refinements: 0, score })).toEqual({ rate: 1, isInside: true })
  })
})

describe('a score of times', () => {
  const scored = (times: Record<number, number>) => {
    const caps: number[] = []
    const score = timeScore({
      seeds: [1],
      cap: 100,
      measure: async (_seed, rate, cap) => {
        caps.push(cap)
        return times[rate]! <= cap ? times[rate]! : null
      },
    })
    return { caps, score }
  }
  it('is their logarithm, and that of twice the cap where the aim was not reached', async () => {
    const { score } = scored({ 1: 50, 2: 500 })
    expect(await score(1)).toBeCloseTo(Math.log(50), 12)
    expect(await score(2)).toBeCloseTo(Math.log(200), 12)
  })
  it('spends no more than twice the best time on a rate', async () => {
    const { caps, score } = scored({ 1: 40, 2: 10, 3: 30 })
    for (const rate of [1, 2, 3]) await score(rate)
    expect(caps).toEqual([100, 80, 20])
    expect(await score(3)).toBeCloseTo(Math.log(200), 12)
  })
})
