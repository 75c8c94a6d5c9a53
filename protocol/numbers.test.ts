import { describe, expect, it } from 'vitest'
import { formatNumber, formatPair, formatPercent, formatPlural, formatRate, formatStep } from './numbers.ts'

describe('a number in a sentence', () => {
  it.each([
    [0, '0'],
    [0.0213, '0.0213'],
    [0.021345, '0.0213'],
    [12.345, '12.3'],
    [-0.5, '-0.5'],
    [999.4, '999'],
    [1000, '1,000'],
    [12_345.6, '12,346'],
    [-1_234, '-1,234'],
    [0.0001, '0.0001'],
    [0.00001, '1e-5'],
    [0.0000123, '1.2e-5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('has at most three significant digits, and no e above 0.0001: %d is "%s"', (value, text) => {
    expect(formatNumber(value)).toBe(text)
  })
})

describe('a learning rate', () => {
  it.each([
    [0.1, '0.1'],
    [0.0377, '0.038'],
    [0.0123, '0.0123'],
    [0.01234, '0.0123'],
    [1.377, '1.38'],
    [3, '3'],
    [1e-5, '1e-5'],
    [2.345e-6, '2.3e-6'],
    [0, '0'],
    [Number.NaN, 'NaN'],
  ])('has two digits, three where the first is 1: %d is "%s"', (rate, text) => {
    expect(formatRate(rate)).toBe(text)
  })
})

describe('a step', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1,000'],
    [1_234_567, '1,234,567'],
    [-1_500, '-1,500'],
    [12.6, '13'],
  ])('has its thousands separated by a comma: %d is "%s"', (step, text) => {
    expect(formatStep(step)).toBe(text)
  })
})

describe('a share', () => {
  it.each([
    [0, '0 %'],
    [0.0182, '1.8 %'],
    [0.5, '50 %'],
    [1, '100 %'],
  ])('is a percentage of two digits: %d is "%s"', (share, text) => {
    expect(formatPercent(share)).toBe(text)
  })
  it('has more digits where they are asked for', () => {
    expect(formatPercent(0.97834, 4)).toBe('97.83 %')
  })
})

describe('two values to compare', () => {
  it.each([
    [0.021, 0.013, '0.021 vs 0.013'],
    [0.0213, 0.0134, '0.021 vs 0.013'],
    [0.02149, 0.02051, '0.0215 vs 0.0205'],
    [0.02, 0.02, '0.02 vs 0.02'],
    [12.3, 45.6, '12 vs 46'],
    [0.5, 0.0004, '0.5 vs 0'],
    [-0.3, 0.2, '-0.3 vs 0.2'],
    [0, 0, '0 vs 0'],
    [3e-6, 2e-6, '3e-6 vs 2e-6'],
    [12_345, 2_345, '12,345 vs 2,345'],
    [Number.NaN, 1, 'NaN vs 1'],
  ])('have as many decimals as tell them apart, and no more: %d and %d are "%s"', (a, b, text) => {
    expect(formatPair(a, b)).toBe(text)
  })
})

describe('a count of things', () => {
  it.each([
    [1, '1 step'],
    [0, '0 steps'],
    [12_000, '12,000 steps'],
  ])('has its noun in the plural unless it is one: %d is "%s"', (count, text) => {
    expect(formatPlural(count, 'step')).toBe(text)
  })
})
