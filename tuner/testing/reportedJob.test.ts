// The reported job itself: that it is as honest as it says, so that what the cases find is the tuner's doing.

import { describe, expect, it } from 'vitest'
import { evaluatePlan } from '../../protocol/plan.ts'
import { driven, reportedRun } from './cases/driven.ts'
import { ReportedJob } from './reportedJob.ts'

const falling = { loss: (step: number) => 0.5 + 2 / (1 + step / 50) }
const options = { budgetSteps: 400, learningRate: 0.01 } as const
const reported = ({ log }: ReportedJob) =>
  log.flatMap((entry) => (entry.kind === 'samples' ? entry.columns.step : []))

describe('a reported job', () => {
  it('reports every step once, in order, with the rate that it applied', () => {
    for (const more of [{}, { lagSteps: 30 }, { batchRows: 7 }, { acts: 'when-due' as const }]) {
      const job = reportedRun({ ...options, ...more }, falling)
      expect(reported(job)).toEqual(job.taken.map(({ step }) => step))
      const rates = job.log.flatMap((entry) => (entry.kind === 'samples' ? entry.columns.learningRate! : []))
      expect(rates).toEqual(job.taken.map(({ applied }) => applied))
    }
  })

  it('follows the plan that it last heard of, and names it', () => {
    for (const lagSteps of [0, 30]) {
      const job = reportedRun({ ...options, lagSteps }, falling)
      const plans = new Map([...job.plans.map(({ plan }) => plan)].map((plan) => [plan.version, plan]))
      for (const entry of job.log) {
        if (entry.kind !== 'samples') continue
        const plan = plans.get(entry.planVersion!)!
        for (const [i, step] of entry.columns.step.entries())
          expect(entry.columns.learningRate![i]).toBe(evaluatePlan(plan, step).learningRate)
      }
    }
  })

  it('hears an answer as late as it is said to', () => {
    const job = new ReportedJob({ ...options, lagSteps: 25, batchRows: 10 })
    const before = job.plan
    job.command({ kind: 'override', learningRate: 0.5, untilStep: 300, reason: '', by: 'test' })
    driven(job, falling, { toStep: 30 })
    expect(job.plan).toBe(before)
    driven(job, falling, { fromStep: 30, toStep: 60 })
    expect(job.taken.findIndex(({ applied }) => applied === 0.5)).toBe(35)
  })

  it('is cut off: goes on alone, and is heard whole when it is back', () => {
    const job = reportedRun(options, falling, { cutOff: { fromStep: 100, toStep: 300 } })
    expect(reported(job)).toEqual(Array.from({ length: 400 }, (_, step) => step))
    const alone = job.taken.slice(100, 300)
    const heard = job.plans.findLast(({ rows }) => rows <= 100)!.plan
    expect(alone.map(({ applied }) => applied)).toEqual(
      alone.map(({ step }) => evaluatePlan(heard, step).learningRate),
    )
  })

  it('obeys the tripwire until the next answer', () => {
    const job = reportedRun(
      { ...options, lagSteps: 8 },
      { loss: (step) => (step >= 200 && step < 206 ? Number.NaN : 1) },
    )
    expect(job.trips[0]).toBe(204)
    const [before, after] = [job.taken[204]!, job.taken[205]!]
    expect(before.applied).toBe(before.planned)
    expect(after.applied).toBeLessThan(after.planned)
  })

  it('acknowledges what it was asked, once', () => {
    const job = reportedRun(
      { ...options, capabilities: ['checkpoint'], answers: { checkpoint: 'failed' } },
      falling,
    )
    const answers = job.log.flatMap((entry) =>
      entry.kind === 'acknowledgement' ? [entry.acknowledgement] : [],
    )
    expect(new Set(answers.map(({ actionId }) => actionId)).size).toBe(answers.length)
    expect(answers.length).toBeGreaterThan(0)
  })
})
