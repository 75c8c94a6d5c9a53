// A job that does not follow its plan is told so, with both rates, within some fifty steps; what it then does is never
// called annealed. A job that follows in its own way, late, rounded or through its own warm-up, is not accused.

import { describe, expect, it } from 'vitest'
import type { ReportedJob } from '../reportedJob.ts'
import { ReportedJob as Job } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { driven, reportedRun } from './driven.ts'
import { made, stepsOf } from './judged.ts'
import { exponential, noiseOf, noisy } from './streams.ts'

const stream = (seed = 26) => ({ loss: noisy(exponential(2.5, 0.5, 300), 0.03, noiseOf(seed)) })
const options = {
  budgetSteps: 2_000,
  learningRate: 0.001,
  optimizer: { name: 'adam' },
  batchRows: 20,
} as const
const run = (more: Partial<ReportedJobOptions>): ReportedJob => reportedRun({ ...options, ...more }, stream())
const firstRows = (job: ReportedJob): number => made(job, 'drift')[0]?.rows ?? Number.POSITIVE_INFINITY

describe('a job at another rate than the planned one', () => {
  const rates: readonly (readonly [string, (step: number, planned: number) => number])[] = [
    ['ten times the given rate', () => 0.01],
    ['three times the planned one', (_, planned) => 3 * planned],
    ['a third of the planned one', (_, planned) => planned / 3],
    ['half of the planned one', (_, planned) => planned / 2],
    ['a hundredth of it', (_, planned) => planned / 100],
  ]
  it.each(rates)('is told so: %s', (_, ownRate) => {
    for (const more of [{}, { lagSteps: 20 }, { sendsPlanVersion: false }, { batchRows: 1 }]) {
      const job = new Job({ ...options, ...more, ownRate })
      driven(job, stream(), { toStep: 400 })
      expect(firstRows(job)).toBeLessThanOrEqual(120)
      const { drift } = job.summary
      expect(drift).not.toBeNull()
      expect(drift!.sinceStep).toBeLessThanOrEqual(60)
      expect(drift!.applied / drift!.planned).toBeCloseTo(ownRate(300, 0.001) / 0.001, 3)
    }
  })

  it('is told again only when something has changed', () => {
    const job = run({ ownRate: () => 0.01 })
    expect(made(job, 'drift').length).toBeGreaterThanOrEqual(1)
    expect(made(job, 'drift').length).toBeLessThanOrEqual(5)
  })

  it('is never called annealed, while its rate is not', () => {
    const job = new Job({ ...options, ownRate: () => 0.01 })
    driven(job, stream(), { toStep: 1_900 })
    expect(job.summary.headline).not.toMatch(/^Anneal/i)
    expect(job.summary.drift).not.toBeNull()
    expect(job.summary.learningRate).toBe(0.01)
    expect(job.summary.phase).not.toBe('done')
  })

  it('that comes back to it, is told no more', () => {
    const job = new Job({ ...options, ownRate: (step, planned) => (step < 500 ? planned / 3 : planned) })
    driven(job, stream(), { toStep: 480 })
    expect(job.summary.drift).not.toBeNull()
    driven(job, stream(), { fromStep: 480, toStep: 700 })
    expect(job.summary.drift).toBeNull()
    driven(job, stream(), { fromStep: 700, toStep: 2_000 })
    expect(job.taken.at(-1)!.applied).toBeLessThan(2e-5)
  })

  it('that leaves the plan when it anneals is told then', () => {
    const job = run({ ownRate: () => 0.001 })
    const annealed = stepsOf(job, 'switch')[0] ?? 2_000
    const told = made(job, 'drift').map(({ rows }) => rows)
    expect(told.some((rows) => rows > annealed && rows < annealed + 400)).toBe(true)
  })
})

describe('a job that follows in its own way', () => {
  const ways: readonly (readonly [string, Partial<ReportedJobOptions>])[] = [
    ['to the step', {}],
    ['with answers 50 steps late', { lagSteps: 50 }],
    ['with answers 50 steps late, and no plan named', { lagSteps: 50, sendsPlanVersion: false }],
    ['rounded to three digits', { ownRate: (_, planned) => Number(planned.toPrecision(3)) }],
    ['one step behind', { ownRate: oneBehind() }],
    ['without saying its rate', { reportsRate: false }],
    [
      'by its own warm-up of 200 steps',
      { warmupSteps: 200, ownRate: (step, planned) => planned * Math.min(1, (step + 1) / 200) },
    ],
    ['in advisory mode, where it keeps its own', { mode: 'advisory', ownRate: () => 0.02 }],
    ['unsteered', { mode: 'off', ownRate: () => 0.02 }],
  ]
  function oneBehind(): (step: number, planned: number) => number {
    let last: number | null = null
    let at = -1
    let before: number | null = null
    return (step, planned) => {
      if (step !== at) [before, last, at] = [last, planned, step]
      return before ?? planned
    }
  }
  it.each(ways)('is not accused: %s', (_, more) => {
    for (const batchRows of [1, 20]) {
      const job = run({ ...more, batchRows })
      expect(stepsOf(job, 'drift')).toEqual([])
      expect(job.summary.drift ?? null).toBeNull()
    }
  })

  it('nor where the tripwire holds it low for an answer', () => {
    const normal = noiseOf(3)
    const loss = (step: number) =>
      exponential(2.5, 0.5, 300)(step) + 0.03 * normal() + (step === 800 ? 500 : 0)
    const job = reportedRun({ ...options, lagSteps: 10 }, { loss })
    expect(stepsOf(job, 'drift')).toEqual([])
  })

  it('nor with a rate set by hand', () => {
    const job = reportedRun(options, stream(), {
      commands: { 300: { kind: 'override', learningRate: 0.0002, untilStep: 600, reason: '', by: 'test' } },
    })
    expect(stepsOf(job, 'drift')).toEqual([])
  })
})
