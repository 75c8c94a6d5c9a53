import { describe, expect, it } from 'vitest'
import { openAnnealSteps } from './openAnneal.ts'

describe('the length of an anneal without a budget', () => {
  const at = { step: 10_000, scale: 3, tolerancePerStep: 0.001 }

  it('is 2b/p at the border, and half of that where going on gains nothing', () => {
    expect(openAnnealSteps({ ...at, slope: 0.001 })).toBe(6_000)
    expect(openAnnealSteps({ ...at, slope: 0 })).toBe(3_000)
    expect(openAnnealSteps({ ...at, slope: -1 })).toBe(3_000)
    expect(openAnnealSteps({ ...at, slope: 0.002 })).toBe(3_000)
  })

  it('is a tenth of the steps so far to all of them, and two at least', () => {
    expect(openAnnealSteps({ ...at, slope: 1 })).toBe(1_000)
    expect(openAnnealSteps({ ...at, scale: 1_000, slope: 0 })).toBe(10_000)
    expect(openAnnealSteps({ ...at, step: 0, slope: 0 })).toBe(2)
  })
})
