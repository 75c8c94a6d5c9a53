// Numbers and times as they are written on the page.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatAgo,
  formatChance,
  formatCount,
  formatDuration,
  formatLoss,
  formatMeasured,
  formatNumber,
  formatPlural,
  formatShare,
} from './format.ts'

describe('numbers', () => {
  test.each([
    [0.1, '0.10'],
    [0.5, '0.50'],
    [0.05, '0.05'],
    [0.003, '0.003'],
    [0.32174, '0.322'],
    [0.0001, '0.0001'],
    [0.00005, '5 × 10⁻⁵'],
    [-0.0000123, '−1.23 × 10⁻⁵'],
    [1, '1'],
    [5.2, '5.2'],
    [99.96, '100'],
    [630.4, '630'],
    [1234, '1,230'],
    [131_000, '131,000'],
    [0, '0'],
    [-0.25, '−0.25'],
    [1e18, '1 × 10¹⁸'],
  ])('%s is written %s', (value, text) => {
    expect(formatNumber(value)).toBe(text)
  })

  test('what is missing or not finite is a word, never 0', () => {
    expect(formatNumber(null)).toBe('not measured')
    expect(formatNumber(undefined)).toBe('not measured')
    expect(formatNumber(Number.NaN)).toBe('NaN')
    expect(formatNumber(Number.POSITIVE_INFINITY)).toBe('infinite')
    expect(formatNumber(Number.NEGATIVE_INFINITY)).toBe('−infinite')
  })

  test('a loss keeps its zeros so that a column lines up', () => {
    expect(formatLoss(0.28)).toBe('0.280')
    expect(formatLoss(2.3)).toBe('2.30')
    expect(formatLoss(null)).toBe('not measured')
    expect(formatLoss(Number.NaN)).toBe('NaN')
  })

  test('every finite number has at most 3 significant digits and no e-notation', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }), (value) => {
        const text = formatNumber(value)
        expect(text).not.toMatch(/e/i)
        const digits = text.replace(/ ×.*$/, '').replace(/[^\d]/g, '').replace(/^0+/, '')
        expect(digits.replace(/0+$/, '').length).toBeLessThanOrEqual(3)
      }),
    )
  })
})

describe('a value with its error', () => {
  test('both are written to the digit that the 95 % half width allows', () => {
    expect(formatMeasured(0.0211, 0.0031)).toEqual({ value: '0.021', plusMinus: '0.006' })
    expect(formatMeasured(0.284, 0.002)).toEqual({ value: '0.284', plusMinus: '0.004' })
    expect(formatMeasured(0.0158, 0.0057)).toEqual({ value: '0.016', plusMinus: '0.011' })
    expect(formatMeasured(630, 36)).toEqual({ value: '630', plusMinus: '71' })
  })

  test('the value never gets more than 3 significant digits, however small the error', () => {
    expect(formatMeasured(0.32174, 1e-6).value).toBe('0.322')
  })

  test('an unknown error is left out, a missing value is a word', () => {
    expect(formatMeasured(0.5, null)).toEqual({ value: '0.50', plusMinus: null })
    expect(formatMeasured(null, 0.1)).toEqual({ value: 'not measured', plusMinus: null })
    expect(formatMeasured(0.5, Number.NaN).plusMinus).toBeNull()
    expect(formatMeasured(0, 0.01)).toEqual({ value: '0.00', plusMinus: '0.02' })
  })
})

test('counts are exact and grouped', () => {
  expect(formatCount(1_000_000)).toBe('1,000,000')
  expect(formatPlural(1, 'run')).toBe('1 run')
  expect(formatPlural(2_044, 'decision')).toBe('2,044 decisions')
})

test('shares are percentages of at most two digits', () => {
  expect(formatShare(0.018)).toBe('1.8 %')
  expect(formatShare(0.006)).toBe('0.6 %')
  expect(formatShare(0.4549)).toBe('45 %')
  expect(formatShare(0.00001)).toBe('under 0.1 %')
  expect(formatShare(0)).toBe('0 %')
})

test('a chance is certain only where it is 0 or 1', () => {
  expect([0, 0.001, 0.84, 0.9999, 1].map(formatChance)).toEqual([
    '0 %',
    'under 1 %',
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
