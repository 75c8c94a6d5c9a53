// Scales and their ticks.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  extremesOf,
  fittedRange,
  linearScale,
  logScale,
  logTicks,
  niceDistance,
  niceValues,
  positionOn,
  quantileOf,
} from './scale.ts'

const labels = (ticks: readonly { label: string }[]) => ticks.map(({ label }) => label)

describe('logarithmic ticks', () => {
  test('powers of ten where there are enough', () => {
    expect(labels(logTicks(0.005, 0.5, 3))).toEqual(['0.01', '0.1'])
    expect(labels(logTicks(40, 1500, 3))).toEqual(['100', '300', '1,000'])
    expect(labels(logTicks(0.05, 2, 5))).toEqual(['0.1', '0.3', '1'])
    expect(labels(logTicks(1e-6, 0.3, 3))).toEqual(['1e-5', '0.001', '0.1'])
  })

  test('within one decade 1, 2 and 5 times a power', () => {
    expect(labels(logTicks(90, 700, 4))).toEqual(['100', '200', '500'])
  })

  test('no range, no ticks', () => {
    expect(logTicks(0, 1, 4)).toEqual([])
    expect(logTicks(2, 1, 4)).toEqual([])
    expect(logTicks(1, Number.POSITIVE_INFINITY, 4)).toEqual([])
  })

  test('ticks lie inside, in order, and are no more than asked for', () => {
    const exponent = fc.double({ min: -12, max: 12, noNaN: true })
    fc.assert(
      fc.property(
        exponent,
        fc.double({ min: 0.01, max: 12, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        (start, decades, most) => {
          const [low, high] = [10 ** start, 10 ** (start + decades)]
          const values = logTicks(low, high, most).map(({ value }) => value)
          expect(values.length).toBeLessThanOrEqual(most)
          expect(values).toEqual([...values].sort((a, b) => a - b))
          for (const value of values)
            expect(value >= low * (1 - 1e-6) && value <= high * (1 + 1e-6)).toBe(true)
        },
      ),
    )
  })
})

describe('positions', () => {
  test('0 and less have no place on a logarithmic scale, unknown has none at all', () => {
    const scale = logScale(0.01, 1, 3)
    expect(positionOn(scale, 0)).toBeNull()
    expect(positionOn(scale, -1)).toBeNull()
    expect(positionOn(scale, null)).toBeNull()
    expect(positionOn(scale, Number.NaN)).toBeNull()
    expect(positionOn(scale, 0.1)).toBeCloseTo(0.5)
  })

  test('a constant and an empty range still make a scale', () => {
    const constant = linearScale(3, 3, 5)
    expect(constant.low).toBeLessThan(3)
    expect(constant.high).toBeGreaterThan(3)
    expect(linearScale(Number.NaN, Number.NaN, 5).high).toBeGreaterThan(1)
    expect(logScale(0, 0, 3).low).toBeGreaterThan(0)
    expect(labels(linearScale(0.26, 0.6, 5).ticks)).toEqual(['0.3', '0.4', '0.5', '0.6'])
  })
})

test('the fitted range leaves out a start or a search that is high, and keeps a course that is usual', () => {
  const falling = Array.from({ length: 1000 }, (_, i) => 0.2 + 2.1 * Math.exp(-i / 100))
  expect(fittedRange(falling)![1]).toBeLessThan(0.6)
  const race = Array.from({ length: 1000 }, (_, i) => (i < 300 ? 1e5 : 2 - i / 1000))
  expect(fittedRange(race)![1]).toBeLessThan(6)
  const even = Array.from({ length: 1000 }, (_, i) => 3 - i / 500)
  expect(fittedRange(even)).toEqual([even.at(-1), 3])
  expect(fittedRange([2, 2, 2])).toEqual([2, 2])
  expect(fittedRange([null])).toBeNull()
})

test('nice values are round and inside', () => {
  expect(niceValues(0, 6000, 8)).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000])
  expect(niceValues(5, 5, 4)).toEqual([])
  expect(niceDistance(0.3)).toBe(0.5)
  expect(niceDistance(1)).toBe(1)
})

test('extremes and quantiles leave out what is not finite', () => {
  expect(extremesOf([1, null, Number.NaN], [-2, Number.POSITIVE_INFINITY])).toEqual([-2, 1])
  expect(extremesOf([], [null])).toBeNull()
  expect(quantileOf([3, 1, null, 2], 0.5)).toBe(2)
  expect(quantileOf([null], 0.5)).toBeNull()
})
