import { describe, expect, it } from 'vitest'
import { lossSmoother } from '../estimators/lossSmoother.ts'
import { chartPoint } from './charts.ts'
import {
  foldSample,
  foldValleyProbe,
  freshSignals,
  initialSignals,
  readSignals,
  rebudgetedSignals,
  type Sample,
  signalsBackTo,
} from './signals.ts'

const sample = (step: number, change: Partial<Sample> = {}): Sample => ({
  step,
  loss: 1,
  learningRate: 0.1,
  momentum: 0.9,
  gradientNormSquared: null,
  microGradientNormSquared: null,
  preconditionedGradientNormSquared: null,
  preconditionedMicroGradientNormSquared: null,
  batchSize: 32,
  microBatchSize: 8,
  stepSeconds: 0.01,
  signalSeconds: 0.001,
  ...change,
})

const valley = (step: number, raw: number, averaged: number) =>
  ({
    kind: 'valley',
    step,
    set: 'held-out',
    examples: 512,
    seconds: 0.5,
    raw: { loss: raw },
    averaged: [{ windowSteps: 10, loss: averaged }],
  }) as const

describe('signals', () => {
  it('leave losses out that are not finite', () => {
    let state = initialSignals(null)
    for (let step = 0; step < 100; step++)
      state = foldSample(state, sample(step, { loss: step % 10 === 0 ? Number.NaN : 2 }))
    expect(lossSmoother.read(state.smoother)).toBeCloseTo(2, 12)
    expect(state.lossBlocks.blocks.every(({ mean, count }) => mean === 2 && count === 9)).toBe(true)
  })

  it('give a loss that is not reported to no estimator', () => {
    const state = foldSample(initialSignals(null), sample(0, { loss: null }))
    expect(lossSmoother.read(state.smoother)).toBeNull()
  })

  it('find trΣ from the norms of the batch and its micro-batches', () => {
    let state = initialSignals(null)
    // ‖G‖² = 1, trΣ = 32: g_B = 1 + 32/32, g_b = 1 + 32/8.
    for (let step = 0; step < 40; step++)
      state = foldSample(state, sample(step, { gradientNormSquared: 2, microGradientNormSquared: 5 }))
    const { traceSigma, noiseScale } = readSignals(state)
    expect(traceSigma.value).toBeCloseTo(32, 9)
    expect(noiseScale.value).toBeCloseTo(32, 9)
  })

  it('keep the last sixteen probes of each kind, finite ones only', () => {
    let state = initialSignals(null)
    for (let i = 1; i <= 30; i++) state = foldValleyProbe(state, valley(i, i, i / 2), i)
    state = foldValleyProbe(state, valley(31, Number.NaN, Number.POSITIVE_INFINITY), 31)
    expect(state.probeLosses).toEqual(Array.from({ length: 16 }, (_, i) => i + 15))
    expect(state.averagedLosses).toEqual(Array.from({ length: 16 }, (_, i) => (i + 15) / 2))
    expect(state.valley.count).toBe(30)
  })

  it('take the raw loss for P where there are no averaged weights', () => {
    const state = foldValleyProbe(initialSignals(null), { ...valley(1, 3, 0), averaged: [] }, 1)
    expect(state.averagedLosses).toEqual([3])
    expect(readSignals(state).gap.value).toBeNull()
  })

  it('begin afresh at other weights: facts about the job stay, signals of the weights go', () => {
    let state = initialSignals(3_000)
    for (let step = 0; step < 40; step++)
      state = foldSample(state, sample(step, { gradientNormSquared: 2, microGradientNormSquared: 5 }))
    state = foldValleyProbe(state, valley(40, 2, 1), 40)
    const fresh = freshSignals(state)
    expect(lossSmoother.read(fresh.smoother)).toBeNull()
    expect(fresh.lossBlocks).toBe(state.lossBlocks)
    expect(fresh.cost).toBe(state.cost)
    expect(fresh.badSamples).toBe(state.badSamples)
    expect([fresh.firstLoss, fresh.firstCount]).toEqual([1, 10])
    expect([fresh.batchSize, fresh.probeSeconds]).toEqual([32, [0.5]])
    expect([fresh.valley.count, fresh.probeLosses.length, fresh.noise.trace.length]).toEqual([0, 0, 0])
    expect(readSignals(fresh).gap.value).toBeNull()
  })

  it('remember the mean of the first ten losses, and of no later one', () => {
    let state = initialSignals(null)
    for (let step = 0; step < 50; step++)
      state = foldSample(state, sample(step, { loss: step === 3 ? Number.NaN : step }))
    // 0, 1, 2, 4, …, 10: 52 over ten.
    expect(state.firstLoss).toBeCloseTo(5.2, 12)
  })

  it('go back with a run that goes on from an earlier step: blocks beyond it are another life’s', () => {
    let state = initialSignals(1_000)
    for (let step = 0; step < 200; step++) state = foldSample(state, sample(step, { loss: step }))
    state = foldValleyProbe(state, valley(200, 2, 1), 200)
    const back = signalsBackTo(state, 95)
    expect(back.lossBlocks.blocks.map((block) => block.step)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80])
    expect(back.valley.count).toBe(0)
    const again = foldSample(back, sample(95, { loss: 7 }))
    expect(again.lossBlocks).not.toBe(back.lossBlocks)
    expect(again.cost).not.toBe(back.cost)
  })

  it('lose nothing under another budget', () => {
    let state = initialSignals(1_000)
    for (let step = 0; step < 800; step++) state = foldSample(state, sample(step, { loss: step }))
    const longer = rebudgetedSignals(state, 20_000)
    const total = (blocks: typeof state.lossBlocks) =>
      blocks.blocks.reduce(
        (sum, { mean, count }) => sum + mean * count,
        blocks.currentMean * blocks.currentCount,
      )
    expect(longer.lossBlocks.blockSteps).toBeGreaterThanOrEqual(100)
    expect(total(longer.lossBlocks)).toBeCloseTo(total(state.lossBlocks), 6)
  })

  it('are charted where they have a finite value, and nowhere else', () => {
    expect(chartPoint('averagedGap', 7, { value: 0.1, standardError: 0.01 })).toEqual([
      { signal: 'averagedGap', step: 7, value: 0.1, standardError: 0.01 },
    ])
    expect(chartPoint('probeLoss', 7, 2)).toEqual([
      { signal: 'probeLoss', step: 7, value: 2, standardError: null },
    ])
    for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY])
      expect(chartPoint('probeLoss', 7, value)).toEqual([])
  })
})
