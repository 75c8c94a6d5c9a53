// Signs that training has come apart are seen wherever they show, and soon: within ten reports, however long the run is
// to be; and what is no sign, such as a step that mixed precision leaves out, is counted and left alone.

import { describe, expect, it } from 'vitest'
import { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { driven, reportedRun, type Stream } from './driven.ts'
import { healthyRunFaults, made, stepsOf, wholeRunFaults } from './judged.ts'
import { exponential, noiseOf, noisy, powerLaw, squares } from './streams.ts'

const budgets = [50, 600, 20_000, 10_000_000, 1e12, null]
const sgd = { name: 'sgd', momentum: 0.9 }

/** Rows that were reported when a guard was first heard of. */
const firstGuardRows = (job: ReportedJob): number => made(job, 'guard')[0]?.rows ?? Number.POSITIVE_INFINITY

describe('a loss that is NaN from the first step', () => {
  const nan: Stream = { loss: () => Number.NaN, columns: () => ({ gradientNormSquared: Number.NaN }) }
  it.each(budgets)('is met within ten reports of a budget of %s', (budgetSteps) => {
    for (const batchRows of [1, 10, 50]) {
      const job = reportedRun({ budgetSteps, learningRate: 1e-3, optimizer: sgd, batchRows }, nan, {
        toStep: 1_000,
      })
      expect(firstGuardRows(job), `${batchRows} a batch`).toBeLessThanOrEqual(10 + batchRows - 1)
    }
  })

  it.each([20_000, 10_000_000, null])('ends a run of %s steps that cannot be saved', (budgetSteps) => {
    const job = reportedRun({ budgetSteps, learningRate: 1e-3, optimizer: sgd }, nan, { toStep: 3_000 })
    expect(job.taken.length).toBeLessThan(1_000)
    expect(job.state.lifecycle).toBe('diverged')
  })

  it('is met where only each hundredth step is reported', () => {
    const job = reportedRun(
      { budgetSteps: 100_000, learningRate: 1e-3, batchRows: 1 },
      { ...nan, everySteps: 100 },
      { toStep: 5_000 },
    )
    expect(firstGuardRows(job)).toBeLessThanOrEqual(10)
  })
})

describe('a loss that turns to NaN', () => {
  const cases = [3, 150, 5_000, 13_820, 19_000].flatMap((from) =>
    [0, 7].map((lagSteps) => ({ from, lagSteps })),
  )
  it.each(cases)('at step $from is met within ten reports (answers $lagSteps late)', ({ from, lagSteps }) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const healthy = noisy(exponential(0.3, -0.7, 3_000), 0.03, noiseOf(40))
      const job = reportedRun(
        { budgetSteps: 20_000, learningRate: 0.01, optimizer: sgd, batchRows: 5, lagSteps },
        { loss: (step) => (step >= from ? value : healthy(step)) },
      )
      expect(firstGuardRows(job)).toBeGreaterThan(from)
      expect(firstGuardRows(job)).toBeLessThanOrEqual(from + 14)
      expect(job.taken.length).toBeLessThan(from + 1_000)
    }
  })

  it('is met in each phase of a run that has everything', () => {
    for (const from of [40, 400, 2_000, 3_900]) {
      const mean = powerLaw(3, 0.5, 100, 0.5)
      const normal = noiseOf(1)
      const job = reportedRun(
        {
          budgetSteps: 4_000,
          learningRate: 0.01,
          capabilities: ['heldOutLoss', 'averagedWeights'],
          batchRows: 5,
        },
        {
          loss: (step) => (step >= from ? Number.NaN : mean(step) + 0.05 * normal()),
          evaluated: {
            every: 50,
            at: (step) =>
              step >= from
                ? { raw: Number.NaN, averaged: Number.NaN }
                : { raw: mean(step) + 0.1, averaged: mean(step) },
          },
        },
      )
      expect(firstGuardRows(job), `from ${from}`).toBeLessThanOrEqual(from + 14)
    }
  })

  it('in watching and advising modes is said, and the job is left alone', () => {
    for (const mode of ['advisory', 'off'] as const) {
      const job = reportedRun(
        { budgetSteps: 2_000, learningRate: 0.01, mode },
        { loss: (step) => (step >= 500 ? Number.NaN : 1 + 1 / (1 + step)) },
      )
      expect(job.summary.badSamples.nonFinite).toBe(1_500)
      expect(job.taken.length).toBe(2_000)
      expect(job.restores).toBe(0)
    }
  })
})

