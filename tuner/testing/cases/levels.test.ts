// Where a loss lies says nothing: at 0, below 0 or across it, tiny or huge, what counts is how it moves (reports of
// policy losses that begin at 0, of critics, of negative overlap scores, of equations solved to fourteen digits).

import { describe, expect, it } from 'vitest'
import { random } from '../random.ts'
import type { ReportedJob } from '../reportedJob.ts'
import { reportedRun } from './driven.ts'
import { healthyRunFaults, lastRateShare, moves, stepsOf, wholeRunFaults } from './judged.ts'
import { noiseOf, noisy } from './streams.ts'

const plannedShare = ({ taken }: ReportedJob): number =>
  taken.reduce((sum, { applied }) => sum + applied, 0) / taken.reduce((sum, { planned }) => sum + planned, 0)

describe('a policy loss that is 0 at first and rises by design', () => {
  const budgetSteps = 1_000
  const policyLoss = (variant: string, slope: number) => {
    const normal = noiseOf(1)
    return (step: number) => {
      const base = step < budgetSteps / 5 ? 0 : slope * (step - budgetSteps / 5)
      const deviation = variant === 'exactly 0' && base === 0 ? 0 : slope * 8 + base * 0.1
      const loss = base + deviation * normal()
      return variant === 'not rounded' ? loss : Math.round(loss * 1e4) / 1e4
    }
  }
  const cases = ['exactly 0', 'rounding noise', 'not rounded'].flatMap((variant) =>
    [0, 10, 50].map((lagSteps) => ({ variant, lagSteps })),
  )

  it.each(cases)(
    'is trained to its end ($variant, answers $lagSteps steps late)',
    ({ variant, lagSteps }) => {
      const loss = policyLoss(variant, 5e-5)
      const draw = random(2)
      const job = reportedRun(
        { budgetSteps, learningRate: 1e-6, optimizer: { name: 'adamw' }, lagSteps },
        {
          loss,
          columns: (step) => ({ metrics: { reward: Math.min(1, step / 800) + 0.1 * (draw() - 0.5) } }),
        },
      )
      expect(stepsOf(job, 'guard')).toEqual([])
      expect(job.taken.length).toBe(budgetSteps)
      expect(plannedShare(job)).toBeGreaterThan(0.95)
      expect(lastRateShare(job)).toBeLessThan(0.05)
    },
  )

  it.each([5e-7, 5e-3])('whatever its unit (slope %f)', (slope) => {
    const loss = policyLoss('not rounded', slope)
    const job = reportedRun({ budgetSteps, learningRate: 1e-6, optimizer: { name: 'adamw' } }, { loss })
    expect(stepsOf(job, 'guard')).toEqual([])
    expect(plannedShare(job)).toBeGreaterThan(0.95)
  })
})

describe("a critic's loss that falls far below 0 and climbs back as it learns", () => {
  const critic = (depth: number, deviation: number, seed: number) => {
    const normal = noiseOf(seed)
    const mean = (step: number) =>
      step < 1_000 ? -depth * Math.min(1, step / 500) : -depth * Math.exp(-(step - 1_000) / 1_200)
    return noisy(mean, deviation, normal)
  }
  const cases = [
    { depth: 30, deviation: 1.2, shift: 0 },
    { depth: 30, deviation: 1.2, shift: 1 },
    { depth: 30, deviation: 1.2, shift: -5 },
    { depth: 30, deviation: 1.2, shift: 40 },
    { depth: 0.3, deviation: 0.02, shift: 0 },
    { depth: 3_000, deviation: 200, shift: 0 },
  ]
  it.each(cases)('is healthy (depth $depth, shifted by $shift)', ({ depth, deviation, shift }) => {
    for (const seed of [2, 3]) {
      const loss = critic(depth, deviation, seed)
      const job = reportedRun(
        { budgetSteps: 6_000, learningRate: 1e-4, optimizer: { name: 'adam' }, batchRows: 20 },
        { loss: (step) => loss(step) + shift },
      )
      expect(healthyRunFaults(job, 6_000), `seed ${seed}`).toEqual([])
    }
  })
})

