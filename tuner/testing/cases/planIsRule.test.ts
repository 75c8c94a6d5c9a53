// The plan anneals when the rule would, and not before: whatever the distance between a job's evaluations, a job that
// follows the plan is never taken into an anneal that no two probes have asked for, nor into one in the first quarter.

import { describe, expect, it } from 'vitest'
import type { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { hastySwitches, plannedAnneal, rateAfter, stepsOf, wholeRunFaults } from './judged.ts'
import { noiseOf } from './streams.ts'

type Case = {
  readonly every: number
  readonly budgetSteps: number
  readonly power: number
  readonly noise: number
}

function stream({ every, power, noise }: Case, seed: number): Stream {
  const normal = noiseOf(seed)
  const mean = (step: number) => 1 + 2 * (step + 10) ** -power
  return {
    loss: (step) => mean(step) + 0.05 * normal(),
    evaluated: {
      every,
      at: (step) => ({
        raw: mean(step) + 0.1 + noise * normal(),
        averaged: mean(step) + 0.02 + noise * normal(),
      }),
    },
  }
}

const options = (one: Case): ReportedJobOptions => ({
  budgetSteps: one.budgetSteps,
  learningRate: 5e-4,
  optimizer: { name: 'adam' },
  capabilities: ['heldOutLoss', 'averagedWeights'],
  batchRows: 20,
})

/** Plans that begin to anneal in the first quarter, or before the next two probes at the job's own distance. */
function hastyPlans({ plans }: ReportedJob, { every, budgetSteps }: Case): readonly string[] {
  return plans.flatMap((published) => {
    const from = plannedAnneal(published)
    const now = (published.afterStep ?? -1) + 1
    if (from === null || from <= now) return []
    const said = `plan ${published.plan.version} of step ${now} anneals from ${from}`
    if (from < budgetSteps / 4) return [said]
    const lastProbe = Math.floor(now / every) * every
    // From half of the budget on a fixed deadline may come first.
    return from < budgetSteps / 2 && from < lastProbe + 2 * every ? [said] : []
  })
}

const cases: readonly Case[] = [
  ...[40, 60, 100, 125, 250].map((every) => ({ every, budgetSteps: 5_000, power: 0.3, noise: 0.01 })),
  ...[20, 75, 150].map((every) => ({ every, budgetSteps: 3_000, power: 0.6, noise: 0.003 })),
  ...[200, 1_000].map((every) => ({ every, budgetSteps: 20_000, power: 0.5, noise: 0.01 })),
  { every: 100, budgetSteps: 5_000, power: 1.5, noise: 0.002 },
]

describe.each(cases)('evaluated each $every of $budgetSteps steps (power $power)', (one) => {
  const variants: readonly (readonly [string, Partial<ReportedJobOptions>])[] = [
    ['as it is', {}],
    ['without naming its plans', { sendsPlanVersion: false }],
    ['with answers 30 steps late', { lagSteps: 30 }],
    ['doing actions when they are due', { acts: 'when-due', waits: true }],
  ]
  it.each(variants)('no plan is ahead of the rule, %s', (_, more) => {
    for (const seed of [42, 43]) {
      const job = reportedRun({ ...options(one), ...more }, stream(one, seed))
      const [first = 0] = stepsOf(job, 'switch')
      expect(first, `seed ${seed}`).toBeGreaterThanOrEqual(one.budgetSteps / 4)
      expect(hastySwitches(job.decisions), `seed ${seed}`).toEqual([])
      expect(hastyPlans(job, one), `seed ${seed}`).toEqual([])
      expect(stepsOf(job, 'undo'), `seed ${seed}`).toEqual([])
      expect(wholeRunFaults(job, one.budgetSteps), `seed ${seed}`).toEqual([])
      expect(rateAfter(job, one.budgetSteps), `seed ${seed}`).toBe(0)
    }
  })

  it.each([0.02, 0.11, 0.24, 0.4])(
    'a job that is cut off from %f of the budget on ends annealed, and no earlier',
    (share) => {
      const fromStep = Math.round((share * one.budgetSteps) / 20) * 20
      const job = reportedRun(options(one), stream(one, 42), {
        cutOff: { fromStep, toStep: Number.POSITIVE_INFINITY },
      })
      const highest = Math.max(...job.taken.map(({ applied }) => applied))
      const annealed = job.taken.findLast(({ applied }) => applied >= 0.999 * highest)!.step + 1
      expect(annealed).toBeGreaterThanOrEqual(one.budgetSteps / 4 - 1)
      expect(hastySwitches(job.decisions)).toEqual([])
      expect(wholeRunFaults(job, one.budgetSteps)).toEqual([])
    },
  )
})

describe('the distance between evaluations', () => {
  it('moves the switch by no more than three of them, where none of them is sure', () => {
    for (const power of [0.3, 0.6, 1.2]) {
      const distances = [25, 50, 100, 125, 200]
      const switches = distances.map((every) => {
        const one = { every, budgetSteps: 5_000, power, noise: 0.01 }
        return stepsOf(reportedRun(options(one), stream(one, 1)), 'switch')[0] ?? Number.NaN
      })
      const [low, high] = [Math.min(...switches), Math.max(...switches)]
      expect(high - low, `power ${power}: ${switches}`).toBeLessThanOrEqual(3 * 200 + 0.02 * 5_000)
    }
  })
})
