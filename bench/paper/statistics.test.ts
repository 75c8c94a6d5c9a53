import { describe, expect, it } from 'vitest'
import { intervalText, meanInterval, medianRate, ratioInterval } from './statistics.ts'

describe('a mean over seeds', () => {
  it("has Student's interval", () => {
    // By hand: mean 3, s² = 2.5, t(.975, 4) = 2.7764: 3 ± 2.7764·√.5.
    const { mean, low, high } = meanInterval([1, 2, 3, 4, 5])
    expect(mean).toBe(3)
    expect(high - 3).toBeCloseTo(2.7764 * Math.sqrt(0.5), 10)
    expect(3 - low).toBeCloseTo(high - 3, 10)
  })
  it('of one value has no interval, of equal values one of no width', () => {
    expect(meanInterval([2])).toEqual({ mean: 2, low: Number.NaN, high: Number.NaN, count: 1, failures: 0 })
    expect(intervalText(meanInterval([2]))).toBe('2.00')
    expect(intervalText(meanInterval([2, 2]))).toBe('2.00 [2.00, 2.00]')
  })
  it('with a seed that failed is not defined, and says how many failed', () => {
    const interval = meanInterval([1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(interval.mean).toBeNaN()
    expect(intervalText(interval)).toBe('not defined (2 of 3 failed)')
    expect(interval.low > 0).toBe(false)
  })
  it('of none or too many values is refused', () => {
    expect(() => meanInterval([])).toThrow('values must be 1 to 11 numbers, got 0')
    expect(() => meanInterval(new Array(12).fill(1))).toThrow(RangeError)
  })
})

describe('a mean of ratios', () => {
  it('treats a ratio and its inverse alike', () => {
    const { mean, low, high } = ratioInterval([2, 0.5])
    expect(mean).toBeCloseTo(1, 12)
    expect(low * high).toBeCloseTo(1, 10)
  })
  it('with an infinite or zero ratio is not defined', () => {
    expect(ratioInterval([1, 0]).failures).toBe(1)
    expect(ratioInterval([1, Number.POSITIVE_INFINITY]).failures).toBe(1)
  })
})

describe('a median rate', () => {
  it('is the middle one, or the geometric mean of two', () => {
    expect(medianRate([0.4, 0.1, 0.2])).toBe(0.2)
    expect(medianRate([0.1, 0.4])).toBeCloseTo(0.2, 12)
    expect(() => medianRate([])).toThrow('rates must hold at least one rate, got none')
  })
})
