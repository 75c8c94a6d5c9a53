// A rate is found where there is something to find it by, and otherwise it is the usual one: what was not measured is no
// reason to go higher.

import { describe, expect, it } from 'vitest'
import type { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { stepsOf, wholeRunFaults } from './judged.ts'
import { noiseOf } from './streams.ts'

const usual = { sgd: 0.1, adam: 0.001 } as const
const families = ['sgd', 'adam'] as const

/** The highest rate that any plan holds in the large step or the anneal. */
const highestPlanned = ({ plans }: ReportedJob): number =>
  Math.max(
    ...plans.flatMap(({ plan }) =>
      plan.segments.filter(({ phase }) => phase !== 'warmup').flatMap(({ from, to }) => [from, to]),
    ),
  )

describe('a loss that does not answer to the rate', () => {
  const run = (
    family: 'sgd' | 'adam',
    deviation: number,
    seed: number,
    more: Partial<ReportedJobOptions> = {},
  ) => {
    const normal = noiseOf(seed)
    const options = {
      budgetSteps: 4_000,
      optimizer: { name: family },
      capabilities: ['checkpoint'] as const,
      ...more,
    }
    const score = () => 2.3 + (deviation / 5) * normal()
    return reportedRun(
      options,
      {
        loss: () => 2.3 + deviation * normal(),
        evaluated: { every: 'asked', at: () => ({ raw: score(), averaged: score() }) },
      },
      { toStep: 1_400 },
    )
  }
  const cases = families.flatMap((family) =>
    [0, 0.02, 0.05, 0.1, 0.3].map((deviation) => ({ family, deviation })),
  )

  it.each(cases)(
    'is trained at no more than the usual rate ($family, noise $deviation)',
    ({ family, deviation }) => {
      for (let seed = 0; seed < 8; seed++) {
        const job = run(family, deviation, seed)
        expect(job.summary.largeLearningRate, `seed ${seed}`).not.toBeNull()
        expect(job.summary.largeLearningRate, `seed ${seed}`).toBeLessThanOrEqual(usual[family])
        expect(job.summary.largeLearningRate, `seed ${seed}`).toBeGreaterThanOrEqual(usual[family] / 10)
        expect(highestPlanned(job), `seed ${seed}`).toBeLessThanOrEqual(usual[family])
      }
    },
  )

  it.each(cases)('nor where everything is offered ($family, noise $deviation)', ({ family, deviation }) => {
    const capabilities = ['checkpoint', 'rewind', 'heldOutLoss', 'averagedWeights'] as const
    for (let seed = 0; seed < 8; seed++) {
      const job = run(family, deviation, seed, { capabilities, waits: true })
      expect(job.summary.largeLearningRate, `seed ${seed}`).not.toBeNull()
      expect(job.summary.largeLearningRate, `seed ${seed}`).toBeLessThanOrEqual(1.01 * usual[family])
    }
  })

  it.each(families)('and a given rate stays as it is (%s)', (family) => {
    for (const learningRate of [usual[family] / 30, usual[family], 3 * usual[family]])
      for (let seed = 0; seed < 4; seed++) {
        const job = run(family, 0.1, seed, { learningRate })
        expect(job.summary.largeLearningRate, `seed ${seed}`).toBe(learningRate)
      }
  })

  it('takes the usual rate of what the optimizer is, by any name', () => {
    const names = ['AdamW', 'adamw_bnb_8bit', 'lion', 'Adafactor', 'rmsprop', 'LAMB']
    for (const name of names) {
      const job = run('adam', 0.1, 1, { optimizer: { name } })
      expect(job.summary.largeLearningRate, name).toBeLessThanOrEqual(usual.adam)
    }
  })
})

describe('a table of rates and losses', () => {
  // Rates and losses of a range test that somebody drew: best about .0087, twice the best from .03 on.
  const table: readonly (readonly [number, number])[] = [
    [1e-5, 2.46],
    [1.08e-4, 2.46],
    [2.17e-4, 2.17],
    [4.7e-4, 2.02],
    [1.19e-3, 1.76],
    [3.25e-3, 1.57],
    [8.66e-3, 1.32],
    [1.37e-2, 1.58],
    [2.11e-2, 1.74],
    [3.15e-2, 3.88],
    [8.27e-2, 6.25],
    [0.13, 6.05],
    [0.239, 5.06],
    [0.265, 13.7],
    [0.287, 29.2],
    [1, 40],
  ]
  const read = (rate: number): number => {
    const above = table.findIndex(([at]) => at > rate)
    if (above === 0) return table[0]![1] + 0.01
    if (above === -1) return 40
    const [[a, lossA], [b, lossB]] = [table[above - 1]!, table[above]!]
    return lossA + ((lossB - lossA) * Math.log(rate / a)) / Math.log(b / a)
  }

  it.each([0.02, 0.05, 0.15])('is read as a person would read it, noise or not (%f)', (deviation) => {
    for (let seed = 0; seed < 6; seed++) {
      const normal = noiseOf(seed)
      const options = {
        budgetSteps: 4_000,
        optimizer: { name: 'adam' },
        capabilities: ['checkpoint'] as const,
      }
      const job = reportedRun(
        options,
        { loss: (_, rate) => read(rate) + deviation * normal() },
        { toStep: 900 },
      )
      expect(job.summary.largeLearningRate, `seed ${seed}`).toBeGreaterThanOrEqual(2e-4)
      expect(job.summary.largeLearningRate, `seed ${seed}`).toBeLessThanOrEqual(0.0138)
    }
  })
})

describe('rates of any size', () => {
  /** A job whose best rate is near the given one, whatever that is. */
  const stream = (given: number, seed: number): Stream => {
    const normal = noiseOf(seed)
    let progress = 0
    const level = (rate: number) => {
      const x = rate / given
      return 3 + 4 * Math.exp(-progress / 600) + 0.1 * x + (x > 6 ? 3 * (x - 6) : 0)
    }
    return {
      loss: (_, rate) => {
        const x = rate / given
        progress += x * Math.exp(-((x / 3) ** 2))
        return level(rate) + 0.05 * normal()
      },
      evaluated: {
        every: 'asked',
        at: (_, rate) => ({ raw: level(rate) + 0.05, averaged: level(rate) - (0.05 * rate) / given }),
      },
    }
  }
  const run = (name: string, learningRate: number) =>
    reportedRun(
      {
        budgetSteps: 3_000,
        learningRate,
        optimizer: { name, momentum: 0.9 },
        capabilities: ['checkpoint', 'rewind', 'heldOutLoss', 'averagedWeights'],
      },
      stream(learningRate, 28),
    )
  const groups = [
    { names: ['lars', 'sgd', 'momentum'], rates: [29, 0.05, 5e-7] },
    { names: ['adamw', 'adam', 'lion'], rates: [5e-7, 1e-3, 2] },
  ]
  it.each(groups)('are decided alike: $names at $rates', ({ names, rates }) => {
    const runs = names.map((name, i) => run(name, rates[i]!))
    for (const [i, job] of runs.entries()) {
      expect(wholeRunFaults(job, 3_000), names[i]!).toEqual([])
      expect(stepsOf(job, 'guard'), names[i]!).toEqual([])
      const share = job.summary.largeLearningRate! / rates[i]!
      expect(share, names[i]!).toBeGreaterThan(0.1)
      expect(share, names[i]!).toBeLessThan(6)
      const said = (one: ReportedJob) => one.decisions.map(({ kind, step }) => `${kind} at ${step}`)
      expect(said(job), names[i]!).toEqual(said(runs[0]!))
    }
  })
})

describe('a race that cannot be run as it should', () => {
  const capabilities = ['checkpoint', 'rewind', 'heldOutLoss', 'averagedWeights'] as const
  /** Every faster rate looks better at first, as on most tasks. */
  const flattering = (seed: number): Stream => {
    const normal = noiseOf(seed)
    let progress = 0
    const level = () => 3 + 4 * Math.exp(-progress / 400)
    return {
      loss: (_, rate) => {
        progress += rate / 0.01
        return level() + 0.05 * normal()
      },
      evaluated: {
        every: 'asked',
        at: () => ({ raw: level() + 0.01 * normal(), averaged: level() + 0.01 * normal() }),
      },
    }
  }
  const cases: readonly (readonly [string, Partial<ReportedJobOptions>])[] = [
    ['restores fail', { answers: { restore: 'failed' } }],
    ['restores are not supported', { answers: { restore: 'unsupported' } }],
    ['checkpoints fail', { answers: { checkpoint: 'failed' } }],
    ['there is no held-out set, and data cannot be taken back', { capabilities: ['checkpoint'] }],
    ['nothing is kept', { capabilities: ['heldOutLoss', 'averagedWeights'] }],
    ['the budget is too short', { budgetSteps: 100 }],
  ]
  it.each(cases)('takes no rate above the given one: %s', (_, more) => {
    for (const seed of [1, 2]) {
      const budgetSteps = 3_000
      const job = reportedRun(
        { budgetSteps, learningRate: 0.01, capabilities, waits: true, ...more },
        flattering(seed),
      )
      expect(highestPlanned(job), `seed ${seed}`).toBeLessThanOrEqual(0.01)
      expect(job.summary.largeLearningRate, `seed ${seed}`).toBeLessThanOrEqual(0.01)
      expect(stepsOf(job, 'raise'), `seed ${seed}`).toEqual([])
    }
  })
})
