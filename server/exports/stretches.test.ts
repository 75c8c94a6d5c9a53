import { expect, test } from 'vitest'
import { segmentRate } from '../../protocol/plan.ts'
import type { AppliedSpan, Segment } from '../../protocol/vocabulary.ts'
import { cellOf } from './precision.ts'
import { changesOf, plannedStretches, type Stretch, type Stretches, stretchesOf } from './stretches.ts'

const nine = (rate: number) => Number(rate.toPrecision(9))
const single = (rate: number) => nine(Math.fround(rate))
const range = (from: number, to: number, every = 1) =>
  Array.from({ length: Math.ceil((to - from) / every) }, (_, i) => from + i * every)
const segment = (fromStep: number, toStep: number, more: Partial<Segment>): Segment => ({
  fromStep,
  toStep,
  shape: 'linear',
  from: 0.1,
  to: 0,
  ...more,
})

function spansOf(steps: readonly number[], rateAt: (step: number) => number): AppliedSpan[] {
  return steps.map((step) => ({
    fromStep: step,
    toStep: step + 1,
    learningRate: rateAt(step),
    momentum: null,
  }))
}

const spread = (steps: readonly number[], rateAt: (step: number) => number) =>
  stretchesOf(changesOf(spansOf(steps, rateAt)))

function rateOf(stretch: Stretch, step: number): number {
  if (stretch.kind === 'held') return stretch.rate
  const place = Math.floor((step - stretch.firstStep) / stretch.every)
  if (stretch.kind === 'listed') return stretch.rates[Math.min(place, stretch.rates.length - 1)]!
  return segmentRate(stretch.segment, stretch.firstStep + place * stretch.every)
}

/** Every applied rate comes back within its cell: the very number, once it is rounded as it was reported. */
function expectAll({ stretches, precision }: Stretches, steps: readonly number[], rates: readonly number[]) {
  let at = 0
  for (const [i, step] of steps.entries()) {
    while (at + 1 < stretches.length && stretches[at + 1]!.firstStep <= step) at++
    const rate = rateOf(stretches[at]!, step)
    const { low, high } = cellOf(precision, rates[i]!)
    if (!(rate >= low && rate <= high)) expect.fail(`step ${step}: ${rate} is not ${rates[i]}`)
  }
}

const kinds = ({ stretches }: Stretches) =>
  stretches.map((s) =>
    s.kind === 'shaped' ? `${s.segment.shape} ${s.firstStep}` : `${s.kind} ${s.firstStep}`,
  )

const shapes: [string, (step: number) => number, string[]][] = [
  ['linear', (k) => segmentRate(segment(300, 2_000, {}), k), ['held 0', 'linear 301']],
  [
    '1 − √z',
    (k) => segmentRate(segment(300, 2_000, { shape: 'oneMinusSqrt' }), k),
    ['held 0', 'oneMinusSqrt 301'],
  ],
  [
    'exponential',
    (k) => segmentRate(segment(300, 2_000, { shape: 'exponential', to: 0.001 }), k),
    ['held 0', 'exponential 301'],
  ],
]
for (const [name, rateAt, expected] of shapes)
  for (const [how, reported] of [
    ['nine digits', nine],
    ['32 bits', single],
  ] as const)
    test(`a held rate and a ${name} anneal, reported with ${how}, are two stretches that give every rate`, () => {
      const steps = range(0, 2_000)
      const found = spread(steps, (k) => reported(rateAt(k)))
      expect(kinds(found)).toEqual(expected)
      expectAll(
        found,
        steps,
        steps.map((k) => reported(rateAt(k))),
      )
    })

test('rates sent as full doubles are met within a relative 1e-12, and where rounding is coarser they are listed', () => {
  const steps = range(0, 50_000)
  const rateAt = (k: number) => segmentRate(segment(20_000, 50_000, { from: 0.3 }), k)
  const found = spread(steps, rateAt)
  expect(found.precision).toEqual({ kind: 'relative', tolerance: 1e-12 })
  expect(found.stretches.length).toBeLessThan(20)
  expect(kinds(found).slice(0, 2)).toEqual(['held 0', 'linear 20001'])
  let at = 0
  for (const step of steps) {
    while (at + 1 < found.stretches.length && found.stretches[at + 1]!.firstStep <= step) at++
    expect(Math.abs(rateOf(found.stretches[at]!, step) - rateAt(step))).toBeLessThanOrEqual(
      1e-12 * rateAt(step),
    )
  }
})

