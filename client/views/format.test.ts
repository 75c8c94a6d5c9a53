// Numbers and times as they are written on the page.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatNumber, formatPair, formatRate } from '../../protocol/numbers.ts'
import { formatAgo, formatChance, formatDuration, formatKnown, formatMeasured } from './format.ts'

test('what is missing is a word, never 0', () => {
  expect(formatKnown(null)).toBe('not measured')
  expect(formatKnown(undefined, formatRate)).toBe('not measured')
  expect(formatKnown(0)).toBe('0')
  expect(formatKnown(0.0313, formatRate)).toBe('0.031')
})

describe('a value with its error', () => {
  test('both are written to the digit that the 95 % half width allows', () => {
    expect(formatMeasured(0.0211, 0.0031)).toEqual({ value: '0.021', plusMinus: '0.006' })
    expect(formatMeasured(0.284, 0.002)).toEqual({ value: '0.284', plusMinus: '0.004' })
    expect(formatMeasured(0.0158, 0.0057)).toEqual({ value: '0.016', plusMinus: '0.011' })
    expect(formatMeasured(630, 36)).toEqual({ value: '630', plusMinus: '71' })
    expect(formatMeasured(0.3, 0.0025)).toEqual({ value: '0.300', plusMinus: '0.005' })
    expect(formatMeasured(-0.25, 0.01)).toEqual({ value: '-0.25', plusMinus: '0.02' })
    expect(formatMeasured(-1.2e-5, 2.5e-5)).toEqual({ value: '-1.2e-5', plusMinus: '4.9e-5' })
  })

  test('the value keeps two significant digits, however large the error, as in the sentence beside it', () => {
    expect(formatMeasured(0.0266, 0.0102)).toEqual({ value: '0.027', plusMinus: '0.020' })
    expect(formatMeasured(0.0331, 0.036)).toEqual({ value: '0.033', plusMinus: '0.071' })
    expect(formatPair(0.0266, 0.0331)).toBe('0.027 vs 0.033')
    expect(formatMeasured(5.02, 1)).toEqual({ value: '5.0', plusMinus: '2.0' })
  })

  test('the value never gets more than 3 significant digits, however small the error', () => {
    expect(formatMeasured(0.32174, 1e-6).value).toBe('0.322')
  })

  test('without a known error the value is written as everywhere', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(formatMeasured(value, null)).toEqual({ value: formatNumber(value), plusMinus: null })
        expect(formatMeasured(value, Number.NaN, formatRate).value).toBe(formatRate(value))
      }),
    )
    expect(formatMeasured(null, 0.1)).toEqual({ value: 'not measured', plusMinus: null })
    expect(formatMeasured(0, 0.01)).toEqual({ value: '0.00', plusMinus: '0.02' })
  })
})

test('a chance is certain only where it is 0 or 1', () => {
  expect([0, 0.001, 0.84, 0.9999, 1].map(formatChance)).toEqual([
    '0 %',
    '0.1 %',
    '84 %',
    'over 99 %',
    '100 %',
  ])
})

test('times are words', () => {
  expect(formatDuration(40)).toBe('40 s')
  expect(formatDuration(540)).toBe('9 min')
  expect(formatDuration(7500)).toBe('2 h 5 min')
  expect(formatDuration(250_000)).toBe('3 days')
  expect(formatDuration(-5)).toBe('0 s')
  const now = Date.parse('2025-01-02T00:00:00Z')
  expect(formatAgo('2025-01-01T23:59:58Z', now)).toBe('now')
  expect(formatAgo('2025-01-01T23:56:00Z', now)).toBe('4 min ago')
  expect(formatAgo('2025-01-01T21:50:00Z', now)).toBe('2 h ago')
  expect(formatAgo('2025-01-01T00:00:00Z', now)).toBe('1 day ago')
  expect(formatAgo('never', now)).toBe('at an unknown time')
})
