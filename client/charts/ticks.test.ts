// Labels of axes over the whole range of losses.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linearScale, logScale } from './scale.ts'
import { linearLabels, logLabel, tickCharactersMax } from './ticks.ts'

test('small, usual and large values each have their form', () => {
  expect(linearLabels([0, 1e-7, 2e-7, 3e-7])).toEqual(['0', '1e-7', '2e-7', '3e-7'])
  expect(linearLabels([2.5e-7, 3e-7])).toEqual(['2.5e-7', '3e-7'])
  expect(linearLabels([0.2, 0.25, 0.3])).toEqual(['0.20', '0.25', '0.30'])
  expect(linearLabels([0, 1000, 2000])).toEqual(['0', '1,000', '2,000'])
  expect(linearLabels([0, 2e6, 4e6])).toEqual(['0', '2M', '4M'])
  expect(linearLabels([-1.5e9, 0, 1.5e9])).toEqual(['-1.5G', '0', '1.5G'])
  expect([1e-9, 0.0005, 0.3, 1000, 30_000, 1e9].map(logLabel)).toEqual([
    '1e-9',
    '0.0005',
    '0.3',
    '1,000',
    '30k',
    '1G',
  ])
})

test('from 1e-9 to 1e9 labels fit the gutter, and neighbours differ', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.double({ min: 0, max: 0.95, noNaN: true }),
      (power, start) => {
        const high = 10 ** power
        const { ticks } = linearScale(start * high, high, 6)
        const labels = ticks.map(({ label }) => label)
        for (const label of labels) expect(label.length).toBeLessThanOrEqual(tickCharactersMax)
        expect(new Set(labels).size).toBe(labels.length)
        expect(labels.length).toBeGreaterThanOrEqual(2)
      },
    ),
  )
})

test('a logarithmic axis has at least two labels, whatever its range, and they fit too', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.double({ min: 0, max: 9, noNaN: true }),
      (power, decades) => {
        const { ticks } = logScale(10 ** power, 10 ** (power + decades), 5)
        const labels = ticks.map(({ label }) => label)
        for (const label of labels) expect(label.length).toBeLessThanOrEqual(tickCharactersMax)
        expect(new Set(labels).size).toBe(labels.length)
        expect(labels.length).toBeGreaterThanOrEqual(2)
      },
    ),
  )
})
