// The race of a job that can go back and reports its training loss alone, or evaluates without averaged weights.

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
  it.each([1e-3, 0.003])(
    'finds a better rate than %f, and ends lower than without a race',
    (learningRate) => {
      const raced = job(lossAlone, { learningRate })
      const left = job([], { learningRate })
      expect(reasonsOf(raced)).toContain('rate-found')
      expect(rateOf(raced)).toBeGreaterThan(2 * learningRate)
      expect(rateOf(raced)).toBeLessThan(stabilityLimit(1, 0.9) / 2)
      expect(raced.finalLoss).toBeLessThan(left.finalLoss)
    },
  )

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

  it('keeps the rate where the batches are others and noise covers the difference', () => {
    const noisy = job(['checkpoint'], { learningRate: 0.02, traceSigma: 400 })
    expect([0.02, 0.01]).toContainEqual(expect.closeTo(rateOf(noisy), 2))
  })
})

it('an arm without averaged weights comes down before its probe', () => {
  const { asked, learningRates, log } = job(['checkpoint', 'rewind', 'heldOutLoss'], { learningRate: 0.003 })
  const [first] = asked.filter(({ kind }) => kind === 'probe')
  expect(first).toBeDefined()
  expect(learningRates[first!.atStep! - 1]).toBeLessThan(
    0.2 * Math.max(...learningRates.slice(0, first!.atStep!)),
  )
  expect(log.some(({ kind }) => kind === 'probe')).toBe(true)
})
