// Steps are not trusted blindly: a counter may begin anywhere, evaluations may be counted in another unit, one number may
// be absurd, and a job may come back at an earlier step.

import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../protocol/vocabulary.ts'
import { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { driven, reportedRun, type Stream } from './driven.ts'
import { healthyRunFaults, made, moves, plannedAnneal, rateAfter, stepsOf, wholeRunFaults } from './judged.ts'
import { exponential, noiseOf, noisy, powerLaw } from './streams.ts'

const sgd = { name: 'sgd', momentum: 0.9 }
const adam = { name: 'adam' }

describe('a counter that does not begin at 0', () => {
  const origins = [1, 10, 5_000, 123_034, 1_500_000_000]
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

  it.each(origins)('leaves a budget of steps to take as it is (from %i)', (origin) => {
    for (const budgetSteps of [600, 20_000]) {
      const job = run(origin, { budgetSteps }, budgetSteps)
      // Of the first report alone the job could not know.
      const rates = job.taken.slice(20).map(({ applied }) => applied)
      expect(job.taken.length).toBe(budgetSteps)
      expect(Math.max(...rates)).toBe(1e-3)
      expect(rates.indexOf(1e-3) + 20).toBeLessThanOrEqual(0.06 * budgetSteps + 40)
      expect(stepsOf(job, 'guard')).toEqual([])
      expect(stepsOf(job, 'switch')[0]! - origin).toBeGreaterThanOrEqual(0.25 * budgetSteps)
      expect(job.taken.at(-1)!.applied).toBeLessThan(2e-5)
      expect(rateAfter(job, origin + budgetSteps)).toBe(0)
      expect(job.state.lifecycle).toBe('finished')
    }
  })

  it('with a budget that counts the steps before as well, the given rate is reached, and not annealed at once', () => {
    const origin = 123_034
    const job = run(origin, { budgetSteps: 143_034 }, 20_000)
    const rates = job.taken.slice(20).map(({ applied }) => applied)
    expect(Math.max(...rates)).toBe(1e-3)
    expect(stepsOf(job, 'guard')).toEqual([])
    expect(stepsOf(job, 'switch').filter((step) => step < origin + 0.25 * 20_000)).toEqual([])
    expect(rates.slice(2_000, 4_900).every((rate) => rate === 1e-3)).toBe(true)
  })

  it.each(origins)('without a budget, the rate is held (from %i)', (origin) => {
    const job = run(origin, { budgetSteps: null }, 2_000)
    expect(job.taken.slice(250).every(({ applied }) => applied === 1e-3)).toBe(true)
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
      decisions.filter(({ kind }) => kind !== 'start').map(({ kind, step }) => `${kind} at ${step - by}`)
    expect(all(evaluated(shift).decisions, shift)).toEqual(all(evaluated(0).decisions, 0))
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

describe('one step or probe far beyond all others', () => {
  const options = {
    budgetSteps: 4_000,
    learningRate: 3e-4,
    optimizer: adam,
    capabilities: ['heldOutLoss', 'averagedWeights'],
  } as const
  const run = (at: number, outlier: (job: ReportedJob) => void, more: Partial<ReportedJobOptions> = {}) => {
    const normal = noiseOf(5)
    const mean = powerLaw(3, 0.6, 60, 0.5)
    const job = new ReportedJob({ ...options, ...more })
    const stream: Stream = {
      loss: (step) => mean(step) + 0.05 * normal(),
      evaluated: {
        every: 80,
        at: (step) => ({
          raw: mean(step) + 0.1 + 0.01 * normal(),
          averaged: mean(step) + 0.02 + 0.01 * normal(),
        }),
      },
    }
    driven(job, stream, { toStep: at })
    outlier(job)
    return driven(job, stream, { fromStep: at, toStep: 4_000 })
  }
  const undisturbed = run(2_000, () => {})
  const kinds = ['sample', 'probe', 'sample of a NaN', 'probe of a NaN'] as const
  const cases = kinds.flatMap((kind) =>
    [520, 1_700, 3_500].flatMap((at) => [4_001, 128_000, 1e12].map((far) => ({ kind, at, far }))),
  )
  it.each(cases)('a $kind at $far, met at step $at, is left out and counted', ({ kind, at, far }) => {
    const value = kind.endsWith('NaN') ? Number.NaN : 0.7
    const job = run(at, (one) => {
      if (kind.startsWith('probe')) one.probe(far, { raw: value, averaged: value })
      else one.step(far, { loss: value })
      one.flush()
      expect(one.summary.step).toBe(at)
      expect(one.isFinished).toBe(false)
    })
    const taken = job.taken.filter(({ step }) => step < 4_000)
    expect(taken.length).toBe(4_000)
    expect(moves(job.decisions)).toEqual(moves(undisturbed.decisions))
    expect(taken.at(-1)!.applied).toBeLessThan(2e-5)
    expect(job.summary.badSamples.farAhead).toBe(1)
  })

  it.each([1_000_000, 1e12])('without a budget, a step at %i moves no clock either', (far) => {
    for (const kind of ['sample', 'probe'] as const) {
      const job = run(
        1_000,
        (one) => {
          if (kind === 'probe') one.probe(far, { raw: 0.7, averaged: 0.7 })
          else one.step(far, { loss: 0.7 })
          one.flush()
          expect(one.summary.step, kind).toBe(1_000)
        },
        { budgetSteps: null },
      )
      expect(job.summary.step, kind).toBe(4_000)
      expect(job.summary.badSamples.farAhead, kind).toBe(1)
    }
  })
})

describe('a second life from an earlier step', () => {
  const loss = (seed: number) => noisy(exponential(2.5, 0.5, 800), 0.05, noiseOf(seed))
  const lives = (
    budgetSteps: number,
    { died, back, batchRows = 20 }: { died: number; back: number; batchRows?: number },
    second: (step: number) => number,
    more: Partial<ReportedJobOptions> = {},
  ) => {
    const job = new ReportedJob({ budgetSteps, learningRate: 0.01, optimizer: sgd, batchRows, ...more })
    driven(job, { loss: loss(12) }, { toStep: died })
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
        expect(job.trips).toEqual([])
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
    }
  })
})

describe('a budget that is changed', () => {
  const loss = (seed: number) => {
    const normal = noiseOf(seed)
    return (step: number) => 0.9 + 2 * (step + 5) ** -0.35 + 0.02 * normal()
  }
  const options = {
    budgetSteps: 2_000,
    learningRate: 0.01,
    optimizer: { name: 'sgd', momentum: 0.99 },
    batchRows: 20,
  }
  const rebudgeted = (at: number, budgetSteps: number | null, toStep: number) =>
    reportedRun(
      options,
      { loss: loss(19) },
      {
        toStep,
        commands: { [at]: { kind: 'set-budget', budgetSteps, reason: 'still falling', by: 'test' } },
      },
    )

  it.each([20, 400, 1_400, 1_980])(
    'to twice as much at step %i, gives a rate to go on with, and an anneal at its end',
    (at) => {
      const job = rebudgeted(at, 4_000, 4_000)
      expect(job.summary.budgetSteps).toBe(4_000)
      expect(healthyRunFaults(job, 4_000)).toEqual([])
      // What is left of an anneal that was all but over may stay low, but not at 0.
      expect(job.taken[2_000]!.applied).toBeGreaterThan(at < 1_900 ? 0.0005 : 0.00005)
      expect(rateAfter(job, 4_000)).toBe(0)
      expect(job.state.lifecycle).toBe('finished')
    },
  )

  it('to less, ends annealed there', () => {
    for (const at of [200, 900]) {
      const job = rebudgeted(at, 1_200, 2_000)
      expect(job.taken.at(-1)!.step).toBeGreaterThanOrEqual(1_199)
      expect(job.taken.find(({ step }) => step === 1_199)!.applied).toBeLessThan(5e-4)
      expect(job.state.lifecycle).toBe('finished')
    }
  })

  it('to what is past, ends the run', () => {
    const job = rebudgeted(1_000, 600, 2_000)
    expect(job.state.lifecycle).toBe('finished')
    expect(job.taken.length).toBeLessThanOrEqual(1_020)
  })

  it('to none, plans no end', () => {
    const job = rebudgeted(300, null, 2_500)
    expect(job.summary.budgetSteps).toBeNull()
    expect(plannedAnneal(job)).toBeNull()
    expect(job.taken.at(-1)!.applied).toBe(0.01)
  })

  it('of a run that has ended, changes nothing, and is answered by a record', () => {
    const job = reportedRun(options, { loss: loss(19) })
    const { plan, decisionCount } = job.state
    job.command({ kind: 'set-budget', budgetSteps: 4_000, reason: '', by: 'test' })
    expect(job.state.plan).toEqual(plan)
    expect(job.state.lifecycle).toBe('finished')
    expect(job.state.decisionCount).toBe(decisionCount + 1)
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
