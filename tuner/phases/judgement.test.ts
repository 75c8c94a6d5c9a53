// The gain of annealing rests on the noise that the optimizer's own steps are made of.

import { describe, expect, it } from 'vitest'
import type { RunOptions } from '../../protocol/vocabulary.ts'
import { annealingGain } from '../estimators/annealingGain.ts'
import { initialState } from '../fold/start.ts'
import { foldSample, initialSignals, readSignals, type Sample } from '../signals/signals.ts'
import type { TunerState } from '../state.ts'
import { gainOf } from './judgement.ts'

/** Norms of 40 steps: ‖G‖² = 1, trΣ = 32 (batch 32, parts of 8), and in the norm of M⁻¹ a hundred times that. */
function stateOf(optimizer: RunOptions['optimizer'], hasPreconditioned: boolean): TunerState {
  const state = initialState()
  let signals = initialSignals(1_000)
  for (let step = 0; step < 40; step++) {
    const sample: Sample = {
      step,
      loss: 1,
      learningRate: 0.01,
      momentum: 0.9,
      gradientNormSquared: 2,
      microGradientNormSquared: 5,
      preconditionedGradientNormSquared: hasPreconditioned ? 200 : null,
      preconditionedMicroGradientNormSquared: hasPreconditioned ? 500 : null,
      batchSize: 32,
      microBatchSize: 8,
      stepSeconds: 0.01,
      signalSeconds: 0,
    }
    signals = foldSample(signals, sample)
  }
  const seen = { ...state.seen, signals, learningRate: 0.01, momentum: 0.9 }
  return { ...state, options: { ...state.options, optimizer }, seen }
}

const gain = (state: TunerState) => gainOf(state, readSignals(state.seen.signals)).value
const expected = (effectiveLearningRate: number, traceSigma: number) =>
  annealingGain({
    effectiveLearningRate,
    batchSize: 32,
    traceSigma: { value: traceSigma, standardError: 0, count: 5, needed: 5 },
    noiseCurvature: { value: null, standardError: null, count: 0, needed: 1 },
  }).value

describe('the gain of annealing', () => {
  it('is of plain norms at η/(1 − μ) for momentum', () => {
    expect(
      gain(stateOf({ name: 'momentum', family: 'sgd', momentum: 0.9, weightDecay: null }, true)),
    ).toBeCloseTo(expected(0.1, 32)!, 10)
  })
  it('is of preconditioned norms at η for Adam', () => {
    expect(
      gain(stateOf({ name: 'adam', family: 'adam', momentum: 0.9, weightDecay: null }, true)),
    ).toBeCloseTo(expected(0.01, 3_200)!, 10)
  })
  it('has no value for Adam where only plain norms are known', () => {
    expect(
      gain(stateOf({ name: 'adam', family: 'adam', momentum: 0.9, weightDecay: null }, false)),
    ).toBeNull()
  })
})
