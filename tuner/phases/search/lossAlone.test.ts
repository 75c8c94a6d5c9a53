// The race of a job that can go back and take its data back, and has no averaged weights.

import { describe, expect, it } from 'vitest'
import type { Capability } from '../../../protocol/vocabulary.ts'
import { largeRateOf } from '../../state.ts'
import { stabilityLimit } from '../../testing/noisyQuadratic.ts'
import {
  reasonsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const job = (capabilities: readonly Capability[], more: Partial<SyntheticOptions> = {}): SyntheticResult =>
  syntheticRun({ seed: 1, budgetSteps: 2_000, capabilities, ...more })
const lossAlone: readonly Capability[] = ['checkpoint', 'rewind']
const rateOf = ({ state }: SyntheticResult) => largeRateOf(state.course)!

describe('a race by training losses', () => {
  it.each([3e-4, 1e-3])('finds a better rate than %f, and ends lower than without a race', (learningRate) => {
    const raced = job(lossAlone, { learningRate })
    const left = job([], { learningRate })
    expect(reasonsOf(raced)).toContain('rate-found')
    expect(rateOf(raced)).toBeGreaterThan(2 * learningRate)
    expect(rateOf(raced)).toBeLessThan(stabilityLimit(1, 0.9) / 2)
    expect(raced.finalLoss).toBeLessThan(left.finalLoss)
  })

  it('asks for no probe, and takes at most its share of the budget', () => {
    const { asked, state, learningRates } = job(lossAlone, { learningRate: 0.003 })
    expect(asked.filter(({ kind }) => kind === 'probe')).toEqual([])
    const large = state.phases.find(({ phase }) => phase === 'large')!
    expect(large.fromStep).toBeLessThanOrEqual(500)
    // Each arm is measured at rate 0.
    expect(learningRates.slice(0, large.fromStep).filter((rate) => rate === 0).length).toBeGreaterThan(20)
  })

  it('is decided alike however its reports are batched', () => {
    const rates = [1, 7, 20].map((batchSteps) => rateOf(job(lossAlone, { learningRate: 0.003, batchSteps })))
    expect(new Set(rates).size).toBe(1)
  })

  it('is not run where batches cannot be taken back: noise would decide', () => {
    const { decisions } = job(['checkpoint'], { learningRate: 0.003 })
    expect(decisions[0]?.reason.key).toBe('start-given')
  })

  it('is run where held-out losses are those of the weights alone', () => {
    const { decisions } = job(['checkpoint', 'rewind', 'heldOutLoss'], { learningRate: 0.003 })
    expect(decisions[0]?.reason.key).toBe('start-race')
  })
})
