// Where both sides of the rule are known well, as with a language model that sees its data once and is probed a hundred times,
// the rule may speak from two fifths of a budget on; in doubt three quarters are held.

import { describe, expect, it } from 'vitest'
import { reportedRun } from './driven.ts'
import { noiseOf } from './streams.ts'

const budgetSteps = 20_000

/** Step of the switch, as a share of the budget, of a job whose loss falls as those of language models do. */
function switchShare(scatter: number, everySteps = 1): number {
  const normal = noiseOf(1)
  const averaged = (step: number) => 2.8 + 5 * (1 + step / 40) ** -0.5
  const job = reportedRun(
    {
      budgetSteps,
      learningRate: 0.001,
      optimizer: { name: 'adamw' },
      capabilities: ['heldOutLoss', 'averagedWeights'],
      batchRows: 200 / everySteps,
    },
    {
      everySteps,
      loss: (step) => averaged(step) + 0.08 + 0.05 * normal(),
      evaluated: {
        every: 200,
        otherwise: 200,
        at: (step) => ({
          raw: averaged(step) + 0.08 + scatter * normal(),
          averaged: averaged(step) + 0.3 * scatter * normal(),
        }),
      },
    },
  )
  const [switched] = job.decisions.filter(({ kind }) => kind === 'switch')
  return switched!.step / budgetSteps
}

describe('a loss that falls as a power of the steps, probed a hundred times', () => {
  it('is annealed where staying gains no more, long before three quarters', () => {
    const share = switchShare(0.0015)
    expect(share).toBeGreaterThanOrEqual(0.4)
    expect(share).toBeLessThan(0.7)
  })

  it('is held to three quarters where probes scatter too much to be sure', () => {
    expect(switchShare(0.03)).toBeGreaterThanOrEqual(0.75)
  })

  it('is judged alike whether each step is told or each twentieth', () => {
    expect(Math.abs(switchShare(0.0015, 20) - switchShare(0.0015))).toBeLessThan(0.05)
  })
})
