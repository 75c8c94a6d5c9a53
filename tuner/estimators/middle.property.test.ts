import fc from 'fast-check'
import { median, medianAbsoluteDeviation } from 'simple-statistics'
import { expect, it } from 'vitest'
import { medianDeviationOf, medianOf } from './middle.ts'

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
