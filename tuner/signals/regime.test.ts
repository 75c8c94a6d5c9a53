import { describe, expect, it } from 'vitest'
import type { LineProbe, RegimeName, RegimeReading, ValleyProbe } from '../../protocol/vocabulary.ts'
import { type BlocksState, blocks } from '../estimators/blocks.ts'
import { type Estimate, noEstimate } from '../estimators/estimator.ts'
import { gapSharePower } from '../estimators/gapShare.ts'
import { indexOf, readRegime, regimeGapOverGain, regimeHalfShare, shareOf } from './regime.ts'
import { foldLineProbe, foldValleyProbe, initialSignals, type SignalsState } from './signals.ts'

const rate = 0.1
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

/** Signals after probes whose raw loss is 1, with averaged ones this share below it, give or take. */
function probed(options: {
  readonly count: number
  readonly share: number | null
  readonly scatter?: number
  readonly critical?: number
}): SignalsState {
  const { count, share, scatter = 0, critical } = options
  let state = initialSignals(3_000)
  for (let i = 0; i < count; i++) {
    const own = share === null ? null : 1 - share - (i % 2 === 0 ? scatter : -scatter)
    state = foldValleyProbe(state, valley(i, 1, own), i + 1, rate)
    if (critical !== undefined) state = foldLineProbe(state, line(i, critical), rate)
  }
  return state
}
type Asked = {
  validFromStep?: number
  isTripped?: boolean
  gain?: Estimate
  before?: RegimeName
  learningRate?: number
}
const regimeOf = (signals: SignalsState, asked: Asked = {}): RegimeReading =>
  readRegime({
    signals,
    learningRate: rate,
    gain: noEstimate(0, 4),
    isTripped: false,
    validFromStep: 0,
    before: 'unknown',
    ...asked,
  })
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

describe('the regime index', () => {
  it('is s/(s + half), half where annealing would take off that share, and 0 where it would take off nothing', () => {
    expect(indexOf(regimeHalfShare)).toBe(0.5)
    expect(indexOf(3 * regimeHalfShare)).toBe(0.75)
    expect(indexOf(0)).toBe(0)
    expect(indexOf(-0.1)).toBe(0)
  })

  it('is that of the gap share, with the interval of its error', () => {
    const regime = regimeOf(probed({ count: 10, share: 0.12, scatter: 0.01 }))
    expect(regime.index).toBeCloseTo(0.75, 9)
    expect(regime.low).toBeLessThan(0.75)
    expect(regime.high).toBeGreaterThan(0.75)
    expect(regime.high! - regime.low!).toBeLessThan(0.2)
  })

  it('falls through a half while an anneal lowers the rate, without a probe', () => {
    const signals = probed({ count: 10, share: 0.12, scatter: 0.01 })
    const index = (factor: number) => regimeOf(signals, { learningRate: factor * rate }).index!
    for (const factor of [0.7, 0.5, 0.3, 0.1])
      expect(index(factor)).toBeCloseTo(indexOf(0.12 * factor ** gapSharePower), 9)
    expect(index(0.5)).toBeGreaterThan(0.5)
    expect(index(0.4)).toBeLessThan(0.5)
  })

  it('is unknown below four probes, without a probe, and where nothing says what annealing gains', () => {
    const unknown = { name: 'unknown', index: null, low: null, high: null }
    expect(regimeOf(probed({ count: 3, share: 0.1 }))).toEqual({ ...unknown, reason: 'too-few-probes' })
    expect(regimeOf(initialSignals(3_000))).toEqual({ ...unknown, reason: 'no-probes' })
    expect(regimeOf(probed({ count: 10, share: null, critical: 0.2 }))).toEqual({
      ...unknown,
      reason: 'no-gain-measured',
    })
  })

  it('is that of the gain by gradient noise where averaged weights are not measured', () => {
    const ungapped = { ...probed({ count: 10, share: null }), lossBlocks: blocksAt(2) }
    const gain = gainOf(0.4 / regimeGapOverGain, 0.01)
    expect(shareOf({ signals: ungapped, learningRate: rate, gain }).value).toBeCloseTo(0.2, 9)
    expect(regimeOf(ungapped, { gain }).name).toBe('large-step')
    const measured = { ...probed({ count: 10, share: 0.01 }), lossBlocks: blocksAt(2) }
    expect(shareOf({ signals: measured, learningRate: rate, gain }).value).toBeCloseTo(0.01, 9)
    for (const loss of [0, -1])
      expect(
        shareOf({ signals: { ...ungapped, lossBlocks: blocksAt(loss) }, learningRate: rate, gain }).value,
      ).toBeNull()
  })

  it('is within 0 and 1 whatever is measured: constants, no gap, a negative one', () => {
    for (const share of [0, -0.1, 1e-12, 0.999])
      for (const scatter of [0, 1e-12, 1e6]) {
        const { index, low, high } = regimeOf(probed({ count: 10, share, scatter, critical: 1e-9 }))
        for (const value of [index, low, high]) expect(value! >= 0 && value! <= 1).toBe(true)
      }
  })
})

