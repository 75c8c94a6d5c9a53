// One absurd number does not end a run: a step or probe far beyond all others is left out and counted.

import { describe, expect, it } from 'vitest'
import { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { driven, type Stream } from './driven.ts'
import { moves } from './judged.ts'
import { noiseOf, powerLaw } from './streams.ts'

const adam = { name: 'adam' }

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
