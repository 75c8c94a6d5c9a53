// A job that died comes back at an earlier step, that of its checkpoint: the run goes on, and what breaks is seen.

import { describe, expect, it } from 'vitest'
import { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { driven } from './driven.ts'
import { made, stepsBelowPlan, stepsOf } from './judged.ts'
import { exponential, noiseOf, noisy } from './streams.ts'

const sgd = { name: 'sgd', momentum: 0.9 }

describe.each([true, false])('a second life from an earlier step (told of: %s)', (isTold) => {
  const loss = (seed: number) => noisy(exponential(2.5, 0.5, 800), 0.05, noiseOf(seed))
  const lives = (
    budgetSteps: number,
    { died, back, batchRows = 20 }: { died: number; back: number; batchRows?: number },
    second: (step: number) => number,
    more: Partial<ReportedJobOptions> = {},
  ) => {
    const job = new ReportedJob({ budgetSteps, learningRate: 0.01, optimizer: sgd, batchRows, ...more })
    driven(job, { loss: loss(12) }, { toStep: died })
    if (isTold) job.resume()
    return driven(job, { loss: second }, { fromStep: back, toStep: budgetSteps })
  }
  const cases = [
    { budgetSteps: 1_000, died: 213, back: 200 },
    { budgetSteps: 10_000, died: 5_000, back: 2_000 },
    { budgetSteps: 10_000, died: 1_000, back: 0 },
    { budgetSteps: 10_000, died: 9_000, back: 8_000 },
  ]
  it.each(cases)(
    'that is healthy goes on to the end (died at $died, back at $back)',
    ({ budgetSteps, ...life }) => {
      for (const sendsPlanVersion of [true, false]) {
        const job = lives(budgetSteps, life, loss(13), { sendsPlanVersion })
        expect(stepsOf(job, 'guard')).toEqual([])
        // Weights of long ago are worse than those that the limits were made for.
        expect(stepsBelowPlan(job)).toBeLessThanOrEqual(life.back < life.died / 2 ? 40 : 0)
        expect(job.taken.at(-1)!.step).toBe(budgetSteps - 1)
        expect(job.taken.at(-1)!.applied).toBeLessThan(2e-4)
        expect(job.state.lifecycle).toBe('finished')
      }
    },
  )

  it.each([1, 5, 20])('that turns to NaN is met within ten reports (%i a batch)', (batchRows) => {
    for (const { died, back, from } of [
      { died: 5_000, back: 2_000, from: 2_300 },
      { died: 5_000, back: 2_000, from: 2_000 },
      { died: 800, back: 0, from: 100 },
      { died: 9_000, back: 8_600, from: 8_700 },
    ]) {
      const healthy = loss(14)
      const job = lives(10_000, { died, back, batchRows }, (step) =>
        step >= from ? Number.NaN : healthy(step),
      )
      const bad = died + (from - back)
      const first = made(job, 'guard')[0]?.rows ?? Number.POSITIVE_INFINITY
      expect(first, `back at ${back}`).toBeGreaterThan(bad)
      expect(first, `back at ${back}`).toBeLessThanOrEqual(bad + 10 + batchRows - 1)
      // One report of twenty bad steps does not use up what the guard can do before the job hears of it.
      const reports = made(job, 'guard').map(({ rows }) => Math.ceil(rows / batchRows))
      expect(new Set(reports).size, `back at ${back}`).toBe(reports.length)
    }
  })
})
