import { describe, expect, it } from 'vitest'
import {
  rangeCatapultSteps,
  rangeGrowthMin,
  rangeLossRiseFactor,
  rangeMinimumDescent,
} from '../../constants.ts'
import { batchGradient, eigenvalues, quadraticLoss, stabilityLimit } from '../../testing/noisyQuadratic.ts'
import { foldRangeSample, type RangeOutcome, rangeOutcome, startRangeTest } from './rangeTest.ts'

const growth = 1.06
const fromRate = 1e-5
const stepCount = 240

/** Runs a range test over losses and norms given by step and rate. */
function outcomeOf(
  sampleAt: (step: number, rate: number) => { loss: number | null; gradientNorm: number | null },
): { outcome: RangeOutcome; step: number } {
  let state = startRangeTest({ fromStep: 0, stepCount, fromRate, toRate: fromRate * growth ** stepCount })
  for (let step = 0; step < stepCount; step++) {
    const learningRate = fromRate * growth ** step
    state = foldRangeSample(state, { step, learningRate, ...sampleAt(step, learningRate) })
    const outcome = rangeOutcome(state, step + 1)
    if (outcome.kind !== 'running') return { outcome, step }
  }
  throw new Error('the range test did not end')
}

/** SGD with momentum on a noisy quadratic. */
function quadraticTest({ curvatureMax = 1, momentum = 0.9, traceSigma = 4, seed = 1 }) {
  const problem = { dimensions: 40, curvatureMin: 0.002, curvatureMax, traceSigma, batchSize: 32, floor: 0.2 }
  const h = eigenvalues(problem)
  const [w, v] = [new Float64Array(40).fill(1), new Float64Array(40)]
  return (step: number, rate: number) => {
    const batchSeed = seed * 1_000 + step
    const { gradient, full } = batchGradient(h, w, { traceSigma, batchSize: 32, batchSeed })
    const loss = quadraticLoss(h, w, problem.floor)
    for (let i = 0; i < w.length; i++) {
      v[i] = momentum * v[i]! + gradient[i]!
      w[i]! -= rate * v[i]!
    }
    return { loss, gradientNorm: Math.sqrt(full) }
  }
}

const still = (loss: number) => ({ loss, gradientNorm: null })

