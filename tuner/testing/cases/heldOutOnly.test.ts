// Most jobs send a loss, and evaluate their present weights once an epoch. That is too little to judge a switch by, and so
// the run has the fallback plan, whatever the number of evaluations: never a worse plan than the loss alone would have had.

import { describe, expect, it } from 'vitest'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { hastySwitches, lastRateShare, made, rateAfter, stepsOf, wholeRunFaults } from './judged.ts'
import { noiseOf } from './streams.ts'

const budgetSteps = 3_000
const evaluated = (
  count: number,
  seed: number,
  curve = (step: number) => 0.35 + 1.2 * (1 + step / 60) ** -0.5,
): Stream => {
  const normal = noiseOf(seed)
  return {
    loss: (step) => curve(step) + 0.06 * normal(),
    ...(count === 0
      ? {}
      : {
          evaluated: {
            every: Math.floor(budgetSteps / count),
            at: (step) => ({ raw: curve(step) + 0.03 + 0.008 * normal() }),
          },
        }),
  }
}
const run = (count: number, seed = 31, more: Partial<ReportedJobOptions> = {}) =>
  reportedRun(
    {
      budgetSteps,
      learningRate: 3e-5,
      optimizer: { name: 'adamw' },
      capabilities: count === 0 ? [] : ['heldOutLoss'],
      batchRows: 20,
      ...more,
    },
    evaluated(count, seed),
  )

/** Share of the budget over which the rate came down. */
const annealedShare = (job: ReturnType<typeof run>): number => {
  const highest = Math.max(...job.taken.map(({ applied }) => applied))
  return 1 - (job.taken.findLastIndex(({ applied }) => applied >= 0.999 * highest) + 1) / budgetSteps
}

const counts = [1, 2, 3, 5, 10, 20, 30, 50, 100, 300]

describe.each(counts)('%i evaluations of raw held-out loss', (count) => {
  it('give the plan that the loss alone gives', () => {
    const alone = run(0)
    for (const seed of [31, 32, 33]) {
      const job = run(count, seed)
      expect(wholeRunFaults(job, budgetSteps)).toEqual([])
      expect(Math.abs(annealedShare(job) - annealedShare(alone)), `seed ${seed}`).toBeLessThan(0.05)
      expect(hastySwitches(job.decisions)).toEqual([])
      expect(made(job, 'guard')).toEqual([])
      expect(rateAfter(job, budgetSteps)).toBe(0)
    }
  })

  it('with checkpoints, late answers and no plan named, as well', () => {
    const alone = run(0)
    for (const more of [
      { capabilities: ['heldOutLoss', 'checkpoint'] as const },
      { lagSteps: 25 },
      { sendsPlanVersion: false },
    ]) {
      const job = run(count, 31, more)
      expect(wholeRunFaults(job, budgetSteps)).toEqual([])
      expect(Math.abs(annealedShare(job) - annealedShare(alone))).toBeLessThan(0.05)
    }
  })
})

describe('the loss alone', () => {
  it('is annealed over a fifth of the budget at least, and not in its first quarter', () => {
    const share = annealedShare(run(0))
    expect(share).toBeGreaterThanOrEqual(0.19)
    expect(share).toBeLessThanOrEqual(0.76)
    expect(lastRateShare(run(0))).toBeLessThan(0.01)
  })
})

describe('overfitting that raw held-out losses show', () => {
  it('does not keep the run from its end worse than the loss alone would, and is no divergence', () => {
    for (const count of [30, 100]) {
      const normal = noiseOf(33)
      const job = reportedRun(
        {
          budgetSteps,
          learningRate: 3e-5,
          optimizer: { name: 'adamw' },
          capabilities: ['heldOutLoss'],
          batchRows: 20,
        },
        {
          loss: (step) => 0.02 + 1.2 * Math.exp(-step / 500) + 0.02 * normal(),
          evaluated: {
            every: budgetSteps / count,
            at: (step) => ({
              raw: 0.5 + 0.8 * Math.exp(-step / 300) + (0.4 * step) / budgetSteps + 0.008 * normal(),
            }),
          },
        },
      )
      expect(stepsOf(job, 'guard')).toEqual([])
      expect(job.state.lifecycle).not.toBe('diverged')
      // Whether it is ended early or not, the rate has come down by then.
      expect(lastRateShare(job)).toBeLessThan(0.05)
    }
  })
})
