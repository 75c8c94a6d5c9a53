// Ends are met: a run whose last report comes one distance before its budget has ended, one that stops by itself can be
// ended by hand, and a very short one is carried through.

import { describe, expect, it } from 'vitest'
import { ReportedJob } from '../reportedJob.ts'
import { driven, reportedRun } from './driven.ts'
import { healthyRunFaults, lastRateShare, stepsOf } from './judged.ts'
import { exponential, noiseOf, noisy } from './streams.ts'

describe('a job that reports each so many steps', () => {
  const cases = [
    { budgetSteps: 19_200, everySteps: 10, fromStep: 0 },
    { budgetSteps: 10_000_000, everySteps: 1_000, fromStep: 0 },
    { budgetSteps: 5_000, everySteps: 50, fromStep: 0 },
    { budgetSteps: 5_000, everySteps: 50, fromStep: 50 },
    { budgetSteps: 5_000, everySteps: 50, fromStep: 49 },
    { budgetSteps: 5_003, everySteps: 50, fromStep: 0 },
    { budgetSteps: 2_500, everySteps: 10, fromStep: 10 },
    { budgetSteps: 1_000, everySteps: 7, fromStep: 3 },
  ]
  it.each(cases)(
    'of $budgetSteps (each $everySteps, from $fromStep) is finished at its last report',
    (one) => {
      const { budgetSteps, everySteps, fromStep } = one
      for (const batchRows of [1, 10]) {
        const loss = noisy(exponential(2, 0.6, budgetSteps / 10), 0.05, noiseOf(10))
        const job = reportedRun(
          { budgetSteps, learningRate: 2e-5, optimizer: { name: 'adamw' }, batchRows },
          { loss, everySteps },
          { fromStep, toStep: budgetSteps + (fromStep === everySteps ? 1 : 0) },
        )
        expect(stepsOf(job, 'guard')).toEqual([])
        expect(stepsOf(job, 'finish').length).toBe(1)
        expect(job.state.lifecycle).toBe('finished')
        expect(job.summary.phase).toBe('done')
        expect(job.taken.length).toBeGreaterThanOrEqual(Math.floor(budgetSteps / everySteps) - 1)
        expect(lastRateShare(job)).toBeLessThan(0.03)
      }
    },
  )

  it('with a last line twice, the second of them the mean of the whole run, is finished as well', () => {
    const normal = noiseOf(16)
    const job = new ReportedJob({
      budgetSteps: 2_500,
      learningRate: 5e-5,
      optimizer: { name: 'adamw' },
      batchRows: 1,
    })
    const mean = (step: number) => 0.9 * Math.exp(-step / 900) + 0.6 + 0.01 * normal()
    driven(
      job,
      { loss: (step) => mean(step) / (step % 250 === 0 ? 2 : 1), everySteps: 10 },
      { fromStep: 10, toStep: 2_501 },
    )
    job.isFinished = false
    job.step(2_500, { loss: 1 })
    job.flush()
    expect(stepsOf(job, 'guard')).toEqual([])
    expect(job.trips).toEqual([])
    expect(stepsOf(job, 'finish').length).toBe(1)
    expect(job.state.lifecycle).toBe('finished')
  })

  it('and leaves out a good part of them, is finished all the same', () => {
    const job = new ReportedJob({ budgetSteps: 3_000, learningRate: 0.01, batchRows: 1 })
    for (let step = 0; step < 3_000 && !job.isFinished; step += step < 1_000 ? 1 : 25)
      job.step(step, { loss: 1 + 1 / (1 + step) })
    job.flush()
    expect(job.state.lifecycle).toBe('finished')
  })
})

