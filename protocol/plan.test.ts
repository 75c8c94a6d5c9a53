import { describe, expect, it } from 'vitest'
import golden from './examples/plans.json' with { type: 'json' }
import tripwires from './examples/tripwires.json' with { type: 'json' }
import { evaluatePlan, planProblem, segmentAt, segmentRate, tripwireTrips } from './plan.ts'
import { planSchema } from './schemas.ts'
import type { Plan } from './vocabulary.ts'

describe('evaluatePlan', () => {
  it.each(golden.plans)('gives the golden values: $name', ({ plan: message, values }) => {
    const plan = planSchema.parse(message)
    expect(planProblem(plan)).toBeUndefined()
    for (const { step, learningRate, momentum, scale } of values) {
      const planned = evaluatePlan(plan, step)
      // Correct rounding is not asked of cos, exp and √ alike on every platform, and 1 + cos πz cancels near
      // the end of an anneal: a few units in the last place of the segment's larger rate.
      expect(Math.abs(planned.learningRate - learningRate)).toBeLessThanOrEqual(golden.tolerance * scale)
      expect(planned.momentum).toBe(momentum)
    }
  })

  it('is exact at the ends of segments: no rounding puts a rate beyond what was planned', () => {
    for (const { plan: message } of golden.plans) {
      const plan = planSchema.parse(message)
      for (const segment of plan.segments) {
        expect(segmentRate(segment, segment.fromStep)).toBe(segment.from)
        expect(segmentRate(segment, segment.toStep)).toBe(segment.to)
        expect(evaluatePlan(plan, segment.fromStep).learningRate).toBe(segment.from)
      }
    }
  })

  it('refuses a step that is no number, and a plan without segments', () => {
    const empty: Plan = { version: 1, segments: [] }
    const plan = planSchema.parse(golden.plans[0]!.plan)
    expect(() => evaluatePlan(plan, Number.NaN)).toThrow(
      new RangeError('step must be a finite number, got NaN'),
    )
    expect(() => evaluatePlan(empty, 3)).toThrow('plan.segments must hold at least one segment, got none')
    expect(segmentAt(empty, 3)).toBeUndefined()
  })
})

describe('planProblem', () => {
  it.each(golden.invalid)('says: $problem', ({ plan, problem }) => {
    expect(planProblem(plan as Plan)).toBe(problem)
  })

  it('names rates and momenta that are none', () => {
    const planOf = (more: object): Plan => ({
      version: 1,
      segments: [{ fromStep: 0, toStep: 10, shape: 'linear', from: 0.1, to: 0, ...more }],
    })
    for (const [more, problem] of [
      [{ from: Number.NaN }, 'plan.segments[0].from must be a finite rate of 0 or more, got NaN'],
      [{ to: -1 }, 'plan.segments[0].to must be a finite rate of 0 or more, got -1'],
      [
        { to: Number.POSITIVE_INFINITY },
        'plan.segments[0].to must be a finite rate of 0 or more, got Infinity',
      ],
      [{ momentum: 1 }, 'plan.segments[0].momentum must be in [0, 1), got 1'],
      [{ fromStep: -1 }, 'plan.segments[0].fromStep must be a whole number of 0 or more, got -1'],
      [{ toStep: 2.5 }, 'plan.segments[0].toStep must be a whole number above fromStep 0, got 2.5'],
    ] as const)
      expect(planProblem(planOf(more))).toBe(problem)
    expect(planProblem(planOf({ momentum: null }))).toBeUndefined()
  })
})

describe('tripwireTrips', () => {
  it.each(tripwires)(
    '$tripwire at loss $lossSmoothed, norm $gradientNorm, $nonFiniteCount bad: $trips',
    (row) => {
      const { tripwire, lossSmoothed, gradientNorm, nonFiniteCount, trips } = row
      expect(tripwireTrips(tripwire, { lossSmoothed, gradientNorm, nonFiniteCount })).toBe(trips)
    },
  )

  it('never trips without a wire', () => {
    expect(tripwireTrips(undefined, { lossSmoothed: 1e9, gradientNorm: 1e9, nonFiniteCount: 99 })).toBe(false)
  })
})
