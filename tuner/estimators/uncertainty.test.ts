import { describe, expect, it } from 'vitest'
import { mean, meanEstimate, medianEstimate, pseudoMedianEstimate, smallSampleFactor } from './uncertainty.ts'

describe('mean', () => {
  it('does not overflow where the sum would', () => {
    expect(mean([1.7e308, 1.7e308])).toBe(1.7e308)
    expect(mean([])).toBe(0)
  })
})

describe('meanEstimate', () => {
  it('has no value below what is needed, and says how much that is', () => {
    expect(meanEstimate([1, 2, 3], 4)).toEqual({ value: null, standardError: null, count: 3, needed: 4 })
  })
  it('is certain of a constant', () => {
    expect(meanEstimate([2, 2, 2, 2], 4)).toEqual({ value: 2, standardError: 0, count: 4, needed: 4 })
  })
  it('does not know an error that overflows', () => {
    expect(meanEstimate([1e308, -1e308, 1e308, -1e308], 4).standardError).toBeNull()
  })
})

describe('medianEstimate', () => {
  it('tells one value at once but no error before four', () => {
    expect(medianEstimate([], 1)).toEqual({ value: null, standardError: null, count: 0, needed: 1 })
    expect(medianEstimate([5], 1)).toEqual({ value: 5, standardError: null, count: 1, needed: 1 })
    expect(medianEstimate([5, 7, 6], 1)).toEqual({ value: 6, standardError: null, count: 3, needed: 1 })
    expect(medianEstimate([5, 7, 6, 8], 1).standardError).toBeGreaterThan(0)
  })
  it('is not moved by an outlier', () => {
    const plain = medianEstimate([1, 2, 3, 4, 5, 6, 7], 1)
    expect(medianEstimate([1, 2, 3, 4, 5, 6, 7e9], 1)).toEqual(plain)
  })
  it('leaves its argument as it was', () => {
    const values = [3, 1, 2]
    medianEstimate(values, 1)
    expect(values).toEqual([3, 1, 2])
  })
})

describe('smallSampleFactor', () => {
  it("is the standard deviation of Student's t", () => {
    expect(smallSampleFactor(3)).toBeCloseTo(Math.sqrt(3), 12)
    expect(smallSampleFactor(1e9)).toBeCloseTo(1, 6)
  })
})

describe('pseudoMedianEstimate', () => {
  it('is the median of the means of all pairs, each value with itself among them, as by hand', () => {
    // Of 1, 2, 4: 1, 1.5, 2.5, 2, 3, 4.
    expect(pseudoMedianEstimate([1, 2, 4], 1)).toEqual({
      value: 2.25,
      standardError: null,
      count: 3,
      needed: 1,
    })
  })
  it('is untouched by an outlier in size, and has the error of the median times √⅔', () => {
    const [plain, wild] = [7, 7e9].map((last) => [1, 2, 3, 4, 5, 6, last])
    expect(pseudoMedianEstimate(wild!, 1)).toEqual(pseudoMedianEstimate(plain!, 1))
    const ofMedian = medianEstimate(plain!, 1).standardError!
    expect(pseudoMedianEstimate(plain!, 1).standardError).toBeCloseTo(ofMedian * Math.sqrt(2 / 3), 12)
  })
  it('has no value below what is needed, and no scatter for a constant', () => {
    expect(pseudoMedianEstimate([1, 2, 3], 4).value).toBeNull()
    expect(pseudoMedianEstimate([2, 2, 2, 2], 4)).toMatchObject({ value: 2, standardError: 0 })
  })
})
