import { expect, test } from 'vitest'
import type { ForecastCalibration } from '../../protocol/vocabulary.ts'
import { calibrationWords } from './forecastsPanel.tsx'

const some: ForecastCalibration = {
  runs: 40,
  count: 31,
  inside: 28,
  below: 2,
  above: 1,
  widthMedian: 0.12,
  bins: [],
}

test('how true promises were is told in one line: how many, which way they missed, how wide they were', () => {
  expect(calibrationWords(some)).toBe(
    'Of 31 final losses that were promised, 28 came true (90 %; 95 % was said); 2 ended below what was promised and 1 above. Half of the intervals span 12 % of the loss or less.',
  )
})

test('a single one, and widths that are not known, are told as what they are', () => {
  const one = { ...some, count: 1, inside: 1, below: 0, above: 0, widthMedian: null }
  expect(calibrationWords(one)).toBe('One final loss was promised, and came true.')
  expect(calibrationWords({ ...one, inside: 0, below: 1 })).toBe(
    'One final loss was promised, and was missed: the run ended below its interval.',
  )
})
