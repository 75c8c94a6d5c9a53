import fc from 'fast-check'
import { median, medianAbsoluteDeviation } from 'simple-statistics'
import { expect, it } from 'vitest'
import { createWindow, medianDeviationOf, medianOf } from './middle.ts'

const finite = fc.double({ noNaN: true, min: -1e100, max: 1e100 }).map((value) => value + 0)
const few = fc.constantFrom(0, 1, -1, 0.1, 0.2)

it('is the median of simple-statistics, to the last bit, and its absolute deviation', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(finite, few), { minLength: 1, maxLength: 80 }), (values) => {
      const before = [...values]
      expect(medianOf(values)).toBe(median([...values]))
      expect(medianDeviationOf(values)).toBe(medianAbsoluteDeviation([...values]))
      expect(values).toEqual(before)
    }),
    { numRuns: 2_000 },
  )
})

it('has no value where there are none', () => {
  expect(medianOf([])).toBeNaN()
})

it('of a window that moves on is that of its list, whatever was asked before', () => {
  const size = fc.integer({ min: 1, max: 70 })
  const entries = fc.array(fc.oneof(finite, few, fc.constant(-0)), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(entries, size, fc.nat(), (values, most, jumpAt) => {
      const window = createWindow()
      let list: number[] = []
      values.forEach((value, i) => {
        list = i === jumpAt % values.length ? [value] : [...list, value].slice(-most)
        expect(Object.is(window.medianOf(list), medianOf(list))).toBe(true)
        expect(Object.is(window.medianDeviationOf(list), medianDeviationOf(list))).toBe(true)
      })
    }),
    { numRuns: 300 },
  )
})
