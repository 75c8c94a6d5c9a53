// What stated probabilities are held to.

import { describe, expect, it } from 'vitest'
import { calibrated, fittedCalibration, type ProbabilityCase, reliabilityOf } from './probability.ts'

/** Of every 100 readings at 4 deviations 84 are true, at none 50, at −4 16: Φ of a quarter of them. */
const quartered: ProbabilityCase[] = [
  [4, 84],
  [0, 50],
  [-4, 16],
].flatMap(([deviations, hits]) =>
  Array.from({ length: 100 }, (_, i) => ({ task: 'a', deviations: deviations!, isTrue: i < hits! })),
)

describe('a calibration', () => {
  it('is found again where it is what made the readings', () => {
    expect(fittedCalibration(quartered)).toEqual({ factor: 4, shift: 0 })
  })

  it('divides the deviations and shifts them', () => {
    expect(calibrated({ factor: 4, shift: 0 }, 4)).toBeCloseTo(0.8413, 4)
    expect(calibrated({ factor: 1, shift: -1 }, 1)).toBeCloseTo(0.5, 6)
  })
})

describe('reliability', () => {
  it('sets what was said beside what came true, in five bins', () => {
    const bins = reliabilityOf([
      { p: 0.1, isTrue: false },
      { p: 0.9, isTrue: true },
      { p: 1, isTrue: false },
    ])
    expect(bins.map(({ count }) => count)).toEqual([1, 0, 0, 0, 2])
    expect(bins[4]).toMatchObject({ from: 0.8, to: 1, stated: 0.95, true: 0.5 })
    expect(bins[0]).toMatchObject({ stated: 0.1, true: 0 })
  })
})
