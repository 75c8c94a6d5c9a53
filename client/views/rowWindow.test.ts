import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowsInView, wholeRowsMax } from './rowWindow.ts'

test('a short table is drawn whole, a long one where it is seen and a little beyond', () => {
  expect(rowsInView({ count: wholeRowsMax, rowPx: 64, topPx: -9_000, heightPx: 640 })).toEqual({
    from: 0,
    to: wholeRowsMax,
  })
  expect(rowsInView({ count: 100, rowPx: 64, more: true, topPx: 0, heightPx: 640 })).toEqual({
    from: 0,
    to: 14,
  })
  expect(rowsInView({ count: 10_000, rowPx: 64, topPx: 128, heightPx: 640 })).toEqual({ from: 0, to: 12 })
  expect(rowsInView({ count: 10_000, rowPx: 64, topPx: -64_000, heightPx: 640 })).toEqual({
    from: 996,
    to: 1_014,
  })
  expect(rowsInView({ count: 200, rowPx: 64, topPx: -1e6, heightPx: 640 })).toEqual({ from: 199, to: 200 })
})

test('whatever is in view is drawn, and never more than the view and its edges', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 101, max: 20_000 }),
      fc.integer({ min: -1e6, max: 2_000 }),
      (count, topPx) => {
        const { from, to } = rowsInView({ count, rowPx: 64, topPx, heightPx: 900 })
        for (const row of [0, Math.floor(count / 2), count - 1]) {
          const top = topPx + row * 64
          if (top < 900 && top + 64 > 0) expect(row >= from && row < to).toBe(true)
        }
        expect(to - from).toBeGreaterThan(0)
        expect(to - from).toBeLessThanOrEqual(Math.ceil(900 / 64) + 1 + 2 * 4)
      },
    ),
  )
})