describe('a negative overlap score', () => {
  const options = { budgetSteps: 6_000, learningRate: 0.01, batchRows: 20 } as const
  const collapse = (shift: number, deviation: number, at: number, overSteps: number) => {
    const normal = noiseOf(30)
    const mean = (step: number) => {
      const learned = -0.85 * (1 - Math.exp(-Math.min(step, at) / 500)) - 0.02
      return step < at ? learned : Math.min(-0.02, learned + (0.85 * (step - at)) / overSteps)
    }
    return noisy((step) => mean(step) + shift, deviation, normal)
  }
  const shifts = [0, 1, -5, 100]
  const cases = [
    { deviation: 0.01, at: 3_000, overSteps: 1 },
    { deviation: 0.03, at: 3_000, overSteps: 1 },
    { deviation: 0.01, at: 1_200, overSteps: 1 },
    { deviation: 0.01, at: 4_500, overSteps: 1 },
    { deviation: 0.01, at: 3_000, overSteps: 50 },
  ]

  it.each(cases)(
    'that collapses at $at over $overSteps steps is met, alike at every shift (scatter $deviation)',
    (c) => {
      const jobs = shifts.map((shift) =>
        reportedRun(options, { loss: collapse(shift, c.deviation, c.at, c.overSteps) }),
      )
      for (const [i, job] of jobs.entries()) {
        const first = stepsOf(job, 'guard')[0] ?? Number.POSITIVE_INFINITY
        expect(first, `shift ${shifts[i]}`).toBeGreaterThan(c.at)
        expect(first, `shift ${shifts[i]}`).toBeLessThanOrEqual(c.at + c.overSteps + 100)
        expect(moves(job.decisions), `shift ${shifts[i]}`).toEqual(moves(jobs[0]!.decisions))
      }
    },
  )

  it('that learns is judged alike at every shift, with everything measured', () => {
    const runs = shifts.map((shift) => {
      const normal = noiseOf(31)
      const mean = (step: number) => -0.92 + 0.9 * (1 + step / 150) ** -0.6
      return reportedRun(
        {
          ...options,
          mode: 'approve',
          capabilities: ['heldOutLoss', 'averagedWeights', 'checkpoint', 'microBatchNorms'],
        },
        {
          loss: (step, rate) => mean(step) + 3 * rate + shift + 0.02 * normal(),
          columns: () => ({
            gradientNormSquared: 0.5,
            microGradientNormSquared: 1.4,
            batchSize: 32,
            microBatchSize: 8,
          }),
          evaluated: {
            every: 'asked',
            otherwise: 40,
            at: (step, rate) => ({
              raw: mean(step) + 0.02 + 3 * rate + shift + 0.008 * normal(),
              averaged: mean(step) + 0.02 + shift + 0.004 * normal(),
            }),
          },
        },
      )
    })
    expect(healthyRunFaults(runs[0]!, options.budgetSteps)).toEqual([])
    // The regime is a share of the loss, so where that lies it is another one.
    const kinds = runs.map(({ decisions }) =>
      decisions.flatMap(({ kind, step }) => (kind === 'transition' ? [] : [`${kind} at ${step}`])),
    )
    for (const [i, list] of kinds.entries()) expect(list, `shift ${shifts[i]}`).toEqual(kinds[0])
  })
})

describe('other losses below 0', () => {
  it('a log-likelihood of densities falls through 0, and is healthy', () => {
    for (const seed of [1, 2, 3]) {
      const loss = noisy((step) => -3.4 + 5 * (1 + step / 100) ** -0.5, 0.25, noiseOf(seed))
      const job = reportedRun(
        { budgetSteps: 5_000, learningRate: 1e-3, optimizer: { name: 'adam' } },
        { loss },
      )
      expect(healthyRunFaults(job, 5_000), `seed ${seed}`).toEqual([])
    }
  })

  it('a density that explodes from −3.4 to +20 is met', () => {
    const normal = noiseOf(4)
    const loss = (step: number) =>
      -3.4 + 5 * (1 + step / 100) ** -0.5 + 0.1 * normal() + Math.min(23, Math.max(0, (step - 3_000) / 4))
    const job = reportedRun({ budgetSteps: 5_000, learningRate: 1e-3, optimizer: { name: 'adam' } }, { loss })
    expect(stepsOf(job, 'guard')[0]).toBeGreaterThan(3_000)
    expect(stepsOf(job, 'guard')[0]).toBeLessThanOrEqual(3_150)
  })

  it('a negated return that grows, and its scatter with it, is healthy', () => {
    for (const seed of [1, 2, 3]) {
      const normal = noiseOf(seed)
      const loss = (step: number) => {
        const gained = -10 - 990 * (1 - Math.exp(-step / 2_000))
        return gained * (1 + 0.15 * normal())
      }
      const job = reportedRun(
        { budgetSteps: 6_000, learningRate: 3e-4, optimizer: { name: 'adam' } },
        { loss },
      )
      expect(healthyRunFaults(job, 6_000), `seed ${seed}`).toEqual([])
    }
  })
})

describe('a loss that is logged rounded', () => {
  it.each([1, 2, 4])('to %i decimals is healthy, though it often stands still', (decimals) => {
    for (let seed = 1; seed <= 8; seed++) {
      const normal = noiseOf(seed)
      const unit = 10 ** -decimals
      // In units of the last digit: from 20 to 5.5, with a fifth of a digit of scatter, which is on an edge of rounding.
      const loss = (step: number) => unit * Math.round(5.5 + 15 * Math.exp(-step / 500) + 0.2 * normal())
      const job = reportedRun({ budgetSteps: 4_000, learningRate: 0.01 }, { loss })
      expect(healthyRunFaults(job, 4_000), `seed ${seed}`).toEqual([])
    }
  })

  it('to whole numbers, as counts of errors are, is healthy', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const normal = noiseOf(seed)
      const loss = (step: number) =>
        Math.max(0, Math.round(0.3 + 12 * Math.exp(-step / 400) + 0.4 * normal()))
      const job = reportedRun({ budgetSteps: 4_000, learningRate: 0.01 }, { loss })
      expect(wholeRunFaults(job, 4_000), `seed ${seed}`).toEqual([])
      expect(stepsOf(job, 'guard'), `seed ${seed}`).toEqual([])
    }
  })
})
