// A figure is told with its bound, and a bound that is not met is said.

import { expect, test } from 'vitest'
import { type Check, checks, isMet, quantilesOf, table } from './thresholds.ts'

const check = (bound: Check['bound']): Check => ({ part: 'list', figure: 'x', words: 'x', unit: '', bound })

test('a bound holds at its own value only where it says so, and never for what is no number', () => {
  expect(isMet(check(['<', 5]), 5)).toBe(false)
  expect(isMet(check(['≤', 5]), 5)).toBe(true)
  expect(isMet(check(['≥', 5]), 5)).toBe(true)
  expect(isMet(check(['≥', 5]), Number.NaN)).toBe(false)
  expect(isMet(check('told'), 1e9)).toBe(true)
})

test('the table has a row for each figure that was measured, with its verdict', () => {
  const text = table(new Map([['first', { loopbackMsP50: 612.4, loopbackMsMax: 700, slow4gMsP50: 1_400 }]]))
  const rows = text.split('\n').slice(2)
  expect(rows).toEqual([
    '| first | first chart with numbers, loopback, median | 612 ms | < 500 ms | **missed** |',
    '| first | … worst | 700 ms |  |  |',
    '| first | first chart with numbers, slow 4G, median | 1400 ms | < 1,500 ms | met |',
  ])
})

test('quantiles are named as the checks ask for them', () => {
  const figures = quantilesOf('pixel', [3, 1, 2])
  expect(figures).toMatchObject({ pixelMsP50: 2, pixelMsMax: 3 })
  const asked = checks.filter(({ part }) => part === 'pixel').map(({ figure }) => figure)
  expect(Object.keys(figures)).toEqual(expect.arrayContaining(asked))
})
