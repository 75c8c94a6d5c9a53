// A budget that a person changes: what can be applied is, and what cannot is answered by a record.

import { describe, expect, it } from 'vitest'
import { reportedRun } from './driven.ts'
import { healthyRunFaults, plannedAnneal, rateAfter } from './judged.ts'
import { noiseOf } from './streams.ts'

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
      // An anneal that began too early for the longer budget is undone.
      expect(healthyRunFaults(job, 4_000)).toEqual(at < 1_500 ? [] : [`undo at ${at}`])
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

  it.each([
    [50_000, 46_000, 46_000],
    [50_000, 55_000, 55_000],
    [50_000, 4_000, 44_000],
    [10_000, 15_000, 55_000],
    [null, 46_000, 46_000],
  ])(
    'is read as the first one, of a counter that began at 40,000: %j, then %i, ends at %i',
    (before, after, end) => {
      const origin = 40_000
      const job = reportedRun(
        { ...options, budgetSteps: before },
        { loss: (step) => loss(19)(step - origin) },
        {
          fromStep: origin,
          toStep: origin + 16_000,
          commands: { [origin + 1_000]: { kind: 'set-budget', budgetSteps: after, reason: '', by: 'test' } },
        },
      )
      const set = job.decisions.find(({ reason }) => reason.key === 'budget-set')
      expect(set?.reason.values).toMatchObject({ budgetSteps: after, origin, end })
      expect(job.taken.at(-1)!.step).toBe(end - 1)
      expect(job.taken.at(-1)!.applied).toBeLessThan(1e-4)
      expect(job.state.lifecycle).toBe('finished')
    },
  )

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
