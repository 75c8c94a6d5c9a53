import { describe, expect, it } from 'vitest'
import { fittedRateSteps, rateStepsShare } from './rateSteps.ts'
import type { Setting } from './truth.ts'

const shares = [0.1, 0.2, 0.4, 0.6, 0.8, 0.9]
/** Losses whose lowest share is .1 ln(rate × length). */
function setting(rate: number, length: number): Setting {
  const best = 0.1 * Math.log(rate * length)
  // f − best · ln f has its minimum at best, and is of the smooth curve's form.
  return { rate, length, shares, losses: shares.map((share) => 3 + share - best * Math.log(share)) }
}

describe('the share by rate × steps', () => {
  const fit = fittedRateSteps([setting(0.001, 20_000), setting(0.01, 10_000), setting(0.001, 400_000)])

  it('is a line in the logarithm through the best shares', () => {
    // The best share is looked for on a grid of 201.
    expect(fit.c).toBeCloseTo(0.1, 2)
    expect(fit.a).toBeCloseTo(0, 2)
    expect(rateStepsShare(fit, 0.002, 50_000)).toBeCloseTo(0.1 * Math.log(100), 2)
  })

  it('stays between a tenth and nine tenths', () => {
    expect(rateStepsShare(fit, 1e-6, 10)).toBe(0.1)
    expect(rateStepsShare(fit, 1, 1e9)).toBe(0.9)
  })

  it('is not fitted to one setting', () => {
    expect(() => fittedRateSteps([setting(0.001, 20_000)])).toThrow(RangeError)
  })
})
