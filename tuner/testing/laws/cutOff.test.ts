// A job that is cut off trains on by itself: it follows the last plan that it heard, and its reports arrive when
// it is back. Wherever that happens, the run comes out well, and the record says what happened.

import { describe, expect, it } from 'vitest'
import { guardNonFiniteMax } from '../../constants.ts'
import { decisionsOf, type SyntheticOptions, type SyntheticResult, syntheticRun } from '../syntheticRun.ts'

const budgetSteps = 2_000
const never = 1_000_000

const cutOff = (fromStep: number, toStep: number, options: Partial<SyntheticOptions> = {}): SyntheticResult =>
  syntheticRun({ seed: 1, budgetSteps, cutOff: { fromStep, toStep }, ...options })

const kinds = (run: SyntheticResult): string[] =>
  run.decisions.filter(({ kind }) => kind !== 'hold').map(({ kind, step }) => `${kind} at ${step}`)
const summaries = (run: SyntheticResult): string => run.decisions.map(({ summary }) => summary).join('\n')

/** No step is lost or doubled, and the rate ends near 0. */
function expectWhole(run: SyntheticResult, steps = budgetSteps): void {
  const reported = run.log.flatMap((entry) => (entry.kind === 'samples' ? entry.columns.step : []))
  expect(reported).toEqual(Array.from({ length: steps }, (_, step) => step))
  expect(run.state.signals.badSamples).toEqual({ nonFinite: 0, outOfOrder: 0, repeated: 0 })
}

const uncut = syntheticRun({ seed: 1, budgetSteps })

describe('cut off in the range test', () => {
  // The test finds the divergence at step 84; the job takes the rate on to its end, and then the plan's safe one.
  it('for a while, it goes back to the start weights when it hears of it, and the race is run as ever', () => {
    const run = cutOff(30, 200)
    expectWhole(run)
    expect(summaries(run)).toContain('averaged weights did best near')
    expect(summaries(run)).not.toContain('conservative')
    expect(run.state.largeLearningRate! / uncut.state.largeLearningRate!).toBeGreaterThan(0.3)
    expect(run.state.largeLearningRate! / uncut.state.largeLearningRate!).toBeLessThan(3)
    expect(run.state.lifecycle).toBe('finished')
    expect(run.keptLoss).toBeLessThan(1.1 * uncut.keptLoss)
  })

  it('for half of the run, its weights are worth more than a new search, and it keeps them', () => {
    const run = cutOff(30, 900)
    expectWhole(run)
    expect(summaries(run)).toContain('the race was cut short, because the job trained on without an answer')
    expect(run.learningRates.slice(150)).toEqual(run.learningRates.slice(150).toSorted((a, b) => b - a))
    expect(run.state.lifecycle).toBe('finished')
  })

  it('for good, it has followed its plan to the end: the safe rate, annealed to 0', () => {
    const run = cutOff(30, never)
    expectWhole(run)
    expect(run.learningRates.at(-1)).toBeLessThan(1e-4)
    expect(run.keptLoss).toBeLessThan(1)
    expect(run.state.phase).toBe('anneal')
  })
})

describe('cut off in an arm of the race', () => {
  it('for a few steps, the race goes on where the job is', () => {
    const run = cutOff(135, 175)
    expectWhole(run)
    expect(summaries(run)).toContain('averaged weights did best near')
    expect(summaries(run)).not.toContain('cut short')
    expect(run.keptLoss).toBeLessThan(1.1 * uncut.keptLoss)
  })

  it('for much longer than the arm, its present weights and rate go on, without a jump', () => {
    const run = cutOff(135, 600)
    expectWhole(run)
    expect(summaries(run)).toContain('the race was cut short, because the job trained on without an answer')
    expect(run.state.largeLearningRate).toBe(run.learningRates[590])
    expect(run.learningRates[610]).toBe(run.learningRates[590])
    expect(run.state.lifecycle).toBe('finished')
  })

  it('for good, the arm’s rate is annealed by its own plan', () => {
    const run = cutOff(135, never)
    expectWhole(run)
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
    expect(run.keptLoss).toBeLessThan(1.3 * uncut.keptLoss)
  })
})

describe('cut off in the large phase', () => {
  const steady = {
    learningRate: 0.02,
    traceSigma: 1,
    capabilities: ['microBatchNorms', 'heldOutLoss'],
  } as const

  it('until after the anneal that the plan has, it is met in it', () => {
    const run = cutOff(500, 1_600, steady)
    expectWhole(run)
    expect(run.state.lifecycle).toBe('finished')
    // It never goes back to the large rate once its plan has begun to anneal: the tuner has switched as well.
    const large = run.learningRates.lastIndexOf(0.02)
    expect(large).toBeGreaterThan(500)
    expect(large).toBeLessThan(1_600)
    expect(Math.max(...run.learningRates.slice(1_600))).toBeLessThan(0.9 * 0.02)
    expect(run.state.switchStep).toBeLessThan(1_600)
  })

  it('to the end, it ends annealed, and the log that catches up is decided in order', () => {
    const run = cutOff(500, never, steady)
    expectWhole(run)
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
    expect(run.decisions.map(({ number }) => number)).toEqual(run.decisions.map((_, i) => i + 1))
    expect(run.state.phase).not.toBe('large')
  })

  it('with the loss alone, it anneals by the fallback plan at 30 % as if it had been heard', () => {
    const lossOnly = { learningRate: 0.02, capabilities: [] }
    const [cut, heard] = [cutOff(300, 1_500, lossOnly), syntheticRun({ seed: 1, budgetSteps, ...lossOnly })]
    expect(kinds(cut)).toEqual(kinds(heard))
    expect(cut.learningRates).toEqual(heard.learningRates)
    expect(kinds(cut)).toEqual(['start at 0', 'switch at 601', 'finish at 2000'])
    expect(cut.state.switchStep).toBe(600)
  })
})

describe('cut off across the end', () => {
  it.each([2_100, never])('the job waits at rate 0 and is finished when it is back (step %i)', (toStep) => {
    const run = cutOff(1_950, toStep, { stepCount: 2_200 })
    expect(run.state).toMatchObject({ lifecycle: 'finished', phase: 'done', step: Math.min(toStep, 2_200) })
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
    expect(run.learningRates[1_000 + guardNonFiniteMax - 1]).toBe(0.02)
    expect(new Set(run.learningRates.slice(1_000 + guardNonFiniteMax, 1_200))).toEqual(new Set([0.002]))
    expect(kinds(run)).toContain(`guard at ${1_000 + guardNonFiniteMax}`)
    expect(run.state.awaitedRestore).toBeNull()
    expect(run.learningRates[1_300]).toBe(0.02)
    expect(run.state.lifecycle).toBe('finished')
  })
})
