import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CommonLine } from './commonLine.ts'

type Interval = { readonly low: number; readonly high: number }

/** By brute force: some line through two ends passes through all, where any does. */
function isPassable(intervals: readonly Interval[]): boolean {
  const ends = intervals.flatMap(({ low, high }, x) => [
    { x, y: low },
    { x, y: high },
  ])
  return ends.some((a) =>
    ends.some((b) => {
      if (a.x >= b.x) return false
      const slope = (b.y - a.y) / (b.x - a.x)
      return intervals.every(({ low, high }, x) => {
        const y = a.y + slope * (x - a.x)
        return y >= low - 1e-9 && y <= high + 1e-9
      })
    }),
  )
}

const interval = fc.record({ low: fc.integer({ min: -20, max: 20 }), width: fc.integer({ min: 0, max: 12 }) })

test('as many intervals are taken as one line passes through, and the line passes through them', () => {
  fc.assert(
    fc.property(fc.array(interval, { minLength: 2, maxLength: 14 }), (given) => {
      const intervals = given.map(({ low, width }) => ({ low, high: low + width }))
      const common = new CommonLine()
      let count = 0
      while (count < intervals.length && common.add(count, intervals[count]!.low, intervals[count]!.high))
        count++
      expect(isPassable(intervals.slice(0, count))).toBe(true)
      if (count < intervals.length) {
        const narrower = intervals
          .slice(0, count + 1)
          .map(({ low, high }) => ({ low: low + 1e-6, high: high - 1e-6 }))
        expect(narrower.some(({ low, high }) => low > high) || !isPassable(narrower)).toBe(true)
      }
      const { slope, intercept } = common.line()!
      for (const [x, { low, high }] of intervals.slice(0, count).entries()) {
        expect(intercept + slope * x).toBeGreaterThanOrEqual(low - 1e-9)
        expect(intercept + slope * x).toBeLessThanOrEqual(high + 1e-9)
      }
    }),
    { numRuns: 2_000 },
  )
})