test('100,000 steps of a race, a warm-up, a held rate and a linear anneal are a handful of stretches', () => {
  const segments = [
    segment(0, 30, { from: 0.01, to: 0.1 }),
    segment(30, 60, { shape: 'constant', to: 0.1 }),
    segment(60, 90, { from: 0.02, to: 0.2 }),
    segment(90, 120, { shape: 'constant', from: 0.2, to: 0.2 }),
    segment(120, 5_000, { from: 0.01, to: 0.2 }),
    segment(5_000, 30_000, { shape: 'constant', from: 0.2, to: 0.2 }),
    segment(30_000, 100_000, { from: 0.2 }),
  ]
  const steps = range(0, 100_000)
  const rateAt = (k: number) => nine(segmentRate(segments.find(({ toStep }) => k < toStep)!, k))
  const found = spread(steps, rateAt)
  expect(found.stretches.length).toBeLessThanOrEqual(20)
  expectAll(found, steps, steps.map(rateAt))
})

test('what no shape fits is listed, and a cosine is', () => {
  const steps = range(0, 500)
  const noise = (k: number) => nine(0.1 + 0.01 * Math.sin(k * k))
  const found = spread(steps, noise)
  expect(found.stretches).toEqual([{ kind: 'listed', firstStep: 0, every: 1, rates: steps.map(noise) }])
  const cosine = (k: number) => nine(segmentRate(segment(0, 500, { shape: 'cosine' }), k))
  const waved = spread(steps, cosine)
  expectAll(waved, steps, steps.map(cosine))
})

test('an anneal with gaps keeps its beginning, and each part of it is one stretch', () => {
  const steps = range(0, 2_000).filter((k) => k % 400 !== 7)
  const rateAt = (k: number) => nine(segmentRate(segment(300, 2_000, { shape: 'oneMinusSqrt' }), k))
  const found = spread(steps, rateAt)
  expect(found.stretches.length).toBeLessThanOrEqual(8)
  expectAll(found, steps, steps.map(rateAt))
})

test('as many stretches as there are steps are no more than a list', () => {
  const steps = range(0, 150_000).filter((k) => k % 7 === 0 || k % 11 === 0)
  const rateAt = (k: number) => nine(0.1 + 0.05 * Math.sin(k * k))
  expectAll(spread(steps, rateAt), steps, steps.map(rateAt))
})

test('a job that reports each twentieth step holds each rate until the next', () => {
  const steps = range(7, 10_000, 20)
  const rateAt = (k: number) => nine(segmentRate(segment(7, 12_000, {}), k))
  const found = spread(steps, rateAt)
  expect(found.stretches).toMatchObject([{ kind: 'shaped', firstStep: 7, every: 20 }])
  expect(nine(rateOf(found.stretches[0]!, 46))).toBe(rateAt(27))
  expectAll(found, steps, steps.map(rateAt))
})

test('gaps, repeated rates and rates that are no numbers need no stretch of their own', () => {
  const spans: AppliedSpan[] = [
    { fromStep: 90, toStep: 100, learningRate: 0.2, momentum: null },
    { fromStep: 0, toStep: 10, learningRate: 0.1, momentum: null },
    { fromStep: 40, toStep: 50, learningRate: 0.1, momentum: 0.9 },
    { fromStep: 50, toStep: 60, learningRate: Number.NaN, momentum: null },
  ]
  expect(changesOf(spans)).toEqual({ steps: [0, 90], rates: [0.1, 0.2] })
  expect(kinds(stretchesOf(changesOf(spans)))).toEqual(['held 0', 'held 90'])
  expect(stretchesOf(changesOf([])).stretches).toEqual([])
})

test('a rate of 0 is met by 0 alone', () => {
  const steps = range(0, 40)
  const rateAt = (k: number) => nine(segmentRate(segment(0, 20, {}), k))
  const found = spread(steps, rateAt)
  expect([20, 21, 39].map((step) => rateOf(found.stretches.at(-1)!, step))).toEqual([0, 0, 0])
  expectAll(found, steps, steps.map(rateAt))
})

test('what is planned begins at the present step, and keeps the beginning of its shape', () => {
  const planned = plannedStretches(
    [segment(50, 200, {}), segment(200, 300, { shape: 'constant', from: 0 })],
    80,
  )
  expect(planned).toEqual([
    { kind: 'shaped', firstStep: 80, every: 1, segment: segment(50, 200, {}) },
    { kind: 'held', firstStep: 200, rate: 0 },
  ])
})
