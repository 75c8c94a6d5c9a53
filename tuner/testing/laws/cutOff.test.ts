// A job that is cut off trains on by itself: it follows the last plan that it heard, and its reports arrive when
// it is back. Wherever that happens, the run comes out well, and the record says what happened.

import { describe, expect, it } from 'vitest'
import { tripwireNonFiniteMax } from '../../../protocol/plan.ts'
import { largeRateOf, switchStepOf } from '../../state.ts'
import {
  decisionsOf,
  movesOf,
  reasonsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../syntheticRun.ts'

const budgetSteps = 2_000
const never = 1_000_000
/** Of SGD with momentum, from which the race begins. */
const usual = 0.03

const cutOff = (fromStep: number, toStep: number, options: Partial<SyntheticOptions> = {}): SyntheticResult =>
  syntheticRun({ seed: 1, budgetSteps, cutOff: { fromStep, toStep }, ...options })

/** No step is lost or doubled. */
function expectWhole(run: SyntheticResult, steps = budgetSteps): void {
  const reported = run.log.flatMap((entry) => (entry.kind === 'samples' ? entry.columns.step : []))
  expect(reported).toEqual(Array.from({ length: steps }, (_, step) => step))
  const bad = Object.values(run.state.seen.signals.badSamples)
  expect(bad.reduce((sum, count) => sum + count, 0)).toBe(0)
}

const uncut = syntheticRun({ seed: 1, budgetSteps })

describe('cut off in an arm of the race', () => {
  it('for a few steps, the race goes on where the job is', () => {
    const run = cutOff(75, 90)
    expectWhole(run)
    expect(reasonsOf(run)).toContain('rate-found')
    expect(reasonsOf(run)).not.toContain('search-left')
    expect(run.keptLoss).toBeLessThan(1.1 * uncut.keptLoss)
  })

  it('for much longer than the arm, its present weights go on at the rate that the search began from', () => {
    const run = cutOff(75, 600)
    expectWhole(run)
    const [cut] = run.decisions.filter(({ reason }) => reason.key === 'search-left')
    expect(cut?.reason.values.rate).toBe(usual)
    expect(largeRateOf(run.state.course)).toBe(usual)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('for half of the run, it trains at no rate above that one, and ends annealed', () => {
    const run = cutOff(30, 900)
    expectWhole(run)
    expect(reasonsOf(run)).toContain('search-left')
    expect(Math.max(...run.learningRates)).toBeLessThanOrEqual(usual)
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
    expect(run.state.lifecycle).toBe('finished')
  })

  it.each([30, 75])('for good from step %i on, it has followed its plan to the end, annealed', (fromStep) => {
    const run = cutOff(fromStep, never)
    expectWhole(run)
    expect(Math.max(...run.learningRates.slice(80))).toBeLessThanOrEqual(usual)
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
    expect(run.keptLoss).toBeLessThan(1.3 * uncut.keptLoss)
    expect(run.state.course.kind).toBe('anneal')
  })
})

describe('cut off in the large phase', () => {
  const steady = {
    learningRate: 0.02,
    traceSigma: 1,
    capabilities: ['microBatchNorms', 'heldOutLoss'],
  } as const

  it('until after the anneal that the plan has, it is met in it', () => {
    const run = cutOff(900, 1_900, steady)
    expectWhole(run)
    expect(run.state.lifecycle).toBe('finished')
    // The rate never climbs once its plan has begun to anneal: the tuner has switched as well.
    const large = run.learningRates.lastIndexOf(0.02)
    expect(large).toBeGreaterThan(900)
    expect(large).toBeLessThan(1_900)
    const falling = run.learningRates.slice(large)
    expect(falling).toEqual(falling.toSorted((a, b) => b - a))
    expect(switchStepOf(run.state.course)).toBe(large)
  })

  it('to the end, it ends annealed, and the log that catches up is decided in order', () => {
    const run = cutOff(500, never, steady)
    expectWhole(run)
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
    expect(run.decisions.map(({ number }) => number)).toEqual(run.decisions.map((_, i) => i + 1))
    expect(run.state.course.kind).not.toBe('large')
  })

  it('with the loss alone, it anneals by the fallback plan at three quarters as if it had been heard', () => {
    const lossOnly = { learningRate: 0.02, capabilities: [] }
    const [cut, heard] = [cutOff(300, 1_500, lossOnly), syntheticRun({ seed: 1, budgetSteps, ...lossOnly })]
    expect(movesOf(cut)).toEqual(movesOf(heard))
    expect(cut.learningRates).toEqual(heard.learningRates)
    expect(movesOf(cut)).toEqual(['switch at 1500: anneal-fallback-blind', 'finish at 2000: annealed'])
    expect(switchStepOf(cut.state.course)).toBe(1_500)
  })
})

describe('cut off across the end', () => {
  it.each([2_100, never])('the job waits at rate 0 and is finished when it is back (step %i)', (toStep) => {
    const run = cutOff(1_950, toStep, { stepCount: 2_200 })
    expect(run.state).toMatchObject({ lifecycle: 'finished', course: { kind: 'done' } })
    expect(decisionsOf(run, 'finish')[0]).toMatchObject({ step: budgetSteps })
    expect(new Set(run.learningRates.slice(budgetSteps))).toEqual(new Set([0]))
    expect(run.keptLoss).toBe(uncut.keptLoss)
  })
})

describe('cut off while it diverges', () => {
  it('it falls to the tripwire’s rate by itself, and the guard meets it when it is back', () => {
    const isStorm = (step: number) => step >= 1_000 && step < 1_010
    const run = cutOff(990, 1_200, {
      learningRate: 0.02,
      traceSigma: 0.05,
      capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe'],
      reportedLoss: (step, loss) => (isStorm(step) ? Number.NaN : loss),
    })
    // Tripped at the fifth loss that is not finite: a tenth of the rate from the next step on.
    const tripped = 1_000 + tripwireNonFiniteMax
    expect(run.learningRates[tripped - 1]).toBe(0.02)
    expect(new Set(run.learningRates.slice(tripped, 1_200))).toEqual(new Set([0.002]))
    expect(movesOf(run)).toContain(`guard at ${tripped}: non-finite-loss`)
    expect(run.state.trajectory.awaited).toBeNull()
    expect(run.learningRates[1_300]).toBe(0.02)
    expect(run.state.lifecycle).toBe('finished')
  })
})
