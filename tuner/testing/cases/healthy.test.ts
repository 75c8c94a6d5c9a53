// Healthy runs look odd: spikes that heal, stairs at each epoch, running means, outliers of a detector's first epochs. None
// of it disturbs the run; what does come apart is met.

import { describe, expect, it } from 'vitest'
import { reportedRun, type Stream } from './driven.ts'
import { healthyRunFaults, moves, rateSum, stepsOf, wholeRunFaults } from './judged.ts'
import { epochMean, exponential, noiseOf, noisy, powerLaw, scaled, smoothed, squares } from './streams.ts'

describe('a loss as progress bars show it', () => {
  const curve = powerLaw(2.3, 0.3, 20, 0.5)
  const run = (loss: (step: number) => number, batchRows = 50) =>
    reportedRun({ budgetSteps: 4_000, learningRate: 0.01, batchRows }, { loss })

  it.each([0.9, 0.98, 0.995])('smoothed (%f) trips nothing', (keep) => {
    for (let seed = 0; seed < 12; seed++)
      expect(
        healthyRunFaults(run(smoothed(noisy(curve, 0.25, noiseOf(seed)), keep)), 4_000),
        `seed ${seed}`,
      ).toEqual([])
  })

  it.each([50, 100, 250, 500])('as the mean of an epoch of %i steps so far trips nothing', (epochSteps) => {
    for (const deviation of [0.1, 0.25, 0.5])
      for (let seed = 0; seed < 24; seed++) {
        const job = run(epochMean(noisy(curve, deviation, noiseOf(seed)), epochSteps))
        expect(stepsOf(job, 'guard'), `seed ${seed}, noise ${deviation}`).toEqual([])
        expect(wholeRunFaults(job, 4_000)).toEqual([])
      }
  })

  it('as the mean of the whole run so far trips nothing', () => {
    for (let seed = 0; seed < 12; seed++)
      expect(
        healthyRunFaults(run(epochMean(noisy(curve, 0.25, noiseOf(seed)), 1e9)), 4_000),
        `seed ${seed}`,
      ).toEqual([])
  })

  it('as means of ten steps, counted from 1, halved at each epoch’s end, trips nothing', () => {
    const normal = noiseOf(16)
    const loss = (step: number) =>
      (0.9 * Math.exp(-step / 900) + 0.6 + 0.01 * normal()) / (step % 250 === 0 ? 2 : 1)
    const job = reportedRun(
      { budgetSteps: 2_500, learningRate: 5e-5, optimizer: { name: 'adamw' }, batchRows: 1 },
      { loss, everySteps: 10 },
      { fromStep: 10, toStep: 2_501 },
    )
    expect(stepsOf(job, 'guard')).toEqual([])
    expect(job.trips).toEqual([])
  })
})

describe('stairs', () => {
  const epochs = [1.15, 0.78, 0.42]
  const stairs = (rise: number, deviation: number, seed: number) => {
    const normal = noiseOf(seed)
    return (step: number) => {
      const epoch = Math.floor(step / 6_400)
      const share = (step % 6_400) / 6_400
      const within = epoch === 0 ? -0.08 * share + 1.2 * Math.exp(-step / 150) : rise * share
      return epochs[epoch]! + within + deviation * normal()
    }
  }
  it.each([0.04, 0.25, -0.1])(
    'at the start of each epoch, with a slope of %f within, are healthy',
    (rise) => {
      for (const everySteps of [1, 10, 50])
        for (const seed of [10, 11]) {
          const job = reportedRun(
            { budgetSteps: 19_200, learningRate: 2e-5, optimizer: { name: 'adamw' }, batchRows: 10 },
            { loss: stairs(rise, 0.09, seed), everySteps },
          )
          expect(stepsOf(job, 'guard'), `each ${everySteps}`).toEqual([])
          expect(job.trips, `each ${everySteps}`).toEqual([])
          expect(job.taken.length).toBe(19_200 / everySteps)
          expect(job.state.lifecycle).toBe('finished')
        }
    },
  )
})

describe('a course that comes again in every epoch', () => {
  const courses: readonly (readonly [string, (step: number) => number])[] = [
    ['rises within, as sorted data do', (step) => 0.6 * ((step % 400) / 400)],
    [
      'starts high and falls, as sorted data do the other way round',
      (step) => 0.6 * (1 - (step % 400) / 400),
    ],
    ['starts a little higher', (step) => 0.2 * (1 - (step % 800) / 800)],
    ['is high for its last tenth', (step) => (step % 500 >= 450 ? 0.5 : 0)],
    ['waves', (step) => 0.5 * Math.sin(step / 150)],
  ]
  it.each(courses)('%s, and costs little of the rate', (_, course) => {
    const even = reportedRun(
      { budgetSteps: 4_000, learningRate: 0.01 },
      { loss: (step) => 1 + Math.exp(-step / 500) },
    )
    for (const seed of [1, 2]) {
      const loss = noisy((step) => 0.4 + 1.2 * Math.exp(-step / 800) + course(step), 0.03, noiseOf(seed))
      const job = reportedRun({ budgetSteps: 4_000, learningRate: 0.01 }, { loss })
      expect(wholeRunFaults(job, 4_000), `seed ${seed}`).toEqual([])
      expect(rateSum(job) / rateSum(even), `seed ${seed}`).toBeGreaterThan(0.93)
    }
  })
})

