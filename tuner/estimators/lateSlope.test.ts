import { describe, expect, it } from 'vitest'
import { normals, random } from '../testing/random.ts'
import { latePointsNeeded, lateSlope } from './lateSlope.ts'

const points = (count: number, lossAt: (runLength: number) => number, ratio = 1.05) =>
  Array.from({ length: count }, (_, i) => 100 * ratio ** i).map((runLength) => ({
    runLength,
    averagedLoss: lossAt(runLength),
    count: 1,
  }))

describe('the slope over the last half of a run', () => {
  it('is that of a straight line in the logarithm of the steps', () => {
    const slope = lateSlope(points(40, (s) => 7 - 0.3 * Math.log(s)))
    expect(slope.value).toBeCloseTo(0.3, 10)
    expect(slope.standardError).toBeCloseTo(0, 6)
    expect(slope.count).toBe(15)
  })

  it('does not know what was before that half', () => {
    const late = (s: number) => (s < 250 ? 50 - s / 10 : 1 - 0.01 * Math.log(s))
    expect(lateSlope(points(40, late)).value).toBeCloseTo(0.01, 10)
  })

  it('is negative where the loss rises', () => {
    expect(lateSlope(points(40, (s) => 0.2 * Math.log(s))).value).toBeCloseTo(-0.2, 10)
  })

  it('has no value for fewer than eight points there', () => {
    expect(lateSlope(points(40, () => 1, 1.2))).toMatchObject({
      value: null,
      count: 4,
      needed: latePointsNeeded,
    })
    expect(lateSlope([]).value).toBeNull()
  })

  it('keeps under a shift of the loss, and has its unit', () => {
    const wave = (s: number) => 1 / s + 0.01 * Math.sin(s)
    const plain = lateSlope(points(40, wave))
    const moved = lateSlope(points(40, (s) => 3 * wave(s) - 8))
    expect(moved.value).toBeCloseTo(3 * plain.value!, 10)
    expect(moved.standardError).toBeCloseTo(3 * plain.standardError!, 10)
  })

  it('has an error that covers the truth, of independent noise', () => {
    let inside = 0
    for (let seed = 1; seed <= 200; seed++) {
      const noise = normals(random(seed))
      const { value, standardError } = lateSlope(points(60, (s) => 2 - 0.1 * Math.log(s) + 0.02 * noise()))
      if (Math.abs(value! - 0.1) <= 1.96 * standardError!) inside++
    }
    expect(inside).toBeGreaterThanOrEqual(180)
  })
})