describe('the name of the regime', () => {
  const doubtful = probed({ count: 10, share: 0.042, scatter: 0.02 })

  it('is a test of the share: large-step clearly above, small-step clearly below', () => {
    expect(regimeOf(probed({ count: 10, share: 0.12, scatter: 0.01 })).name).toBe('large-step')
    expect(regimeOf(probed({ count: 10, share: 0.005, scatter: 0.01 })).name).toBe('small-step')
  })

  it('in doubt stays what it was, and is unknown where it was nothing', () => {
    expect(regimeOf(doubtful)).toMatchObject({ name: 'unknown', reason: 'undecided' })
    expect(regimeOf(doubtful).index).toBeCloseTo(indexOf(0.042), 9)
    for (const before of ['large-step', 'small-step'] as const)
      expect(regimeOf(doubtful, { before })).toMatchObject({ name: before })
    expect(regimeOf(doubtful, { before: 'unstable' }).name).toBe('unknown')
  })

  it('is unstable after a trip, or where ρ is above 1 at three probes in a row, and keeps its index', () => {
    const calm = probed({ count: 10, share: 0.1, critical: 0.2 })
    expect(regimeOf(calm, { isTripped: true })).toMatchObject({
      name: 'unstable',
      index: regimeOf(calm).index,
    })
    expect(regimeOf(probed({ count: 10, share: 0.1, critical: 0.05 })).name).toBe('unstable')
    expect(regimeOf(probed({ count: 3, share: 0.1, critical: 0.05 })).name).toBe('unstable')
    const two = foldLineProbe(foldLineProbe(calm, line(11, 0.05), rate), line(12, 0.05), rate)
    expect(regimeOf(two).name).not.toBe('unstable')
  })

  it('is unknown again once the interval says nothing', () => {
    const lost = probed({ count: 10, share: 0.1, scatter: 2 })
    for (const before of ['large-step', 'small-step'] as const)
      expect(regimeOf(lost, { before })).toMatchObject({ name: 'unknown', reason: 'undecided' })
  })

  it('is unstable where the training loss has given back what was plainly learned, and not where little was', () => {
    const falling = (depth: number) => (step: number) =>
      2.3 - depth * Math.min(1, step / 150) + 0.01 * (step % 3)
    const died = (loss: (step: number) => number) => (step: number) => (step < 250 ? loss(step) : 2.3)
    const named = (loss: (step: number) => number, validFromStep = 0) => {
      let state = probed({ count: 10, share: 0.1, scatter: 0.01 })
      for (let step = 0; step < 300; step++) {
        const lossBlocks = blocks.update(state.lossBlocks, { step, value: loss(step) })
        state = { ...state, lossBlocks, firstLoss: state.firstLoss ?? loss(step) }
      }
      return regimeOf(state, { validFromStep }).name
    }
    expect(named(falling(1.5))).toBe('large-step')
    expect(named(died(falling(1.5)))).toBe('unstable')
    expect(named(died(falling(0.01)))).toBe('large-step')
    // What an arm of the search had learned is not given back by what begins anew.
    expect(named(died(falling(1.5)), 240)).toBe('large-step')
    // Whatever its unit and its level.
    expect(named((step) => 100 * died(falling(1.5))(step) - 400)).toBe('unstable')
  })
})
