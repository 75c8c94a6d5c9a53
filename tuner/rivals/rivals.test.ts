// What all rivals have in common: options that are refused, states that are never changed in place, and a few facts
// that no reference gives.

import { describe, expect, it } from 'vitest'
import { lossSequence } from '../testing/lossSequences.ts'
import { dlibSlope } from './dlibSlope.ts'
import { greedyLimits, greedyLR } from './greedyLR.ts'
import { reduceOnPlateau } from './reduceOnPlateau.ts'
import type { RivalObservation } from './rival.ts'

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const inner of Object.values(value)) frozen(inner)
  }
  return value
}

/** A noisy fall, as steps and as probes by turns. */
const observed: readonly RivalObservation[] = lossSequence({
  kind: 'bend',
  seed: 7,
  count: 400,
  noise: 0.2,
}).flatMap((loss, step): RivalObservation[] => [
  { kind: 'step', step, loss, weightNormSquared: null },
  { kind: 'probe', step: step + 1, heldOutLoss: loss },
])

const initialRate = 0.1
const runs = {
  ReduceLROnPlateau: () =>
    observed.reduce(
      (state, entry) => frozen(reduceOnPlateau.update(state, entry)),
      frozen(reduceOnPlateau.init({ initialRate })),
    ),
  GreedyLR: () =>
    observed.reduce(
      (state, entry) => frozen(greedyLR.update(state, entry)),
      frozen(greedyLR.init({ initialRate })),
    ),
  dlib: () =>
    observed.reduce(
      (state, entry) => frozen(dlibSlope.update(state, entry)),
      frozen(dlibSlope.init({ initialRate, threshold: 50 })),
    ),
}

describe('rivals', () => {
  it.each(Object.entries(runs))('%s changes no state in place, and its state is plain JSON', (_, run) => {
    const state = run()
    expect(state.firstLoweredStep).not.toBeNull()
    expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })

  it('refuse options out of their range, by name and value', () => {
    expect(() => reduceOnPlateau.init({ initialRate: Number.NaN })).toThrow(/initialRate .* got NaN/)
    expect(() => reduceOnPlateau.init({ initialRate, factor: 1 })).toThrow(/factor .* got 1/)
    expect(() => greedyLR.init({ initialRate, patience: -1 })).toThrow(/patience .* got -1/)
    expect(() => dlibSlope.init({ initialRate, threshold: 2 })).toThrow(/threshold .* got 2/)
  })

  it('GreedyLR keeps its published limits where they leave room, and scales them where they do not', () => {
    expect(greedyLimits(0.1)).toEqual({ minRate: 1e-3, maxRate: 1 })
    expect(greedyLimits(3)).toEqual({ minRate: 1e-3, maxRate: 3 })
    expect(greedyLimits(2e-4)).toEqual({ minRate: 2e-5, maxRate: 2e-3 })
  })

  it('GreedyLR begins anew, with its first rate, after 500 lowerings at the least one', () => {
    let state = greedyLR.init({ initialRate, factor: 0.5, patience: 0, minRate: 0.05 })
    const worse = (step: number) => {
      state = greedyLR.update(state, { kind: 'probe', step, heldOutLoss: 1 })
    }
    for (let step = 0; step <= 500; step++) worse(step)
    expect(state).toMatchObject({ learningRate: 0.05, best: 1, firstLoweredStep: 1 })
    worse(501)
    expect(state).toMatchObject({ learningRate: 0.1, best: null, resetLeft: 500, firstLoweredStep: 1 })
  })

  it('dlib stops training once its rate is below the least', () => {
    let state = dlibSlope.init({ initialRate: 2e-5, threshold: 10, dumpAmount: 0 })
    expect(dlibSlope.read(state, 0).isStopped).toBe(false)
    for (let step = 0; step < 10; step++)
      state = dlibSlope.update(state, { kind: 'step', step, loss: 1, weightNormSquared: null })
    expect(dlibSlope.read(state, 10)).toMatchObject({ firstLoweredStep: 10, isStopped: true })
  })
})