describe('a gradient norm that is NaN', () => {
  const dead = (loss: (step: number) => number, from: number): Stream => {
    const normal = noiseOf(4)
    return {
      loss,
      columns: (step) => ({ gradientNormSquared: step < from ? squares(0.35, 5, normal) : Number.NaN }),
    }
  }
  const falling = noisy((step) => 1.2 - (0.4 * Math.min(step, 114)) / 114, 0.03, noiseOf(5))

  it('with a loss of exactly 0 is a dead run of half precision', () => {
    for (const batchRows of [1, 10]) {
      const job = reportedRun(
        { budgetSteps: 600, learningRate: 2e-5, optimizer: { name: 'adamw_8bit' }, batchRows },
        dead((step) => (step < 114 ? falling(step) : 0), 114),
      )
      expect(firstGuardRows(job)).toBeGreaterThan(114)
      expect(firstGuardRows(job)).toBeLessThanOrEqual(114 + 10 + batchRows - 1)
      expect(job.summary.badSamples.nonFiniteNorms).toBeGreaterThanOrEqual(5)
    }
  })

  it.each(budgets)(
    'with a sound loss is met within ten reports as well, of a budget of %s',
    (budgetSteps) => {
      for (const from of [0, 30, 200]) {
        const job = reportedRun(
          { budgetSteps, learningRate: 1e-3, batchRows: 5 },
          dead(
            noisy(() => 1.5, 0.05, noiseOf(6)),
            from,
          ),
          { toStep: Math.min(budgetSteps ?? 400, 400) },
        )
        if (budgetSteps === 50 && from > 30) continue
        expect(firstGuardRows(job), `from ${from}`).toBeLessThanOrEqual(from + 14)
      }
    },
  )

  it('once in a while is counted, and no sign', () => {
    const normal = noiseOf(7)
    const job = reportedRun(
      { budgetSteps: 3_000, learningRate: 0.01 },
      {
        loss: noisy(exponential(2, 0.5, 400), 0.05, noiseOf(8)),
        columns: (step) => ({ gradientNormSquared: step % 100 === 50 ? Number.NaN : squares(1, 20, normal) }),
      },
    )
    expect(healthyRunFaults(job, 3_000)).toEqual([])
    expect(job.summary.badSamples.nonFiniteNorms).toBe(30)
  })

  it('at the first four steps, while mixed precision finds its scale, is none', () => {
    const job = reportedRun(
      { budgetSteps: 3_000, learningRate: 0.01 },
      {
        loss: noisy(exponential(2, 0.5, 400), 0.05, noiseOf(16)),
        columns: (step) => ({ gradientNormSquared: step < 4 ? Number.POSITIVE_INFINITY : 1 }),
      },
    )
    expect(healthyRunFaults(job, 3_000)).toEqual([])
  })

  it('of steps that were left out is none', () => {
    const job = reportedRun(
      { budgetSteps: 3_000, learningRate: 0.01 },
      {
        loss: noisy(exponential(2, 0.5, 400), 0.05, noiseOf(9)),
        columns: (step) => {
          const isLeftOut = step < 12 || (step >= 1_000 && step < 1_012)
          return { gradientNormSquared: isLeftOut ? Number.POSITIVE_INFINITY : 1, skipped: isLeftOut ? 1 : 0 }
        },
      },
    )
    // The wire, which the job watches alone, may trip for a step; the guard does not.
    expect(wholeRunFaults(job, 3_000)).toEqual([])
    expect(stepsOf(job, 'guard')).toEqual([])
    expect(job.summary.badSamples.skipped).toBe(24)
  })
})

describe('steps that mixed precision leaves out', () => {
  it.each([6, 9, 14])('are no divergence, though their loss is infinite (%i in a row)', (length) => {
    for (const from of [0, 700, 2_500]) {
      const healthy = noisy(exponential(2, 0.5, 400), 0.05, noiseOf(10))
      const isLeftOut = (step: number) => step >= from && step < from + length
      const job = reportedRun(
        { budgetSteps: 3_000, learningRate: 0.01, batchRows: 5 },
        {
          loss: (step) => (isLeftOut(step) ? Number.POSITIVE_INFINITY : healthy(step)),
          columns: (step) => ({
            skipped: isLeftOut(step) ? 1 : 0,
            gradientNormSquared: isLeftOut(step) ? Number.NaN : 1,
          }),
        },
      )
      expect(stepsOf(job, 'guard'), `from ${from}`).toEqual([])
      expect(job.taken.length, `from ${from}`).toBe(3_000)
      expect(job.summary.badSamples.skipped, `from ${from}`).toBe(length)
    }
  })
})

