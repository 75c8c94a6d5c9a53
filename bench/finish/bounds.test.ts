// Against the sums of binomial terms with whole numbers of any length (Python, math.comb), crossed by bisection.

import { describe, expect, it } from 'vitest'
import { binomialBounds } from './bounds.ts'

describe('bounds of a share', () => {
  it('are Clopper and Pearson’s', () => {
    const { low, high } = binomialBounds(2, 320)
    expect(low).toBeCloseTo(0.0007578022347, 9)
    expect(high).toBeCloseTo(0.0223935882342, 9)
  })

  it('are one-sided where none or all are hits', () => {
    expect(binomialBounds(0, 320)).toEqual({ low: 0, high: expect.closeTo(1 - 0.05 ** (1 / 320), 9) })
    expect(binomialBounds(30, 30)).toEqual({ low: expect.closeTo(0.05 ** (1 / 30), 9), high: 1 })
  })

  it('refuse more hits than runs', () => {
    expect(() => binomialBounds(3, 2)).toThrow(RangeError)
  })
})
