import { describe, expect, it } from 'vitest'
import { tunedRate } from './tunedRate.ts'

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
    expect(tried).toEqual([0.5, 1, 2])
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
