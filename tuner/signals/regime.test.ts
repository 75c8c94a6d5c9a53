import { describe, expect, it } from 'vitest'
import type { LineProbe, RegimeReading, ValleyProbe } from '../../protocol/vocabulary.ts'
import { type BlocksState, blocks } from '../estimators/blocks.ts'
import { type Estimate, noEstimate } from '../estimators/estimator.ts'
import {
  gainShareOf,
  readRegime,
  regimeFit,
  regimeGapOverGain,
  regimeProbesNeeded,
  regimeShareMin,
  shareOf,
} from './regime.ts'
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
const regimeOf = (signals: SignalsState, { isTripped = false, gain = noEstimate(0, 4) } = {}) =>
  readRegime({ signals, reading: readSignals(signals), gain, isTripped })
const logitOf = (index: number | null) => Math.log(index! / (1 - index!))
const widthOf = ({ low, high }: RegimeReading) => logitOf(high) - logitOf(low)
const gainOf = (value: number | null, standardError: number | null = null): Estimate => ({
  value,
  standardError,
  count: 8,
  needed: 4,
})

function blocksAt(loss: number): BlocksState {
  let state = blocks.init(3_000)
  for (let step = 0; step < 300; step++) state = blocks.update(state, { step, value: loss })
  return state
}

describe('the regime', () => {
  it('is unknown below eight probes, and says how many there are', () => {
    const few = regimeOf(probed({ count: regimeProbesNeeded - 1, jump: 0.1, gap: 0.1 }))
    expect(few).toEqual({ name: 'unknown', index: null, low: null, high: null, reason: 'too-few-probes' })
  })

  it('is unknown where nothing says what annealing gains', () => {
    const none = regimeOf(probed({ count: 10, jump: 0.1, gap: null, critical: 0.2 }))
    expect(none).toMatchObject({
      name: 'unknown',
      index: null,
      reason: 'no-gain-measured',
    })
  })

  it('is the logistic function of its input, as computed by hand', () => {
    // Raw losses 1.1, 1, 1.1, …: D = .2 of a mean of 1.05.
    const { intercept, coefficient, centre } = regimeFit
    const logit = intercept + coefficient * (Math.log(0.2 / 1.05) - centre)
    const regime = regimeOf(probed({ count: 10, jump: 0.1, gap: 0.2 }))
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

  it('has a wider interval the less sure the share is', () => {
    const state = { ...probed({ count: 10, jump: 0.1, gap: null }), lossBlocks: blocksAt(1.05) }
    const [sure, doubtful] = [0.01, 0.1].map((error) => regimeOf(state, { gain: gainOf(0.2, error) }))
    expect(sure!.index).toBe(doubtful!.index)
    expect(widthOf(doubtful!)).toBeGreaterThan(2 * widthOf(sure!))
  })

  it('takes the gap where averaged weights are measured, and the gain by gradient noise where they are not', () => {
    const state = { ...probed({ count: 10, jump: 0.1, gap: 0.2 }), lossBlocks: blocksAt(1.05) }
    const share = (signals: SignalsState, gain: Estimate) =>
      gainShareOf({ signals, reading: readSignals(signals), gain }).value
    expect(share(state, gainOf(5))).toBeCloseTo(Math.log(0.2 / 1.05), 9)
    const ungapped = { ...state, gap: initialSignals(3_000).gap }
    // G is as much as D where it is D over the usual ratio of the two.
    expect(share(ungapped, gainOf(0.2 / regimeGapOverGain))).toBeCloseTo(Math.log(0.2 / 1.05), 9)
    expect(share(ungapped, gainOf(null))).toBeNull()
  })

  it('counts a gain of nothing, or below, as the least share, and has none of a loss that is not above 0', () => {
    const least = Math.log(regimeShareMin)
    expect(shareOf(gainOf(0), 1, 1).value).toBe(least)
    expect(shareOf(gainOf(-1, 1e9), 1, 1)).toEqual({ value: least, error: -least })
    expect(shareOf(gainOf(5), 1, 1).value).toBe(0)
    for (const loss of [0, -1, null, Number.NaN]) expect(shareOf(gainOf(1), loss, 1).value).toBeNull()
  })

  it('is unstable after a trip, or where ρ is above 1 at three probes in a row, and keeps its index', () => {
    const calm = probed({ count: 10, jump: 0.1, gap: 0.1, critical: 0.2 })
    expect(regimeOf(calm, { isTripped: true })).toMatchObject({
      name: 'unstable',
      index: regimeOf(calm).index,
    })
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
