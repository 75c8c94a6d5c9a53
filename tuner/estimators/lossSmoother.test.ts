import { describe, expect, it } from 'vitest'
import { lossSmoother } from './lossSmoother.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }

describe('lossSmoother', () => {
  it('is the weighted mean that NumPy gives with the weights written out', () => {
    const { step, loss, value } = oracles.lossSmoother
    let state = lossSmoother.init()
    for (const [i, at] of step.entries()) state = lossSmoother.update(state, { step: at, value: loss[i]! })
    // Products of decays against one exponential: rounding only.
    expect(lossSmoother.read(state)).toBeCloseTo(value, 13)
  })

  it('starts at the first sample, not at 0, and keeps a constant', () => {
    let state = lossSmoother.init()
    expect(lossSmoother.read(state)).toBeNull()
    for (let step = 0; step < 1000; step += 7) {
      state = lossSmoother.update(state, { step, value: 2.5 })
      expect(lossSmoother.read(state)).toBeCloseTo(2.5, 14)
    }
  })

  it('leaves out NaN, infinite, repeated and late samples', () => {
    const state = lossSmoother.update(lossSmoother.init(), { step: 5, value: 1 })
    for (const sample of [
      { step: 6, value: Number.NaN },
      { step: 6, value: Number.NEGATIVE_INFINITY },
      { step: 5, value: 2 },
      { step: 4, value: 2 },
    ])
      expect(lossSmoother.update(state, sample)).toBe(state)
  })
})
