// What goes onto the charts.

import { expect, test } from 'vitest'
import { gainPoints } from './charts.ts'

const named = (points: ReturnType<typeof gainPoints>) =>
  Object.fromEntries(points.map(({ signal, value }) => [signal, value]))

test('each side of the switch rule is charted with its standard error', () => {
  const points = gainPoints(40, {
    annealingGain: { value: 0.011, standardError: 0.002 },
    stayingGain: { value: 0.02, standardError: 0.004 },
  })
  expect(named(points)).toEqual({
    annealingGain: 0.011,
    annealingGainError: 0.002,
    stayingGain: 0.02,
    stayingGainError: 0.004,
  })
  expect(points.every(({ step }) => step === 40)).toBe(true)
})

test('a side that is not known has no error either, and an error that is not known is left out', () => {
  const points = gainPoints(40, {
    annealingGain: { value: null, standardError: 0.1 },
    stayingGain: { value: 0.02, standardError: null },
  })
  expect(named(points)).toEqual({ stayingGain: 0.02 })
  expect(gainPoints(40, { annealingGain: null, stayingGain: null })).toEqual([])
})