describe('the range test', () => {
  // SGD diverges beyond the limit, and is seen to when the loss has grown by a third: the rate has moved on by
  // then, by up to a factor of 1.06^20 ≈ 3. With much noise the loss rises before the limit is reached.
  it.each([
    { curvatureMax: 1, momentum: 0, traceSigma: 0.1 },
    { curvatureMax: 1, momentum: 0.9, traceSigma: 0.1 },
    { curvatureMax: 30, momentum: 0.9, traceSigma: 0.1 },
    { curvatureMax: 0.5, momentum: 0, traceSigma: 4 },
    { curvatureMax: 4, momentum: 0.5, traceSigma: 4 },
  ])('finds the divergence rate of a quadratic within a factor of 3: %o', (problem) => {
    const limit = stabilityLimit(problem.curvatureMax, problem.momentum)
    for (const seed of [1, 2, 3]) {
      const { outcome } = outcomeOf(quadraticTest({ ...problem, seed }))
      expect(outcome.kind).toBe('found')
      if (outcome.kind !== 'found') return
      expect(outcome.divergenceRate / limit).toBeGreaterThan(1 / 3)
      expect(outcome.divergenceRate / limit).toBeLessThan(3)
    }
  })

  it('says no-divergence with the last rate where the loss only falls', () => {
    const { outcome, step } = outcomeOf((at) => still(1 / (1 + at)))
    expect(outcome).toEqual({ kind: 'no-divergence', largestRate: fromRate * growth ** stepCount })
    expect(step).toBe(stepCount - 1)
  })

  it('says no-descent where the loss rises without having fallen', () => {
    const { outcome } = outcomeOf((step) => still(step < 100 ? 2 : 2 * 1.05 ** (step - 100)))
    expect(outcome.kind).toBe('no-descent')
  })

  it('asks for a fall of a stated share before it calls a rise a measurement', () => {
    const kindAfter = (share: number) =>
      outcomeOf((step) => still(step < 60 ? 2 : step < 100 ? 2 * (1 - share) : 4)).outcome.kind
    expect(kindAfter(rangeMinimumDescent * 1.2)).toBe('found')
    expect(kindAfter(rangeMinimumDescent * 0.8)).toBe('no-descent')
  })

  it('ends at the fifth loss in a row that is not finite, without a descent if it began so', () => {
    const atOnce = outcomeOf(() => still(Number.NaN))
    expect(atOnce.step).toBe(4)
    expect(atOnce.outcome).toMatchObject({
      kind: 'no-descent',
      sign: 'the loss was not finite at 5 steps in a row',
    })
    const later = outcomeOf((step) => still(step < 50 ? 2 - step / 50 : Number.POSITIVE_INFINITY))
    expect(later.step).toBe(54)
    expect(later.outcome).toMatchObject({ kind: 'found', divergenceRate: fromRate * growth ** 54 })
  })

  it('is not ended by four such losses, however often they come', () => {
    const { outcome } = outcomeOf((step) => still(step % 5 === 0 ? 1 / (1 + step) : Number.NaN))
    expect(outcome.kind).toBe('no-divergence')
  })

  it('reports the rate of the step at which the smoothed loss passes its limit, to the step', () => {
    // Smoothed with a time constant of 5 steps, a jump to x passes 1.3 at 1 + (x − 1)(1 − e^(−n/5)) > 1.3:
    // for x = 2 that is n = 2. The fall before it must have settled.
    const { outcome, step } = outcomeOf((at) => still(at === 0 ? 1.2 : at < 100 ? 1 : 2))
    // The rise is waited for before it is called a divergence, and then named by its first step.
    expect(step).toBe(101 + rangeCatapultSteps)
    expect(outcome).toMatchObject({
      kind: 'found',
      divergenceRate: fromRate * growth ** 101,
      sign: `the smoothed loss rose to ${rangeLossRiseFactor} times its best`,
    })
  })

  it('takes a rise that comes back within its patience for a catapult, and one that does not, or goes far, for a divergence', () => {
    const rise = (steps: number, to: number) =>
      outcomeOf((at) => still(at === 0 ? 1.2 : at >= 100 && at < 100 + steps ? to : 1))
    expect(rise(rangeCatapultSteps - 10, 2).outcome.kind).toBe('no-divergence')
    expect(rise(rangeCatapultSteps + 10, 2).outcome.kind).toBe('found')
    const far = rise(30, 10)
    expect(far.outcome).toMatchObject({ kind: 'found', divergenceRate: fromRate * growth ** 100 })
    expect(far.step).toBeLessThan(104)
  })

  it('takes a rise that the range ends in for a divergence', () => {
    const { outcome, step } = outcomeOf((at) => still(at === 0 ? 1.2 : at < stepCount - 20 ? 1 : 2))
    expect(step).toBe(stepCount - 1)
    expect(outcome.kind).toBe('found')
  })

  it('takes a gradient norm far above its mean at five of ten steps for a sign, and one such step not', () => {
    const norms = (isHigh: (step: number) => boolean) =>
      outcomeOf((step) => ({ loss: 2 - step / 200, gradientNorm: isHigh(step) ? 9 : 1 + (step % 3) / 10 }))
    expect(norms((step) => step >= 60)).toMatchObject({ step: 64, outcome: { kind: 'found' } })
    expect(norms((step) => step % 3 === 0 && step >= 60).outcome.kind).toBe('no-divergence')
  })

  it('judges losses below 0 by their size: a multiple of a negative loss is no rise', () => {
    expect(outcomeOf((step) => still(-1 - step / 100)).outcome.kind).toBe('no-divergence')
    expect(outcomeOf((step) => still(step < 100 ? -1 - step / 100 : -0.5)).outcome.kind).toBe('found')
    expect(outcomeOf((step) => still(step < 100 ? -1 : 0)).outcome.kind).toBe('no-descent')
  })

  it('leaves samples outside its steps, and after its end, alone', () => {
    const state = startRangeTest({ fromStep: 10, stepCount: 20, fromRate: 1e-3, toRate: 1 })
    const sample = { learningRate: 0.1, loss: 1, gradientNorm: 1 }
    expect(foldRangeSample(state, { ...sample, step: 9 })).toBe(state)
    expect(foldRangeSample(state, { ...sample, step: 30 })).toBe(state)
    expect(rangeOutcome(state, 29)).toEqual({ kind: 'running' })
    expect(rangeOutcome(state, 30)).toEqual({ kind: 'no-divergence', largestRate: 1 })
  })

  it('refuses a range that is none', () => {
    const good = { fromStep: 0, stepCount: 10, fromRate: 1e-3, toRate: 1 }
    expect(() => startRangeTest({ ...good, stepCount: 0 })).toThrow('stepCount must be at least 1, got 0')
    expect(() => startRangeTest({ ...good, toRate: 1e-4 })).toThrow(
      'toRate must be above fromRate 0.001 > 0, got 0.0001',
    )
    expect(rangeGrowthMin).toBeGreaterThan(1)
  })
})