describe('a job that evaluates in its own rhythm', () => {
  it.each([40, 70, 333, 1_333, 5_000])(
    'of one evaluation each %i steps is finished when its steps are taken',
    (every) => {
      for (const capabilities of [
        ['heldOutLoss'],
        ['heldOutLoss', 'averagedWeights'],
        ['heldOutLoss', 'averagedWeights', 'checkpoint'],
      ] as const)
        for (const mode of ['auto', 'approve'] as const) {
          const normal = noiseOf(3)
          const mean = (step: number) => 0.5 + Math.exp(-step / 500) + 0.01 * normal()
          const job = reportedRun(
            { budgetSteps: 4_000, learningRate: 0.01, capabilities, mode },
            {
              loss: mean,
              evaluated: {
                every,
                at: (step) => ({
                  raw: mean(step) + 0.1,
                  averaged: capabilities.length > 1 ? mean(step) : undefined,
                }),
              },
            },
          )
          // It has answered by then that it makes no evaluations that are asked for.
          job.flush()
          expect(job.state.lifecycle, `${capabilities}, ${mode}`).toBe('finished')
        }
    },
  )
})

describe('a smoke test', () => {
  it.each([20, 21, 30, 50, 100])('of %i steps is trained to its end, annealed', (budgetSteps) => {
    for (const batchRows of [1, 5, 50]) {
      const job = reportedRun(
        { budgetSteps, learningRate: 0.01, batchRows },
        { loss: (step) => 1 + 1 / (step + 1) },
      )
      expect(job.taken.length).toBe(budgetSteps)
      expect(stepsOf(job, 'guard')).toEqual([])
      expect(job.taken.at(-1)!.applied).toBeLessThan(0.005)
      expect(Math.max(...job.taken.map(({ applied }) => applied))).toBeLessThanOrEqual(0.01)
      expect(job.state.lifecycle).toBe('finished')
    }
  })

  it('that offers everything and names no rate is not searched to death', () => {
    const job = reportedRun(
      {
        budgetSteps: 60,
        capabilities: ['checkpoint', 'rewind', 'heldOutLoss', 'averagedWeights'],
        waits: true,
      },
      {
        loss: (step) => 1 + 1 / (step + 1),
        evaluated: { every: 'asked', at: (step) => ({ raw: 1 + 1 / step, averaged: 1 + 1 / step }) },
      },
    )
    expect(job.taken.length).toBe(60)
    expect(Math.max(...job.taken.map(({ applied }) => applied))).toBeLessThanOrEqual(0.1)
  })
})

describe('a job that stops by itself', () => {
  const stopped = (at: number) => {
    const job = new ReportedJob({ budgetSteps: 1_000, learningRate: 0.01, batchRows: 5 })
    return driven(job, { loss: (step) => 1 + 1 / (step + 1) }, { toStep: at })
  }
  it('is not called finished for that: it may come back', () => {
    expect(stopped(600).state.lifecycle).toBe('running')
  })
  it('is finished where somebody says so', () => {
    const job = stopped(600)
    job.command({ kind: 'finish', reason: 'early stopping of the job', by: 'test' })
    expect(job.state.lifecycle).toBe('finished')
    expect(job.summary.phase).toBe('done')
  })
})

describe('a run that is carried through', () => {
  it('says whether it ended better than it began, where that is known', () => {
    const better = reportedRun(
      { budgetSteps: 1_000, learningRate: 0.01 },
      { loss: noisy(exponential(2, 0.5, 200), 0.02, noiseOf(1)) },
    )
    expect(healthyRunFaults(better, 1_000)).toEqual([])
    expect(better.summary.outcome?.isBetter ?? null).not.toBe(false)
    const running = new ReportedJob({ budgetSteps: 1_000, learningRate: 0.01 })
    expect(running.summary.outcome ?? null).toBeNull()
  })

  it('and knows when it did not', () => {
    const evaluated = {
      every: 50,
      at: (step: number) => ({ raw: 2.3 + step / 4_000, averaged: 2.3 + step / 4_000 }),
    }
    const worse = reportedRun(
      { budgetSteps: 1_000, learningRate: 0.01, capabilities: ['heldOutLoss', 'averagedWeights'] },
      { loss: noisy((step) => 2.3 + step / 4_000, 0.005, noiseOf(2)), evaluated },
    )
    expect(worse.summary.outcome?.isBetter ?? null).not.toBe(true)
  })
})
