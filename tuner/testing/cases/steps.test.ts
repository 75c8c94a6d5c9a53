// Steps are not trusted blindly: a counter may begin anywhere, and evaluations may be counted in another unit, come twice,
// late or broken.

import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../protocol/vocabulary.ts'
import { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { healthyRunFaults, rateAfter, stepsOf, wholeRunFaults } from './judged.ts'
import { exponential, noiseOf, noisy, powerLaw } from './streams.ts'

const sgd = { name: 'sgd', momentum: 0.9 }
const adam = { name: 'adam' }

describe('a counter that does not begin at 0', () => {
  const origins = [5_000, 123_034, 1_500_000_000]
  const run = (
    origin: number,
    options: Partial<ReportedJobOptions> & { budgetSteps: number | null },
    stepCount: number,
  ) => {
    const loss = noisy(exponential(3.5, 1.5, 2_000), 0.1, noiseOf(20))
    const settled = { learningRate: 1e-3, optimizer: sgd, batchRows: 20, ...options }
    return reportedRun(
      settled,
      { loss: (step) => loss(step - origin) },
      { fromStep: origin, toStep: origin + stepCount },
    )
  }

  /** A budget at or below the first step is the steps to take, one above it is where the counter ends. */
  const budgets = [
    ...origins.flatMap((origin) =>
      [600, 20_000]
        .filter((length) => length <= origin)
        .map((length) => ({ origin, budgetSteps: length, length })),
    ),
    { origin: 123_034, budgetSteps: 143_034, length: 20_000 },
    { origin: 40_000, budgetSteps: 50_000, length: 10_000 },
    { origin: 5_000, budgetSteps: 5_600, length: 600 },
  ]

  it.each(budgets)('has its $length steps of a budget of $budgetSteps (from $origin)', (one) => {
    const { origin, length, budgetSteps } = one
    const job = run(origin, { budgetSteps }, length)
    // Of the first report alone the job could not know.
    const rates = job.taken.slice(20).map(({ applied }) => applied)
    expect(job.taken.length).toBe(length)
    expect(Math.max(...rates)).toBe(1e-3)
    expect(rates.indexOf(1e-3) + 20).toBeLessThanOrEqual(0.06 * length + 40)
    expect(stepsOf(job, 'guard')).toEqual([])
    expect(stepsOf(job, 'switch')[0]! - origin).toBeGreaterThanOrEqual(0.25 * length)
    expect(job.taken.at(-1)!.applied).toBeLessThan(2e-5)
    expect(rateAfter(job, origin + length)).toBe(0)
    expect(job.state.lifecycle).toBe('finished')
  })

  it.each(budgets)(
    'told beforehand, is as if from 0 ($length steps of $budgetSteps, from $origin)',
    (one) => {
      const { origin, length, budgetSteps } = one
      const job = run(origin, { budgetSteps, firstStep: origin }, length)
      const same = run(0, { budgetSteps: length }, length)
      expect(job.taken.length).toBe(length)
      const far = job.taken.findIndex(
        ({ applied }, i) => Math.abs(applied / same.taken[i]!.applied - 1) > 1e-9,
      )
      expect(far).toBe(-1)
      expect(stepsOf(job, 'switch')[0]! - origin).toBe(stepsOf(same, 'switch')[0])
      expect(job.state.lifecycle).toBe('finished')
    },
  )

  it.each([1, 2, 10, 100])('soon after 0 loses no more than the steps before (from %i)', (origin) => {
    const job = run(origin, { budgetSteps: 2_000 }, 2_000)
    expect(2_000 - job.taken.length).toBeLessThanOrEqual(origin === 1 ? 0 : origin)
    expect(job.taken.at(-1)!.applied).toBeLessThan(1e-5)
    expect(job.state.lifecycle).toBe('finished')
  })

  it.each([1, 10, ...origins])('without a budget, the rate is held (from %i)', (origin) => {
    const job = run(origin, { budgetSteps: null }, 2_000)
    // A ramp of a twentieth of what stands for a run's length.
    expect(job.taken.slice(400).every(({ applied }) => applied === 1e-3)).toBe(true)
    expect(job.isFinished).toBe(false)
  })

  it.each(origins)('moves every decision by as much (from %i)', (origin) => {
    const evaluated = (shift: number): ReportedJob => {
      const normal = noiseOf(21)
      const mean = powerLaw(3, 0.5, 100, 0.6)
      const stream: Stream = {
        loss: (step) => mean(step - shift) + 0.05 * normal(),
        evaluated: {
          every: 50,
          at: (step) => ({
            raw: mean(step - shift) + 0.1 + 0.01 * normal(),
            averaged: mean(step - shift) + 0.02 + 0.01 * normal(),
          }),
        },
      }
      const options = {
        budgetSteps: 4_000,
        learningRate: 0.05,
        capabilities: ['heldOutLoss', 'averagedWeights'] as const,
        // What the job took in the first batch is its own affair: the same wherever it begins.
        ownRate: (step: number, planned: number) =>
          step - shift < 10 ? 0.005 * (step - shift + 1) : planned,
      }
      return reportedRun(options, stream, { fromStep: shift, toStep: shift + 4_000 })
    }
    // Evaluations fall on multiples of their distance, so only such origins see the same evidence.
    const shift = origin - (origin % 50)
    const all = (decisions: readonly Decision[], by: number) =>
      decisions
        .filter(({ kind, reason }) => kind !== 'start' && reason.key !== 'origin')
        .map(({ kind, step }) => `${kind} at ${step - by}`)
    const expected = all(evaluated(0).decisions, 0)
    expect(all(evaluated(shift).decisions, shift)).toEqual(expected)
  })
})

describe('evaluations counted in another unit', () => {
  const capabilities = ['heldOutLoss', 'averagedWeights'] as const
  const run = (factor: number, more: Partial<ReportedJobOptions> = {}) => {
    const normal = noiseOf(13)
    const mean = (step: number) => 1 + 2 * (step + 10) ** -0.3
    const job = new ReportedJob({
      budgetSteps: 4_000,
      learningRate: 3e-4,
      optimizer: adam,
      capabilities,
      batchRows: 20,
      ...more,
    })
    for (let step = 0; step < 4_000 && !job.isFinished; step++) {
      job.step(step, { loss: mean(step) + 0.05 * normal() })
      if ((step + 1) % 100 === 0)
        job.probe(Math.round(factor * (step + 1)), {
          raw: mean(step) + 0.1 + 0.01 * normal(),
          averaged: mean(step) + 0.02 + 0.01 * normal(),
        })
      // A probe a little ahead may be of steps that are yet to be reported; one many times ahead is not.
      if (factor >= 4) expect(job.summary.step).toBeLessThanOrEqual(step + 1)
    }
    job.flush()
    return job
  }
  it.each([0.125, 0.25, 0.5, 1.5, 2, 4, 8, 64, 1_000])(
    'end no run, and move no clock (%f times the step)',
    (factor) => {
      const job = run(factor)
      expect(wholeRunFaults(job, 4_000)).toEqual([])
      expect(stepsOf(job, 'guard')).toEqual([])
      expect(stepsOf(job, 'finish').filter((step) => step < 3_900)).toEqual([])
    },
  )

  it.each([4, 64])('of a job that sends each step by itself (%i times)', (factor) => {
    expect(wholeRunFaults(run(factor, { batchRows: 1, lagSteps: 3 }), 4_000)).toEqual([])
  })
})

describe('evaluations that are odd', () => {
  it('one of untrained weights, one NaN, one twice, all of them 300 steps late: none disturbs the run', () => {
    for (const late of [0, 300]) {
      const normal = noiseOf(35)
      const mean = powerLaw(2.3, 0.3, 40, 0.6)
      const job = new ReportedJob({
        budgetSteps: 4_000,
        learningRate: 0.01,
        optimizer: adam,
        capabilities: ['heldOutLoss', 'averagedWeights'],
        batchRows: 20,
      })
      job.probe(0, { raw: 40, averaged: 40 })
      for (let step = 0; step < 4_000 && !job.isFinished; step++) {
        job.step(step, { loss: mean(step) + 0.05 * normal() })
        const at = step + 1 - late
        if (at <= 0 || at % 40 !== 0) continue
        const broken = at === 1_200 ? Number.NaN : 0
        job.probe(at, {
          raw: mean(at) + 0.05 + 0.01 * normal() + broken,
          averaged: mean(at) + 0.03 + 0.005 * normal() + broken,
        })
        if (at === 1_600) job.probe(at, { raw: mean(at) + 0.05, averaged: mean(at) + 0.03 })
      }
      job.flush()
      expect(healthyRunFaults(job, 4_000), `${late} steps late`).toEqual([])
      const order = job.decisions.map(({ step }) => step)
      expect(order).toEqual(order.toSorted((a, b) => a - b))
    }
  })
})
