import { describe, expect, it } from 'vitest'
import type { LineProbe, ValleyProbe } from '../../protocol/vocabulary.ts'
import { regimeCoefficients, regimeProbesNeeded } from '../constants.ts'
import { readRegime } from './regime.ts'
import { foldLineProbe, foldValleyProbe, initialSignals, readSignals, type SignalsState } from './signals.ts'

const valley = (step: number, raw: number, averaged: number | null): ValleyProbe => ({
  kind: 'valley',
  step,
  set: 'held-out',
  examples: 512,
  seconds: 0.1,
  raw: { loss: raw },
  averaged: averaged === null ? [] : [{ windowSteps: 10, loss: averaged }],
})
const line = (step: number, criticalLearningRate: number): LineProbe => ({
  kind: 'line',
  step,
  seconds: 0.1,
  criticalLearningRate,
  curvature: 1,
})

/** Signals after probes whose raw loss jumps by ±jump, with the averaged loss a gap below, at ρ = .1/critical. */
function probed(options: {
  count: number
  jump: number
  gap: number | null
  critical?: number
}): SignalsState {
  let state = initialSignals(3_000)
  for (let i = 0; i < options.count; i++) {
    const raw = 1 + (i % 2 === 0 ? options.jump : 0)
    state = foldValleyProbe(state, valley(i, raw, options.gap === null ? null : raw - options.gap), i + 1)
    if (options.critical !== undefined) state = foldLineProbe(state, line(i, options.critical), 0.1)
  }
  return state
}
const regimeOf = (state: SignalsState, isTripped = false) => readRegime(state, readSignals(state), isTripped)

describe('the regime', () => {
  it('is unknown below eight probes, and says how many there are', () => {
    const few = regimeOf(probed({ count: regimeProbesNeeded - 1, jump: 0.1, gap: 0.1 }))
    expect(few).toEqual({ name: 'unknown', index: null, low: null, high: null, reason: '7 of 8 probes' })
  })

  it('is unknown where fewer than two inputs are measured', () => {
    const one = regimeOf(probed({ count: 10, jump: 0.1, gap: null }))
    expect(one).toMatchObject({ name: 'unknown', index: null, reason: '1 of 2 inputs are measured' })
  })

  it('is the logistic function of its inputs, as computed by hand', () => {
    // Raw losses 1.1, 1, 1.1, …: first differences ±.1, so σ = .1/√2; D = .2; half of the probes rise (4 of 9).
    const state = probed({ count: 10, jump: 0.1, gap: 0.2, critical: 0.2 })
    const c = regimeCoefficients
    const logit =
      c.intercept +
      c.gapOverScatter * Math.log(0.2 / (0.1 / Math.SQRT2)) +
      c.rateRatio * 0.5 +
      (c.shareRisen * 4) / 9
    const regime = regimeOf(state)
    expect(regime.index).toBeCloseTo(1 / (1 + Math.exp(-logit)), 9)
    expect(regime.name).toBe('large-step')
    expect(regime.low).toBeLessThan(regime.index!)
    expect(regime.high).toBeGreaterThan(regime.index!)
  })

  it('is small-step where averaging takes nothing off and the rate is far below the critical one', () => {
    const regime = regimeOf(probed({ count: 10, jump: 0.1, gap: 0.002, critical: 10 }))
    expect(regime.name).toBe('small-step')
    expect(regime.index).toBeLessThan(0.2)
  })

  it('has a wider interval the less is measured', () => {
    const width = ({ low, high }: { low: number | null; high: number | null }) =>
      Math.log(high! / (1 - high!)) - Math.log(low! / (1 - low!))
    const three = regimeOf(probed({ count: 10, jump: 0.1, gap: 0.1, critical: 0.2 }))
    const two = regimeOf(probed({ count: 10, jump: 0.1, gap: 0.1 }))
    expect(width(two)).toBeGreaterThan(width(three))
  })

  it('is unstable after a trip, or where ρ is above 1 at three probes in a row, and keeps its index', () => {
    const calm = probed({ count: 10, jump: 0.1, gap: 0.1, critical: 0.2 })
    expect(regimeOf(calm, true)).toMatchObject({ name: 'unstable', index: regimeOf(calm).index })
    const wild = probed({ count: 10, jump: 0.1, gap: 0.1, critical: 0.05 })
    expect(regimeOf(wild).name).toBe('unstable')
    expect(regimeOf(probed({ count: 3, jump: 0.1, gap: 0.1, critical: 0.05 })).name).toBe('unstable')
    const two = foldLineProbe(foldLineProbe(calm, line(11, 0.05), 0.1), line(12, 0.05), 0.1)
    expect(regimeOf(two).name).not.toBe('unstable')
  })

  it('has a finite index whatever the inputs are: constants, no gap, a negative one', () => {
    for (const gap of [0, -0.1, 1e-12, 1e6])
      for (const jump of [0, 1e-12, 1e6]) {
        const { index, low, high } = regimeOf(probed({ count: 10, jump, gap, critical: 1e-9 }))
        for (const value of [index, low, high])
          if (value !== null) expect(value >= 0 && value <= 1).toBe(true)
      }
  })
})
