import { describe, expect, it } from 'vitest'
import { bandsOf } from './bands.ts'
import { bracketMiddle, type Curve, curveDistance, finalLoss, hasDiverged, hasRisen } from './curves.ts'
import { pairDistance } from './rescaling.ts'

const curve = (...losses: (number | null)[]): Curve => ({ losses, risen: [] })

describe('a curve', () => {
  it('has diverged with a loss that is not finite, or an end at the loss of a constant guess', () => {
    expect(hasDiverged(curve(2.3, 1, 0.5))).toBe(false)
    expect(hasDiverged(curve(2.3, null, 0.5))).toBe(true)
    expect(hasDiverged(curve(2.3, 1, 2.3))).toBe(true)
    expect(hasDiverged(curve())).toBe(true)
  })
  it('ends at the mean of its last three epochs; the loss before training is none of them', () => {
    expect(finalLoss(curve(2.3, 9, 1, 2, 0.6))).toBeCloseTo(1.2, 12)
    expect(finalLoss(curve(2.3, 1))).toBe(1)
    expect(finalLoss(curve(2.3, null))).toBeNaN()
  })
  it('is as far from another as the mean of their log ratios says, and infinitely from one that diverged', () => {
    expect(curveDistance(curve(1, 1, 1), curve(5, 2, 0.5))).toBeCloseTo(Math.log(2), 12)
    expect(curveDistance(curve(1, 1), curve(1, 1))).toBe(0)
    expect(curveDistance(curve(1, 1), curve(1, null))).toBe(Number.POSITIVE_INFINITY)
  })
  it('has its distance to other seeds over all pairs', () => {
    expect(pairDistance([curve(1, 0.1), curve(1, 0.2), curve(1, 0.4)])).toBeCloseTo((4 * Math.log(2)) / 3, 12)
  })
})

describe('a rise', () => {
  const before = Float32Array.from({ length: 100 }, (_, index) => index % 7)
  it('counts when it exceeds three standard errors of the paired differences', () => {
    // Differences ±1 in turn, shifted: standard error .1.
    const shifted = (shift: number) => before.map((loss, index) => loss + (index % 2 === 0 ? 1 : -1) + shift)
    expect(hasRisen(before, shifted(0.32))).toBe(true)
    expect(hasRisen(before, shifted(0.28))).toBe(false)
    expect(hasRisen(before, shifted(-0.32))).toBe(false)
  })
  it('is none between equal losses or with NaN', () => {
    expect(hasRisen(before, before)).toBe(false)
    expect(hasRisen(before, new Float32Array(100).fill(Number.NaN))).toBe(false)
  })
})

describe('bands of rates', () => {
  it('are the smallest diverging, the largest surviving and the largest smooth rate', () => {
    const risen: Curve = { losses: [2.3, 1, 1.2], risen: [2] }
    const curves = [curve(2.3, 2), risen, curve(2.3, 1), risen, curve(2.3, null)]
    expect(bandsOf(7, [1, 2, 4, 8, 16], curves)).toEqual({
      seed: 7,
      smallestDiverging: 16,
      largestSurviving: 8,
      largestSmooth: 4,
    })
    expect(bandsOf(7, [1], [curve(null)])).toMatchObject({ largestSurviving: null, largestSmooth: null })
  })
})

describe('halving a bracket', () => {
  it('closes in on the rate of divergence on the log scale', async () => {
    const middle = await bracketMiddle({ below: 1, above: 2 }, 6, async (rate) => rate >= 1.3)
    expect(middle).toBeGreaterThan(1.3 / 2 ** (1 / 64))
    expect(middle).toBeLessThan(1.3 * 2 ** (1 / 64))
  })
})
