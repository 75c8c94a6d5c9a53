// A gradient norm depends on the batch's size and grows early in healthy runs: a jump of it alone, while the loss falls, is
// no divergence; one with a loss that rises is.

import { describe, expect, it } from 'vitest'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { made, stepsOf, wholeRunFaults } from './judged.ts'
import { exponential, noiseOf, powerLaw, squares } from './streams.ts'

const options: ReportedJobOptions = { budgetSteps: 4_000, learningRate: 0.05, batchRows: 20 }

/** ‖g‖² = 1 + tr(Σ)/B, with the scatter of real ones. */
function sized(batchOf: (step: number) => number, seed: number, reportsSize = true): Stream {
  const normal = noiseOf(seed)
  return {
    loss: (step) => exponential(3, 1, 900)(step) + 0.05 * normal(),
    columns: (step) => {
      const batchSize = batchOf(step)
      const microBatchSize = Math.max(1, Math.floor(batchSize / 4))
      return {
        gradientNormSquared: squares(1 + 320 / batchSize, 40, normal),
        microGradientNormSquared: squares(1 + 320 / microBatchSize, 100, normal),
        ...(reportsSize ? { batchSize, microBatchSize } : {}),
      }
    },
  }
}

describe('a batch size that changes', () => {
  const changed = (from: number, to: number, at: number) => (step: number) => (step < at ? from : to)
  const sizes: readonly (readonly [string, (step: number) => number])[] = [
    ['256 to 32 at 1,500', changed(256, 32, 1_500)],
    ['256 to 32 at 100', changed(256, 32, 100)],
    ['256 to 32 at 3,000', changed(256, 32, 3_000)],
    ['1,024 to 16 at 1,500', changed(1_024, 16, 1_500)],
    ['64 to 8 at 2,000', changed(64, 8, 2_000)],
    ['32 to 256 at 1,500', changed(32, 256, 1_500)],
    ['16 up to 1,024, a little each 50 steps', (step) => Math.min(1_024, 16 + 16 * Math.floor(step / 50))],
    ['1,024 down to 16, a little each 50 steps', (step) => Math.max(16, 1_024 - 16 * Math.floor(step / 50))],
    ['256, and 7 at each epoch’s end', (step) => (step % 100 === 99 ? 7 : 256)],
    ['256, and five small ones at each epoch’s end', (step) => (step % 200 >= 195 ? 4 : 256)],
    ['to and fro each 500 steps', (step) => (Math.floor(step / 500) % 2 === 0 ? 256 : 32)],
  ]
  it.each(sizes)('is no divergence: %s', (_, batchOf) => {
    for (const seed of [27, 28, 29])
      for (const capabilities of [[], ['microBatchNorms']] as const) {
        const job = reportedRun({ ...options, capabilities }, sized(batchOf, seed))
        expect(stepsOf(job, 'guard'), `seed ${seed}`).toEqual([])
        expect(wholeRunFaults(job, 4_000), `seed ${seed}`).toEqual([])
      }
  })

  it('is none where the job does not say its size, as the loss goes on falling', () => {
    for (const seed of [27, 28, 29]) {
      const job = reportedRun(options, sized(changed(256, 32, 1_500), seed, false))
      expect(stepsOf(job, 'guard'), `seed ${seed}`).toEqual([])
    }
  })
})

describe('a norm of a healthy run', () => {
  const run = (
    norm: (step: number) => number,
    seed: number,
    parts = 8,
    more: Partial<ReportedJobOptions> = {},
  ) => {
    const normal = noiseOf(seed)
    const mean = powerLaw(2.3, 0.15, 60, 0.8)
    return reportedRun(
      { ...options, ...more },
      {
        loss: (step) => mean(step) * Math.exp(0.25 * normal()),
        columns: (step) => ({ gradientNormSquared: squares(norm(step) ** 2, parts, normal), batchSize: 32 }),
      },
    )
  }
  const norms: readonly (readonly [string, (step: number) => number])[] = [
    ['grows threefold over the ramp', (step) => 0.6 + 1.4 * Math.min(1, step / 50)],
    ['grows tenfold over 200 steps', (step) => 0.3 + 2.7 * Math.min(1, step / 200)],
    [
      'grows eightfold within 40 steps, and falls again',
      (step) => 0.5 + 3.5 * Math.exp(-(((step - 60) / 30) ** 2)),
    ],
    ['leaps sixfold at a stroke, and stays', (step) => (step < 1_800 ? 0.5 : 3)],
    ['leaps for thirty steps, twice', (step) => (step % 1_500 > 1_470 ? 6 : 0.7)],
    ['falls to a hundredth, and grows back', (step) => 0.01 + Math.abs(step - 2_000) / 2_000],
    ['scatters by whole factors', (step) => (step % 13 === 0 ? 4 : 1)],
  ]
  it.each(norms)('%s: the loss falls, so it is let be', (_, norm) => {
    for (const seed of [1, 2, 3, 4]) expect(stepsOf(run(norm, seed), 'guard'), `seed ${seed}`).toEqual([])
  })

  it('scatters as those of small batches do, in 40 runs without one guard', () => {
    const bad: string[] = []
    for (let seed = 0; seed < 40; seed++) {
      const growth = 1 + 2 * (seed % 4)
      const job = run(
        (step) => 0.5 + 0.5 * growth * Math.min(1, step / (20 + 10 * (seed % 7))),
        seed,
        3 + (seed % 5),
      )
      if (made(job, 'guard').length > 0) bad.push(`seed ${seed} at ${stepsOf(job, 'guard')}`)
    }
    expect(bad).toEqual([])
  })
})

describe('a norm that explodes with its loss', () => {
  it.each([60, 1_000, 2_500])('from step %i on is met soon', (from) => {
    for (const seed of [5, 6]) {
      const normal = noiseOf(seed)
      const growth = (step: number) => (step < from ? 1 : Math.min(1e6, 1.15 ** (step - from)))
      const job = reportedRun(options, {
        loss: (step) => exponential(2.3, 0.4, 300)(step) * (1 + 0.05 * normal()) + 0.2 * (growth(step) - 1),
        columns: (step) => ({ gradientNormSquared: squares(growth(step) ** 2, 20, normal), batchSize: 32 }),
      })
      expect(stepsOf(job, 'guard')[0]).toBeGreaterThan(from)
      expect(stepsOf(job, 'guard')[0]).toBeLessThanOrEqual(from + 150)
    }
  })
})
