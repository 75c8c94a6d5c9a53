// What is shown for what is asked.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { panned, rangeStepsMin, shownRange, tidied, zoomed } from './ranges.ts'

const whole = { from: 0, to: 6000 }

describe('a range', () => {
  test('stays inside the run, in whole steps, and is null where it is all of it', () => {
    expect(tidied({ from: 10.4, to: 99.2 }, whole)).toEqual({ from: 10, to: 99 })
    expect(tidied({ from: 30.7, to: 119.7 }, whole)).toEqual({ from: 31, to: 120 })
    expect(tidied({ from: -50, to: 50 }, whole)).toEqual({ from: 0, to: 100 })
    expect(tidied({ from: 5990, to: 6200 }, whole)).toEqual({ from: 5790, to: 6000 })
    expect(tidied({ from: 40, to: 41 }, whole)).toEqual({ from: 40, to: 50 })
    expect(tidied({ from: -10, to: 7000 }, whole)).toBeNull()
  })

  test('is stretched about a step that stays, and moved up to the ends', () => {
    const closer = zoomed({ from: 1000, to: 2000 }, 1250, 0.5)
    expect(closer).toEqual({ from: 1125, to: 1625 })
    expect(panned({ from: 1000, to: 2000 }, 0.25, whole)).toEqual({ from: 1250, to: 2250 })
    expect(panned({ from: 1000, to: 2000 }, -9, whole)).toEqual({ from: 0, to: 1000 })
    expect(panned({ from: 1000, to: 2000 }, 9, whole)).toEqual({ from: 5000, to: 6000 })
  })

  test('whatever is asked, what is shown lies in the run', () => {
    const step = fc.double({ min: -1e13, max: 1e13 })
    fc.assert(
      fc.property(step, step, (from, to) => {
        const { range } = shownRange({ from, to }, null, whole, 3000)
        if (range === null) return
        expect(range.from).toBeGreaterThanOrEqual(whole.from)
        expect(range.to).toBeLessThanOrEqual(whole.to)
        expect(range.to - range.from).toBeGreaterThanOrEqual(rangeStepsMin)
      }),
    )
  })
})

describe('nonsense in the address is mended with a word', () => {
  test('the wrong way round, beyond the run, no numbers', () => {
    expect(shownRange({ from: 900, to: 300 }, null, whole, 3000)).toEqual({
      range: { from: 300, to: 900 },
      words: 'The address has its range the wrong way round: steps 300 to 900 are shown.',
    })
    expect(shownRange({ from: 7000, to: 9000 }, null, whole, 3000).words).toMatch(
      /which this run does not have/,
    )
    expect(shownRange({ from: Number.NaN, to: 9 }, null, whole, 3000).words).toMatch(/not two whole numbers/)
    expect(shownRange({ from: 100, to: 1e12 }, null, whole, 3000)).toEqual({
      range: { from: 100, to: 6000 },
      words: null,
    })
  })

  test('the last steps follow the run', () => {
    expect(shownRange(null, 500, whole, 3000)).toEqual({ range: { from: 2500, to: 3000 }, words: null })
    expect(shownRange(null, 500, whole, 3100).range).toEqual({ from: 2600, to: 3100 })
    expect(shownRange(null, 500, whole, 100).range).toEqual({ from: 0, to: 500 })
    expect(shownRange(null, null, whole, 3000).range).toBeNull()
  })
})
