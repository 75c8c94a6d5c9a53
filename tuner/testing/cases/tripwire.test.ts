// The tripwire guards the time between two answers, and no longer: its limits follow the level of the loss and of the
// norm in every phase, so that a job whose answers come late is not held at a tenth of its rate for hundreds of steps
// without a word.

import { describe, expect, it } from 'vitest'
import type { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { made, stepsBelowPlan } from './judged.ts'
import { exponential, noiseOf, squares } from './streams.ts'

/** Applied over planned rates, from the first trip on. */
function shareAfterTrip({ taken, trips }: ReportedJob): number {
  const after = taken.filter(({ step }) => step >= (trips[0] ?? Number.POSITIVE_INFINITY))
  const sum = (key: 'applied' | 'planned') => after.reduce((total, entry) => total + entry[key], 0)
  return after.length === 0 ? 1 : sum('applied') / Math.max(sum('planned'), Number.MIN_VALUE)
}

/** What is not a guard's answer is no cause to stay low. */
const streams: readonly { name: string; budgetSteps: number; loss: (step: number) => number }[] = [
  { name: 'rises from 0', budgetSteps: 1_000, loss: (step) => (step < 200 ? 0 : 5e-5 * (step - 200)) },
  {
    name: 'has a new level from 1,500 on',
    budgetSteps: 4_000,
    loss: (step) => (step < 1_500 ? exponential(2, 0.4, 100)(step) : 2.2),
  },
  {
    name: 'has a new level in the last tenth',
    budgetSteps: 4_000,
    loss: (step) => (step < 3_700 ? exponential(2, 0.4, 100)(step) : 2.2),
  },
  { name: 'grows slowly', budgetSteps: 4_000, loss: (step) => 1.0006 ** step },
  { name: 'grows slowly late', budgetSteps: 8_000, loss: (step) => 1.0006 ** Math.max(0, step - 4_000) },
  { name: 'grows by a straight line', budgetSteps: 4_000, loss: (step) => 0.5 + step / 800 },
  { name: 'grows below 0', budgetSteps: 4_000, loss: (step) => -6 + step / 800 },
]
const lags = [0, 5, 10, 50]

describe.each(streams)('a loss that $name', ({ budgetSteps, loss }) => {
  it.each(lags)('is not held below its plan, with answers %i steps late', (lagSteps) => {
    for (const sendsPlanVersion of [true, false]) {
      const normal = noiseOf(1)
      const noisy = (step: number) => {
        const mean = loss(step)
        return mean === 0 ? 0 : mean + (0.0004 + Math.abs(mean) * 0.03) * normal()
      }
      const options = {
        budgetSteps,
        learningRate: 1e-3,
        optimizer: { name: 'adamw' },
        lagSteps,
        sendsPlanVersion,
      }
      const job = reportedRun(options, { loss: noisy })
      expect(shareAfterTrip(job)).toBeGreaterThan(0.85)
      expect(stepsBelowPlan(job)).toBeLessThanOrEqual(60 + 4 * lagSteps)
      // What was held low longer than one answer takes is in the record.
      if (job.trips.length > 3)
        expect(made(job, 'guard').length + made(job, 'hold').length).toBeGreaterThan(0)
    }
  })
})

describe('a gradient norm', () => {
  const run = (options: Partial<ReportedJobOptions>, norm: (step: number) => number, seed = 3) => {
    const normal = noiseOf(seed)
    const stream: Stream = {
      loss: (step) => exponential(3, 0.5, 600)(step) + 0.03 * normal(),
      columns: (step) => ({ gradientNormSquared: squares(norm(step) ** 2, 40, normal) }),
    }
    return reportedRun(
      { budgetSteps: 4_000, learningRate: 1e-3, optimizer: { name: 'adamw' }, ...options },
      stream,
    )
  }
  it.each(lags)(
    'that grows twentyfold while the loss falls holds nothing below its plan (%i steps late)',
    (lagSteps) => {
      for (const fromStep of [200, 1_500, 3_200]) {
        const job = run({ lagSteps }, (step) => 1 + 19 * Math.min(1, Math.max(0, (step - fromStep) / 700)))
        expect(shareAfterTrip(job), `from ${fromStep}`).toBeGreaterThan(0.9)
        expect(stepsBelowPlan(job), `from ${fromStep}`).toBeLessThanOrEqual(30 + 2 * lagSteps)
      }
    },
  )

  it.each(lags)(
    'that is 0 while nothing is learned holds nothing low afterwards (%i steps late)',
    (lagSteps) => {
      for (const zeroSteps of [20, 300]) {
        const job = run({ lagSteps }, (step) => (step < zeroSteps ? 0 : 1))
        expect(stepsBelowPlan(job), `0 for ${zeroSteps}`).toBeLessThanOrEqual(30 + 2 * lagSteps)
        expect(job.trips.length, `0 for ${zeroSteps}`).toBeLessThanOrEqual(20)
        expect(made(job, 'guard'), `0 for ${zeroSteps}`).toEqual([])
      }
    },
  )

  it('that leaps for one step lowers the rate for one answer', () => {
    const job = run({ lagSteps: 10 }, (step) => (step === 2_000 ? 1e4 : 1))
    expect(stepsBelowPlan(job)).toBeLessThanOrEqual(25)
    expect(made(job, 'guard')).toEqual([])
  })
})

describe('a loss that does come apart', () => {
  it.each(lags)('trips the wire, and the guard is heard (%i steps late)', (lagSteps) => {
    const normal = noiseOf(4)
    const loss = (step: number) =>
      exponential(3, 0.5, 300)(step) * (1 + 0.03 * normal()) + (step < 2_000 ? 0 : 1.08 ** (step - 2_000) - 1)
    const job = reportedRun({ budgetSteps: 4_000, learningRate: 0.1, lagSteps, batchRows: 100 }, { loss })
    expect(job.trips[0]).toBeGreaterThan(2_000)
    expect(job.trips[0]).toBeLessThan(2_100)
    expect(made(job, 'guard')[0]?.decision.step).toBeLessThan(2_200)
  })
})
