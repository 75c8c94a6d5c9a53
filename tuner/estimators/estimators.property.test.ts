// Laws that every estimator keeps, stated once and run through all of them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../testing/random.ts'
import { averagedGap } from './averagedGap.ts'
import { blocks } from './blocks.ts'
import { cost } from './cost.ts'
import { curvature } from './curvature.ts'
import type { Estimator } from './estimator.ts'
import { gradientNoise } from './gradientNoise.ts'
import { lossSmoother } from './lossSmoother.ts'
import { fittedLossAt, slopeAt, valleySlope } from './valleySlope.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** An estimator with its types forgotten, so that one list can hold them all. */
type Case = {
  readonly name: string
  readonly estimator: Estimator<unknown, unknown> & { init(given: unknown): unknown }
  /** What it begins by, where it begins by something. */
  readonly given?: unknown
  /** A sound sample from its index and a uniform number. */
  readonly sample: (i: number, u: number) => unknown
  /** Samples that say nothing; `i` as above. */
  readonly bad: (i: number) => readonly unknown[]
  /** Fields of the state that may count bad samples. */
  readonly counts: readonly string[]
}

function caseOf<State, Sample>(
  name: string,
  estimator: Estimator<State, Sample>,
  rest: {
    given?: unknown
    sample: (i: number, u: number) => Sample
    bad: (i: number) => readonly Sample[]
    counts?: readonly string[]
  },
): Case {
  return { counts: [], ...rest, name, estimator: estimator as unknown as Case['estimator'] }
}

const scalar = (i: number, u: number) => ({ step: i, value: 1 + u / (1 + i / 100) })
const badScalar = (i: number) =>
  [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => ({ step: i, value }))
const pair = (full: number | null, micro: number | null) => ({
  gradientNormSquared: full,
  microGradientNormSquared: micro,
  batchSize: 128,
  microBatchSize: 32,
})
const gap = (raw: number, averaged: number) => ({
  set: 'held-out' as const,
  raw: { loss: raw },
  averaged: [
    { windowSteps: 20, loss: averaged },
    { windowSteps: 40, loss: averaged + 0.01 },
  ],
})
const line = (value: number | null, learningRate: number | null) => ({
  probe: { criticalLearningRate: value, curvature: value, noiseCurvature: value },
  learningRate,
})
const seconds = (step: number | null, signal: number | null, probe: number | null) => ({
  stepSeconds: step,
  signalSeconds: signal,
  probeSeconds: probe,
})

const cases: readonly Case[] = [
  caseOf('blocks', blocks, {
    given: 1000,
    sample: scalar,
    bad: badScalar,
  }),
  caseOf('blocks, no budget', blocks, { given: null, sample: scalar, bad: badScalar }),
  caseOf('lossSmoother', lossSmoother, { sample: scalar, bad: badScalar }),
  caseOf('gradientNoise', gradientNoise, {
    sample: (_, u) => pair(1 + u, 3 + u),
    bad: () => [pair(Number.NaN, 1), pair(1, Number.POSITIVE_INFINITY), pair(null, null)],
  }),
  caseOf('curvature', curvature, {
    sample: (_, u) => line(0.5 + u, 0.1),
    bad: () => [line(Number.NaN, 0.1), line(Number.POSITIVE_INFINITY, 0.1)],
    counts: ['count'],
  }),
  caseOf('averagedGap', averagedGap, {
    sample: (_, u) => gap(1 + u, 0.8 + u / 10),
    bad: () => [gap(Number.NaN, 1), gap(1, Number.NaN), gap(1, Number.NEGATIVE_INFINITY)],
  }),
  caseOf('valleySlope', valleySlope, {
    sample: (i, u) => ({ runLength: 30 * (i + 1), averagedLoss: 1 + (i + 1) ** -0.5 + 0.01 * u }),
    bad: (i) => [
      { runLength: 30 * (i + 1), averagedLoss: Number.NaN },
      { runLength: Number.NaN, averagedLoss: 1 },
      { runLength: -1, averagedLoss: 1 },
    ],
  }),
  caseOf('cost', cost, {
    sample: (i, u) => (i % 10 === 0 ? seconds(null, null, u) : seconds(0.01 + u, 0.005, null)),
    bad: () => [
      seconds(Number.NaN, 1, null),
      seconds(null, null, Number.POSITIVE_INFINITY),
      seconds(-1, 0, -1),
    ],
  }),
]

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

/** Every number under "standardError" anywhere in a reading. */
function standardErrors(reading: unknown): unknown[] {
  if (typeof reading !== 'object' || reading === null) return []
  return Object.entries(reading).flatMap(([key, value]) =>
    key === 'standardError' ? [value] : standardErrors(value),
  )
}