describe('averaged weights that are not finite', () => {
  const run = (from: number, until: number, more: Partial<ReportedJobOptions> = {}) => {
    const normal = noiseOf(11)
    const mean = powerLaw(2, 0.4, 60, 0.5)
    return reportedRun(
      { budgetSteps: 4_000, learningRate: 0.01, capabilities: ['heldOutLoss', 'averagedWeights'], ...more },
      {
        loss: (step) => mean(step) + 0.05 * normal(),
        evaluated: {
          every: 50,
          at: (step) => ({
            raw: mean(step) + 0.05 + 0.005 * normal(),
            averaged: step >= from && step < until ? Number.NaN : mean(step) + 0.005 * normal(),
          }),
        },
      },
    )
  }
  it.each([50, 1_000, 2_900])('from step %i on are met within ten evaluations', (from) => {
    const job = run(from, Number.POSITIVE_INFINITY)
    expect(firstGuardRows(job)).toBeLessThanOrEqual(from + 10 * 50 + 10)
  })

  it('at one evaluation alone are none', () => {
    expect(healthyRunFaults(run(1_000, 1_040), 4_000)).toEqual([])
  })
})

describe('evaluations that are NaN for good', () => {
  it.each([
    ['raw', ['heldOutLoss']],
    ['raw and averaged', ['heldOutLoss', 'averagedWeights']],
  ] as const)('end no run whose loss is sound (%s)', (_, capabilities) => {
    for (const from of [100, 1_500]) {
      const mean = powerLaw(2, 0.4, 60, 0.5)
      const normal = noiseOf(17)
      const job = reportedRun(
        { budgetSteps: 4_000, learningRate: 0.01, capabilities },
        {
          loss: (step) => mean(step) + 0.05 * normal(),
          evaluated: {
            every: 50,
            at: (step) => {
              const value = step >= from ? Number.NaN : mean(step) + 0.05
              return capabilities.length === 1 ? { raw: value } : { raw: value, averaged: value }
            },
          },
        },
      )
      expect(wholeRunFaults(job, 4_000), `from ${from}`).toEqual([])
    }
  })
})

describe('norms of micro-batches and preconditioned ones', () => {
  it.each(['microGradientNormSquared', 'preconditionedGradientNormSquared'] as const)(
    'that are NaN are counted (%s)',
    (name) => {
      const job = reportedRun(
        { budgetSteps: 2_000, learningRate: 0.01, capabilities: ['microBatchNorms'] },
        {
          loss: noisy(exponential(2, 0.5, 400), 0.05, noiseOf(18)),
          columns: (step) => ({ gradientNormSquared: 1, [name]: step >= 500 && step < 540 ? Number.NaN : 3 }),
        },
      )
      expect(job.summary.badSamples.nonFiniteNorms).toBe(40)
    },
  )
})

describe('a loss that is exactly 0', () => {
  it('where it was well above is stuck, and a sign', () => {
    const healthy = noisy(exponential(2, 0.6, 400), 0.05, noiseOf(12))
    for (const from of [300, 1_500]) {
      const job = reportedRun(
        { budgetSteps: 3_000, learningRate: 0.01 },
        { loss: (step) => (step >= from ? 0 : healthy(step)) },
      )
      expect(firstGuardRows(job), `from ${from}`).toBeGreaterThan(from)
      expect(firstGuardRows(job), `from ${from}`).toBeLessThanOrEqual(from + 100)
    }
  })

  it('where it was on its way there is learned, and ends nothing', () => {
    const normal = noiseOf(13)
    const hinge = (step: number) => Math.max(0, 1.5 * Math.exp(-step / 200) - 0.001 + 0.0005 * normal())
    const job = reportedRun({ budgetSteps: 3_000, learningRate: 0.01 }, { loss: hinge })
    expect(healthyRunFaults(job, 3_000)).toEqual([])
  })

  it('now and then, as where a batch has nothing to learn from, is none', () => {
    const normal = noiseOf(14)
    const job = reportedRun(
      { budgetSteps: 3_000, learningRate: 0.01 },
      {
        loss: (step) =>
          step % 7 === 0 || (step > 900 && step < 905) ? 0 : exponential(2, 0.6, 400)(step) + 0.05 * normal(),
      },
    )
    expect(stepsOf(job, 'guard')).toEqual([])
  })
})

describe('a burst of NaN that heals', () => {
  it('is counted, and the run goes on to its end', () => {
    const healthy = noisy(exponential(2, 0.5, 400), 0.05, noiseOf(15))
    const job = new ReportedJob({ budgetSteps: 3_000, learningRate: 0.01 })
    driven(
      job,
      { loss: (step) => (step >= 800 && step < 803 ? Number.NaN : healthy(step)) },
      { toStep: 3_000 },
    )
    expect(healthyRunFaults(job, 3_000)).toEqual([])
    expect(job.summary.badSamples.nonFinite).toBe(3)
  })
})
