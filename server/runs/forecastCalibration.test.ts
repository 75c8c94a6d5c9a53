// What is told of the promises of finished runs.

import { describe, expect, it } from 'vitest'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { calibrationOf } from './forecastCalibration.ts'

const promised = (low: number, high: number, reached: number | null): Pick<RunSummary, 'forecast'> => ({
  forecast: {
    value: (low + high) / 2,
    standardError: (high - low) / 3.92,
    low,
    high,
    reached,
    isInside: reached === null ? null : low <= reached && reached <= high,
  },
})

describe('the calibration of forecasts', () => {
  it('counts what came true, what lay below and above, and how wide the intervals were', () => {
    const runs = [
      promised(0.98, 1.02, 1),
      promised(0.9, 1.1, 1),
      promised(0.9, 1.1, 0.8),
      promised(0.9, 1.1, 2),
      promised(0.1, 1.9, 1),
    ]
    expect(calibrationOf(runs)).toEqual({
      runs: 5,
      count: 5,
      inside: 3,
      below: 1,
      above: 1,
      widthMedian: expect.closeTo(0.2, 12),
      bins: [
        { from: 0, count: 1, inside: 1 },
        { from: 0.05, count: 1, inside: 0 },
        { from: 0.15, count: 2, inside: 1 },
        { from: 0.5, count: 1, inside: 1 },
      ],
    })
  })

  it('leaves out runs that were promised nothing, or whose outcome is not known, and says so', () => {
    const none = calibrationOf([{ forecast: null }, promised(0.9, 1.1, null)])
    expect(none).toMatchObject({ runs: 2, count: 0, inside: 0, below: 0, above: 0, widthMedian: null })
  })

  it('tells a loss of exactly 0, over which no width is known', () => {
    expect(calibrationOf([promised(-1, 1, 0)])).toMatchObject({ count: 1, inside: 1, widthMedian: null })
  })
})
