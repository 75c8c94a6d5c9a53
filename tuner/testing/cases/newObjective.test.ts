// A new objective is not divergence: stages, unfrozen layers, curricula, weights of loss terms, a logged mean that
// becomes a sum. The loss jumps, on purpose, and is learned again. The run takes all its steps, at the rates that it
// would have had without the jump; a job may also say beforehand that its objective changes.

import { describe, expect, it } from 'vitest'
import type { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { healthyRunFaults, rateSum, stepsOf, wholeRunFaults } from './judged.ts'
import { exponential, noiseOf, noisy, scaled } from './streams.ts'

type Case = {
  readonly name: string
  readonly options: ReportedJobOptions & { readonly budgetSteps: number }
  /** The loss with its jumps; each call draws its own noise. */
  readonly loss: (seed: number) => (step: number) => number
  readonly columns?: (step: number) => { readonly gradientNormSquared: number }
}

/** Learning that starts anew at each of some steps. */
const stages =
  (list: readonly { fromStep: number; from: number; to: number; steps: number }[]) => (step: number) => {
    const { fromStep, from, to, steps } = list.findLast((stage) => step >= stage.fromStep)!
    return exponential(from, to, steps)(step - fromStep)
  }

const threeStages = stages([
  { fromStep: 0, from: 2, to: 0.4, steps: 700 },
  { fromStep: 5_000, from: 1.9, to: 0.7, steps: 1_500 },
  { fromStep: 10_000, from: 1.5, to: 0.5, steps: 1_500 },
])
const curriculum = stages([
  { fromStep: 0, from: 1.65, to: 0.12, steps: 600 },
  { fromStep: 3_000, from: 2.9, to: 0.9, steps: 60 },
  { fromStep: 3_150, from: 1.06, to: 0.14, steps: 1_500 },
])
const manyStages = stages(
  [0, 1_000, 2_000, 3_500, 5_000, 7_000].map((fromStep, i) => ({
    fromStep,
    from: 1.5 + 0.2 * i,
    to: 0.3 + 0.05 * i,
    steps: 250,
  })),
)
/** A weight that grows from step 1,000 to 2,000 brings a second term in. */
const growingTerm = (step: number) =>
  exponential(2, 0.5, 300)(step) +
  Math.min(1, Math.max(0, (step - 1_000) / 1_000)) * exponential(1.5, 0.6, 1_500)(Math.max(0, step - 2_000))
const norms = () => ({ gradientNormSquared: 0.32 })
const sgd = { name: 'sgd', momentum: 0.9 }
const adam = { name: 'adamw' }
const summedFrom = (mean: (step: number) => number, fromStep: number, times: number, seed: number) => {
  const loss = noisy(mean, 0.05, noiseOf(seed))
  return (step: number) => loss(step) * (step >= fromStep ? times : 1)
}

const cases: readonly Case[] = [
  {
    name: 'three stages',
    options: { budgetSteps: 15_000, learningRate: 0.01, optimizer: sgd, batchRows: 20 },
    loss: (seed) => scaled(threeStages, 0.08, noiseOf(seed)),
  },
  {
    name: 'three stages, Adam, less noise',
    options: { budgetSteps: 15_000, learningRate: 3e-4, optimizer: adam, batchRows: 50 },
    loss: (seed) => scaled(threeStages, 0.02, noiseOf(seed)),
  },
  {
    name: 'three stages, each step sent by itself',
    options: { budgetSteps: 15_000, learningRate: 0.01, optimizer: sgd, batchRows: 1 },
    loss: (seed) => scaled(threeStages, 0.04, noiseOf(seed)),
  },
  {
    name: 'six stages in a row',
    options: { budgetSteps: 9_000, learningRate: 0.05, optimizer: sgd, batchRows: 10 },
    loss: (seed) => scaled(manyStages, 0.1, noiseOf(seed)),
  },
  {
    name: 'a curriculum that is learned again in a hundred steps',
    options: { budgetSteps: 10_000, learningRate: 2e-4, optimizer: adam, batchRows: 20 },
    loss: (seed) => scaled(curriculum, 0.25, noiseOf(seed)),
  },
  {
    name: 'a term whose weight grows',
    options: { budgetSteps: 6_000, learningRate: 1e-3, optimizer: adam, batchRows: 10 },
    loss: (seed) => noisy(growingTerm, 0.05, noiseOf(seed)),
  },
  {
    name: 'a sum over 8, early',
    options: { budgetSteps: 6_000, learningRate: 2e-5, optimizer: adam, batchRows: 10 },
    loss: (seed) => summedFrom(exponential(2, 1.1, 500), 1_500, 8, seed),
    columns: norms,
  },
  {
    name: 'a sum over 8, after most was learned',
    options: { budgetSteps: 6_000, learningRate: 6e-4, optimizer: adam, batchRows: 10 },
    loss: (seed) => summedFrom(exponential(10.6, 3.1, 250), 1_500, 8, seed),
    columns: norms,
  },
  {
    name: 'a sum over 64, with micro-batch norms offered',
    options: {
      budgetSteps: 6_000,
      learningRate: 6e-4,
      optimizer: adam,
      capabilities: ['microBatchNorms'],
      batchRows: 10,
    },
    loss: (seed) => summedFrom(exponential(10.6, 3.1, 250), 2_500, 64, seed),
    columns: norms,
  },
  {
    name: 'a jump in the anneal',
    options: { budgetSteps: 6_000, learningRate: 1e-3, optimizer: adam, batchRows: 10 },
    loss: (seed) => summedFrom(exponential(3, 0.8, 400), 5_000, 2, seed),
  },
  {
    name: 'a jump of an objective below 0',
    options: { budgetSteps: 6_000, learningRate: 1e-3, optimizer: adam, batchRows: 10 },
    loss: (seed) =>
      noisy(
        stages([
          { fromStep: 0, from: 1, to: -2, steps: 400 },
          { fromStep: 2_000, from: -0.5, to: -1.8, steps: 800 },
        ]),
        0.05,
        noiseOf(seed),
      ),
  },
]

const runOf = ({ options, columns }: Case, loss: (step: number) => number, more: Partial<Stream> = {}) =>
  reportedRun(options, { loss, ...(columns ? { columns } : {}), ...more })

/** The same job with nothing but a falling loss. */
const undisturbed = (one: Case): ReportedJob => runOf(one, noisy(exponential(3, 1, 500), 0.02, noiseOf(0)))

describe.each(cases)('$name', (one) => {
  const { budgetSteps } = one.options
  const whole = rateSum(undisturbed(one))

  it('is trained to its end, annealed, at the rates that it would have had', () => {
    for (const seed of [7, 8, 9]) {
      const job = runOf(one, one.loss(seed))
      expect(wholeRunFaults(job, budgetSteps), `seed ${seed}`).toEqual([])
      expect(rateSum(job) / whole, `seed ${seed}`).toBeGreaterThan(0.9)
    }
  })

  it('so it is where answers are late and plans are not named', () => {
    const late = { ...one, options: { ...one.options, lagSteps: 15, sendsPlanVersion: false } }
    const job = runOf(late, one.loss(7))
    expect(wholeRunFaults(job, budgetSteps)).toEqual([])
    expect(rateSum(job) / whole).toBeGreaterThan(0.9)
  })

  it('with a checkpoint to go back to, going back changes nothing, and so it goes on', () => {
    const saving = { ...one, options: { ...one.options, capabilities: ['checkpoint'] as const } }
    const job = runOf(saving, one.loss(7))
    expect(wholeRunFaults(job, budgetSteps)).toEqual([])
    expect(rateSum(job) / rateSum(undisturbed(saving))).toBeGreaterThan(0.85)
  })
})

describe('an objective that is announced', () => {
  const announced = (changes: readonly number[]) => (step: number) => ({
    objective: `stage ${changes.filter((change) => step >= change).length}`,
  })
  const told: readonly { name: string; index: number; changes: readonly number[] }[] = [
    { name: 'three stages', index: 0, changes: [5_000, 10_000] },
    { name: 'six stages', index: 3, changes: [1_000, 2_000, 3_500, 5_000, 7_000] },
    { name: 'a curriculum', index: 4, changes: [3_000] },
    { name: 'a sum over 8', index: 7, changes: [1_500] },
    { name: 'a jump in the anneal', index: 9, changes: [5_000] },
    { name: 'a jump below 0', index: 10, changes: [2_000] },
  ]
  it.each(told)('is met without a guard: $name', ({ index, changes }) => {
    const one = cases[index]!
    for (const lagSteps of [0, 15]) {
      const options = { ...one.options, lagSteps }
      const loss = one.loss(7)
      const job = runOf({ ...one, options }, loss, {
        columns: (step) => ({ ...one.columns?.(step), ...announced(changes)(step) }),
      })
      expect(stepsOf(job, 'guard'), `${lagSteps} steps late`).toEqual([])
      expect(wholeRunFaults(job, options.budgetSteps), `${lagSteps} steps late`).toEqual([])
      expect(rateSum(job) / rateSum(undisturbed(one)), `${lagSteps} steps late`).toBeGreaterThan(0.95)
    }
  })

  it('may alternate from step to step, as jobs with two tasks do', () => {
    const normal = noiseOf(5)
    const loss = (step: number) =>
      (step % 2 === 0 ? exponential(2, 0.4, 400) : exponential(9, 5, 400))(step) + 0.05 * normal()
    const columns = (step: number) => ({ objective: step % 2 === 0 ? 'a' : 'b' })
    const job = reportedRun({ budgetSteps: 4_000, learningRate: 0.01 }, { loss, columns })
    expect(healthyRunFaults(job, 4_000)).toEqual([])
  })

  it('that never changes changes nothing', () => {
    const loss = () => noisy(exponential(2, 0.4, 400), 0.05, noiseOf(6))
    const options = { budgetSteps: 4_000, learningRate: 0.01 }
    const plain = reportedRun(options, { loss: loss() })
    const named = reportedRun(options, { loss: loss(), columns: () => ({ objective: 'nats' }) })
    expect(named.decisions).toEqual(plain.decisions)
  })

  it('does not hide a loss that then explodes', () => {
    const normal = noiseOf(7)
    const loss = (step: number) =>
      (step < 2_000 ? exponential(2, 0.4, 400)(step) : 1.2) +
      0.05 * normal() +
      Math.max(0, (step - 3_000) / 20)
    const columns = (step: number) => ({ objective: step < 2_000 ? 'a' : 'b' })
    const job = reportedRun({ budgetSteps: 5_000, learningRate: 0.01 }, { loss, columns })
    expect(stepsOf(job, 'guard')[0]).toBeGreaterThan(3_000)
    expect(stepsOf(job, 'guard')[0]).toBeLessThanOrEqual(3_300)
  })
})