describe('a spike', () => {
  const learning = exponential(11, 3, 300)
  const run = (loss: (step: number) => number, budgetSteps: number, batchRows: number, seed = 11) =>
    reportedRun(
      {
        budgetSteps,
        learningRate: 3e-4,
        optimizer: { name: 'adam' },
        capabilities: ['checkpoint'],
        batchRows,
      },
      { loss: noisy(loss, 0.06, noiseOf(seed)) },
    )

  it('in the first twenty steps, as language models have one, is waited out', () => {
    const first = (step: number) => {
      if (step <= 10) return 12.5 - 0.1 * step
      if (step <= 18) return 11.5 + (5.59 * (step - 10)) / 8
      return 6.44 + 10.65 * Math.exp(-(step - 18) / 18)
    }
    for (const batchRows of [1, 10]) {
      const job = run(first, 100, batchRows)
      expect(stepsOf(job, 'guard')).toEqual([])
      expect(job.taken.length).toBe(100)
    }
  })

  it.each([
    { at: 3_000, height: 4, steps: 50 },
    { at: 9_000, height: 2, steps: 30 },
    { at: 15_000, height: 4, steps: 20 },
  ])('that heals within its time ends nothing ($height at $at)', ({ at, height, steps }) => {
    const loss = (step: number) => learning(step) + (step < at ? 0 : height * Math.exp(-(step - at) / steps))
    const job = run(loss, 20_000, 10)
    expect(wholeRunFaults(job, 20_000)).toEqual([])
    expect(stepsOf(job, 'guard').length).toBeLessThanOrEqual(1)
  })

  it.each([1_500, 4_200, 7_800])('from step %i on that never heals is met', (at) => {
    const job = run((step) => learning(step) + (step < at ? 0 : Math.min(7, 0.02 * (step - at))), 10_000, 10)
    expect(stepsOf(job, 'guard')[0]).toBeGreaterThan(at)
    expect(stepsOf(job, 'guard')[0]).toBeLessThanOrEqual(at + 350)
  })

  it('of one report at 40 times the loss, with a norm to match, in a detector’s first epochs is let be', () => {
    const epochSteps = 788
    const normal = noiseOf(39)
    const bad = [350, 600, 900, 950, 1_300]
    const stream: Stream = {
      loss: (step) =>
        bad.includes(step) ? 63.1261 : 0.55 + 1.2 * (1 + step / 400) ** -0.6 + 0.05 * normal(),
      columns: (step) => ({
        gradientNormSquared:
          step === 950
            ? Number.POSITIVE_INFINITY
            : bad.includes(step)
              ? 31101415.6 ** 2
              : squares(12, 20, normal),
      }),
      everySteps: 50,
    }
    const job = reportedRun({ budgetSteps: 24 * epochSteps, learningRate: 0.002, batchRows: 1 }, stream, {
      fromStep: 50,
      toStep: 24 * epochSteps,
    })
    expect(stepsOf(job, 'guard')).toEqual([])
    expect(job.isFinished || job.taken.length >= 376).toBe(true)
  })
})

describe('a loss on a steep curve', () => {
  const adam = { name: 'adam' }
  const run = (loss: (step: number) => number, seed: number) =>
    reportedRun(
      { budgetSteps: 5_000, learningRate: 1e-3, optimizer: adam },
      { loss: scaled(loss, 0.15, noiseOf(seed)) },
    )
  const exploding = (from: number, fall: number, rise: number) => (step: number) =>
    from *
    Math.exp(-Math.min(step, 3_000) / fall) *
    (step < 3_000 ? 1 : Math.exp(Math.min(9, (step - 3_000) / rise)))

  it.each([
    { from: 1e-3, fall: 130 },
    { from: 1e-1, fall: 130 },
    { from: 1e6, fall: 130 },
    { from: 1, fall: 80 },
    { from: 1, fall: 400 },
    { from: 1, fall: 2_000 },
  ])('from $from that falls by e each $fall steps is healthy', ({ from, fall }) => {
    for (const seed of [23, 24, 25])
      expect(
        healthyRunFaults(
          run((step) => from * Math.exp(-step / fall), seed),
          5_000,
        ),
        `seed ${seed}`,
      ).toEqual([])
  })

  it.each([
    { from: 1e-3, fall: 130, rise: 40 },
    { from: 1e-1, fall: 130, rise: 40 },
    { from: 1e3, fall: 130, rise: 40 },
    { from: 1, fall: 80, rise: 40 },
    { from: 1, fall: 400, rise: 40 },
    { from: 1e-1, fall: 130, rise: 10 },
    { from: 1e-1, fall: 130, rise: 1 },
  ])(
    'from $from, by e each $fall steps, that then explodes (by e each $rise) is met',
    ({ from, fall, rise }) => {
      for (const seed of [23, 24]) {
        const job = run(exploding(from, fall, rise), seed)
        expect(stepsOf(job, 'guard')[0], `seed ${seed}`).toBeGreaterThan(3_000)
        expect(stepsOf(job, 'guard')[0], `seed ${seed}`).toBeLessThanOrEqual(3_000 + 9 * rise + 100)
      }
    },
  )

  it.each([23, 24])('is judged alike at every scale (seed %i)', (seed) => {
    for (const loss of [
      (step: number) => Math.exp(-step / 130),
      exploding(1, 130, 40),
      (step: number) => (step + 1) ** -0.4,
    ]) {
      const runs = [-40, -10, 0, 20].map((power) => run((step) => loss(step) * 2 ** power, seed))
      for (const job of runs) expect(moves(job.decisions)).toEqual(moves(runs[0]!.decisions))
    }
  })

  it('of millions is healthy', () => {
    expect(
      healthyRunFaults(
        run((step) => 4e6 * (step + 1) ** -0.4, 23),
        5_000,
      ),
    ).toEqual([])
  })
})
