import { describe, expect, it } from 'vitest'
import { pchip } from './pchip.ts'

const xs = [0.1, 0.2, 0.4, 0.6, 0.8, 0.9]
const ys = [3.12, 3.105, 3.0945, 3.0974, 3.1039, 3.1092]

describe('pchip', () => {
  // scipy 1.17.1: PchipInterpolator(xs, ys)(x).
  it.each([
    [0.1, 3.12],
    [0.15, 3.1112459239130437],
    [0.25, 3.1010482336956517],
    [0.3, 3.097695652173913],
    [0.5, 3.095448670212766],
    [0.55, 3.096382878989362],
    [0.7, 3.1001164499474476],
    [0.85, 3.1063195232532266],
  ])('at %f is what scipy says', (x, y) => {
    expect(pchip(xs, ys, x)).toBeCloseTo(y, 12)
  })

  it('goes through its points, and is level outside of them', () => {
    for (const [i, x] of xs.entries()) expect(pchip(xs, ys, x)).toBeCloseTo(ys[i]!, 14)
    expect([pchip(xs, ys, 0), pchip(xs, ys, 1)]).toEqual([ys[0], ys.at(-1)])
  })

  it('never leaves the range of its two neighbours', () => {
    const [steps, values] = [
      [0, 1, 2, 3],
      [0, 0, 5, 5],
    ]
    for (let x = 0; x <= 3; x += 0.01) {
      const value = pchip(steps, values, x)
      expect(value).toBeGreaterThanOrEqual(-1e-12)
      // Rounding of one sum.
      expect(value).toBeLessThanOrEqual(5 + 1e-12)
      if (x <= 1) expect(value).toBe(0)
    }
  })

  it('of two points is a straight line; of one there is none', () => {
    expect(pchip([0, 2], [1, 5], 0.5)).toBeCloseTo(2, 14)
    expect(() => pchip([0], [1], 0)).toThrow(RangeError)
  })
})