const without = (state: unknown, fields: readonly string[]) =>
  Object.fromEntries(Object.entries(state as object).filter(([key]) => !fields.includes(key)))

const stream = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 120 })

describe.each(cases)('$name', ({ estimator, given, sample, bad, counts }) => {
  const fold = (state: unknown, units: readonly number[], from = 0) =>
    units.reduce<unknown>((folded, u, i) => estimator.update(folded, sample(from + i, u)), state)

  it('never changes the state or the sample it is given', () => {
    fc.assert(
      fc.property(stream, (units) => {
        let state = deepFreeze(estimator.init(given))
        for (const [i, u] of units.entries())
          state = deepFreeze(estimator.update(state, deepFreeze(sample(i, u))))
        estimator.read(state)
      }),
      { numRuns: 30 },
    )
  })

  it('gives the same wherever the stream is cut and its state stored as JSON', () => {
    fc.assert(
      fc.property(stream, fc.nat(120), (units, cut) => {
        const whole = fold(estimator.init(given), units)
        const first = fold(estimator.init(given), units.slice(0, cut))
        const stored: Json = JSON.parse(JSON.stringify(first))
        expect(stored).toEqual(first)
        const resumed = fold(stored, units.slice(cut), Math.min(cut, units.length))
        expect(resumed).toEqual(whole)
        expect(estimator.read(resumed)).toEqual(estimator.read(whole))
      }),
      { numRuns: 50 },
    )
  })

  it('is not moved by a burst of NaN and infinities, but for counts', () => {
    fc.assert(
      fc.property(stream, fc.nat(120), (units, at) => {
        const cut = Math.min(at, units.length)
        let state = fold(estimator.init(given), units.slice(0, cut))
        for (let burst = 0; burst < 50; burst++)
          for (const sampleOfNothing of bad(cut)) state = estimator.update(state, sampleOfNothing)
        const disturbed = fold(state, units.slice(cut), cut)
        expect(without(disturbed, counts)).toEqual(without(fold(estimator.init(given), units), counts))
      }),
      { numRuns: 30 },
    )
  })

  it('tells standard errors that are null or finite and not negative', () => {
    fc.assert(
      fc.property(stream, (units) => {
        for (const error of standardErrors(estimator.read(fold(estimator.init(given), units))))
          expect(error === null || (Number.isFinite(error) && (error as number) >= 0)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('stays within 64 kB as JSON, without NaN, over a hundred thousand samples', () => {
    const uniform = random(1)
    let state = estimator.init(given)
    let longest = 0
    for (let i = 0; i < 100_000; i++) {
      state = estimator.update(state, sample(i, uniform()))
      if (i % 5_000 === 4_999) longest = Math.max(longest, JSON.stringify(state).length)
    }
    expect(longest).toBeLessThan(64 * 1024)
    expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })
})

describe('valleySlope', () => {
  const fitOf = (losses: readonly number[]) => {
    let state = valleySlope.init()
    for (const [i, averagedLoss] of losses.entries())
      state = valleySlope.update(state, { runLength: 40 * (i + 1), averagedLoss })
    return valleySlope.read(state).fit!
  }
  const losses = fc.array(fc.double({ min: 0.1, max: 3, noNaN: true }), { minLength: 8, maxLength: 40 })

  it('shifts with a constant added to every loss and scales with a factor', () => {
    fc.assert(
      fc.property(
        losses,
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (values, shift, factor) => {
          const ahead = 40 * values.length * 1.2
          const plain = fitOf(values)
          const moved = fitOf(values.map((value) => factor * value + shift))
          const [slope, movedSlope] = [slopeAt(plain, ahead), slopeAt(moved, ahead)]
          // Equal but for the rounding of the inputs themselves, which a poorly determined fit magnifies: the
          // tolerance is a millionth of the slope's own error, plus one of the spread of the losses.
          const spread = (Math.max(...values) - Math.min(...values)) / ahead
          const tolerance = 1e-6 * factor * (slope.standardError! + spread) + 1e-12 * Math.abs(shift)
          expect(Math.abs(movedSlope.value! - factor * slope.value!)).toBeLessThanOrEqual(tolerance)
          expect(Math.abs(movedSlope.standardError! - factor * slope.standardError!)).toBeLessThanOrEqual(
            tolerance,
          )
          const there = fittedLossAt(plain, ahead).value! * factor + shift
          expect(Math.abs(fittedLossAt(moved, ahead).value! - there)).toBeLessThanOrEqual(
            tolerance * ahead + 1e-9,
          )
        },
      ),
      { numRuns: 200 },
    )
  })
})
