// The forecast of the final loss: its arithmetic, and what it does where losses say little.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type FinalLossInput,
  finalLossFit,
  finalLossOf,
  mergedLoss,
  neverAnnealedFit,
  pastLossOf,
} from './finalLoss.ts'

/** P(S) = 1000/S at every hundredth large step up to 1,000: it has halved since S = 500. */
const falling: FinalLossInput = {
  points: Array.from({ length: 10 }, (_, i) => ({
    runLength: 100 * (i + 1),
    averagedLoss: 1_000 / (100 * (i + 1)),
  })),
  isKept: true,
  ahead: 1_000,
  gap: 0,
  stays: 0,
}
const { decline, floor, curvature, below, above, top } = finalLossFit
const moved = (input: FinalLossInput, change: (loss: number) => number): FinalLossInput => ({
  ...input,
  points: input.points.map(({ runLength, averagedLoss }) => ({
    runLength,
    averagedLoss: change(averagedLoss),
  })),
})

describe('the loss at a run length that is past', () => {
  it('is what averaged weights had there, straight between probes, and meets the forecast at the present', () => {
    expect(pastLossOf({ ...falling, ahead: -450 })).toBeCloseTo((2 + 1_000 / 600) / 2, 12)
    expect(pastLossOf({ ...falling, ahead: 0 })).toBeCloseTo(finalLossOf({ ...falling, ahead: 0 })!.value, 12)
  })

  it('is the lowest up to there where weights are kept', () => {
    const points = falling.points.with(4, { runLength: 500, averagedLoss: 0.9 })
    expect(pastLossOf({ points, isKept: true, ahead: -200 })).toBe(0.9)
    expect(pastLossOf({ points, isKept: false, ahead: -200 })).toBeCloseTo(1_000 / 800, 12)
  })

  it('is nothing before the fourth probe, or without any', () => {
    expect(pastLossOf({ ...falling, ahead: -650 })).toBeNull()
    expect(pastLossOf({ points: [], isKept: true, ahead: -1 })).toBeNull()
  })
})

describe('the forecast of the final loss', () => {
  it('goes on falling by a share of the recent fall, as computed by hand', () => {
    // f = ln 2, and 1,000 more large steps double the length: z = 1.
    const { value, low } = finalLossOf(falling)!
    const spread = floor + Math.LN2 + curvature
    expect(value).toBeCloseTo(2 ** -decline, 12)
    expect(low).toBeCloseTo(2 ** -decline * Math.exp(-below * spread), 12)
  })

  it('lies within its interval, which is wider below than above and widens with what is to come', () => {
    const widths = [0, 100, 1_000, 10_000].map((ahead) => {
      const { value, low, high, standardError } = finalLossOf({ ...falling, ahead, isKept: false })!
      expect(low).toBeLessThan(value)
      expect(high).toBeGreaterThan(value)
      expect(Math.log(value / low)).toBeGreaterThan(Math.log(high / value))
      expect(standardError).toBeCloseTo((high - low) / 3.92, 12)
      return Math.log(high / low)
    })
    expect(widths).toEqual([...widths].sort((a, b) => a - b))
    expect(widths[0]).toBeCloseTo((below + above) * floor, 9)
  })

  it('starts from the lowest loss where those weights are kept, and hardly reaches above it', () => {
    const risen = moved(falling, (loss) => (loss === 1 ? 3 : loss))
    expect(finalLossOf({ ...risen, ahead: 0 })!.value).toBeCloseTo(1_000 / 900, 9)
    expect(finalLossOf({ ...risen, ahead: 0, isKept: false })!.value).toBe(3)
    expect(finalLossOf({ ...risen, ahead: 9_000 })!.high).toBeLessThanOrEqual((1_000 / 900) * Math.exp(top))
  })

  it('is wider below the more an anneal has to take off, and higher by what stays on the weights', () => {
    const known = finalLossOf({ ...falling, gap: 0.2 })!
    expect(known.value).toBe(finalLossOf(falling)!.value)
    expect(known.low).toBeLessThan(finalLossOf(falling)!.low)
    const never = finalLossOf({ ...falling, gap: 0.2, stays: 0.2 }, neverAnnealedFit)!
    expect(never.value).toBeCloseTo(known.value + 0.2, 12)
  })

  it('says nothing of three probes, and of losses not above 0 that have not fallen', () => {
    expect(finalLossOf({ ...falling, points: falling.points.slice(0, 3) })).toBeNull()
    expect(finalLossOf({ ...falling, points: [] })).toBeNull()
    expect(finalLossOf(moved(falling, (loss) => (loss - 5) * 2e307))).toBeNull()
    expect(finalLossOf(moved(falling, () => -1))).toBeNull()
  })

  it('of a positive loss that stands still is that loss', () => {
    const { value, low, high } = finalLossOf(moved(falling, () => 2))!
    expect(value).toBe(2)
    expect(low).toBeGreaterThan(0)
    expect(high).toBeCloseTo(2 * Math.exp(top), 12)
  })

  const losses = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 4, maxLength: 30 })
  const made = (values: readonly number[], ahead: number): FinalLossInput => ({
    points: values.map((averagedLoss, i) => ({ runLength: 10 * (i + 1), averagedLoss })),
    isKept: true,
    ahead,
    gap: 0.1 * values[0]!,
    stays: 0,
  })

  it('is c times itself where every loss is', () => {
    fc.assert(
      fc.property(
        losses,
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.nat(1_000),
        (values, c, ahead) => {
          const [a, b] = [
            finalLossOf(made(values, ahead))!,
            finalLossOf(
              made(
                values.map((v) => c * v),
                ahead,
              ),
            )!,
          ]
          for (const key of ['value', 'low', 'high'] as const) expect(b[key] / c / a[key]).toBeCloseTo(1, 9)
        },
      ),
      { numRuns: 100, seed: 20261128 },
    )
  })

  it('moves with a constant that makes losses negative, and with another one on top of it', () => {
    const negative = moved(falling, (loss) => loss - 20)
    const lower = moved(falling, (loss) => loss - 50)
    const [a, b] = [finalLossOf(negative)!, finalLossOf(lower)!]
    for (const key of ['value', 'low', 'high'] as const) expect(b[key]).toBeCloseTo(a[key] - 30, 9)
    expect(a.low).toBeLessThan(a.value)
    expect(a.value).toBeLessThan(-19)
  })

  it('is finite and in order whatever the losses', () => {
    fc.assert(
      fc.property(
        losses,
        fc.double({ min: -200, max: 10, noNaN: true }),
        fc.nat(100_000),
        (values, shift, ahead) => {
          const forecast = finalLossOf({
            ...made(
              values.map((v) => v + shift),
              ahead,
            ),
            gap: 1,
          })
          if (forecast === null) return
          const { low, value, high } = forecast
          expect([low, value, high].every(Number.isFinite)).toBe(true)
          expect(low).toBeLessThanOrEqual(value)
          expect(value).toBeLessThanOrEqual(high)
        },
      ),
      { numRuns: 200, seed: 20261129 },
    )
  })
})

describe('merged weights', () => {
  it('have what was probed last, give or take what the newest losses deviate by', () => {
    // Second differences of the logarithms: −.2, .2, −.2, .2; their scatter is √(4·.04/(6·4)).
    const zigzag = [9, 0, 0.1, 0, 0.1, 0, 0.1].map(Math.exp)
    const { value, low, high } = mergedLoss(zigzag)!
    const half = 2.1 * (0.01 + Math.sqrt(0.16 / 24))
    expect(value).toBeCloseTo(Math.exp(0.1), 12)
    expect(Math.log(high / value)).toBeCloseTo(half, 9)
    expect(Math.log(value / low)).toBeCloseTo(half, 9)
  })

  it('are not told of three probes, nor beyond the largest number, and may have a loss below 0', () => {
    expect(mergedLoss([1, 1, 1])).toBeNull()
    expect(mergedLoss([1e308, -1e308, 1e308, -1e308])).toBeNull()
    expect(mergedLoss([-1, -1, -1, -1])).toEqual({ value: -1, standardError: 0, low: -1, high: -1 })
  })
})
