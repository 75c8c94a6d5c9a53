import { describe, expect, it } from 'vitest'
import { evaluatePlan, planProblem } from '../../protocol/plan.ts'
import type { Plan, Segment } from '../../protocol/vocabulary.ts'
import type { Anneal } from '../state.ts'
import { annealState } from '../testing/runState.ts'
import {
  annealRateShare,
  annealSegments,
  annealShape,
  armSegments,
  cutBefore,
  endedInTime,
  endedSegments,
  largeSegments,
  openEndSteps,
  overrideSegments,
  rampedSegments,
} from './segments.ts'

const horizon = { step: 100, end: 1_000, length: 1_000, momentum: null }
const planOf = (segments: readonly Segment[]): Plan => ({ version: 1, segments })
const rateAt = (segments: readonly Segment[], step: number) =>
  evaluatePlan(planOf(segments), step).learningRate
const ratesAt = (segments: readonly Segment[], steps: readonly number[]) =>
  steps.map((step) => rateAt(segments, step))

describe('the large step and its anneal', () => {
  it('holds the rate to the switch and ends at 0', () => {
    const segments = largeSegments(horizon, { rate: 0.1, switchStep: 400 })
    expect(planProblem(planOf(segments))).toBeUndefined()
    expect(ratesAt(segments, [100, 399, 400, 700, 1_000])).toEqual([0.1, 0.1, 0.1, 0.05, 0])
  })

  it('begins the anneal now where the switch is past, and leaves it a step at least where it is beyond the end', () => {
    expect(largeSegments(horizon, { rate: 0.1, switchStep: 20 })).toHaveLength(1)
    expect(largeSegments(horizon, { rate: 0.1, switchStep: 5_000 })).toMatchObject([
      { phase: 'large', toStep: 999 },
      { phase: 'anneal', fromStep: 999, toStep: 1_000, to: 0 },
    ])
  })

  it('has no end without a budget, and none left past it', () => {
    const open = largeSegments({ ...horizon, end: null, length: null }, { rate: 0.1, switchStep: 0 })
    expect(open).toMatchObject([{ toStep: 100 + openEndSteps, from: 0.1, to: 0.1 }])
    const past = largeSegments({ ...horizon, step: 1_000 }, { rate: 0.1, switchStep: 400 })
    expect(past).toMatchObject([{ phase: 'done', from: 0, to: 0 }])
    expect(past).toEqual(endedSegments({ ...horizon, step: 1_000 }))
  })

  it('anneals linearly over long shares of the length, and by 1 − √z over short ones', () => {
    expect(annealShape(300, 1_000)).toBe('linear')
    expect(annealShape(299, 1_000)).toBe('oneMinusSqrt')
    expect(annealShape(10, null)).toBe('linear')
    // The length is that of the run, wherever its counter began.
    const late = { ...horizon, step: 10_100, end: 11_000 }
    expect(largeSegments(late, { rate: 0.1, switchStep: 10_600 })[1]?.shape).toBe('linear')
  })

  it('keeps rate and momentum where the anneal begins: the effective rate η/(1 − μ) does not jump', () => {
    const segments = largeSegments({ ...horizon, momentum: 0.5 }, { rate: 0.1, switchStep: 400 })
    expect(segments.map(({ momentum }) => momentum)).toEqual([0.5, 0.5])
    expect(rateAt(segments, 400)).toBe(rateAt(segments, 399))
  })
})

describe('segments that end', () => {
  const arm = armSegments(null, {
    rate: 0.1,
    fromStep: 90,
    downFromStep: 110,
    zeroFromStep: 110,
    toStep: 110,
  })
  it('are as they were up to the end, and at 0 from there on', () => {
    const cut = endedInTime({ ...horizon, end: 95 }, arm)
    expect(planProblem(planOf(cut))).toBeUndefined()
    expect(ratesAt(cut, [90, 93, 94])).toEqual(ratesAt(arm, [90, 93, 94]))
    expect(ratesAt(cut, [95, 96, 200])).toEqual([0, 0, 0])
    expect(ratesAt(endedInTime({ ...horizon, end: 80 }, arm), [80, 95, 200])).toEqual([0, 0, 0])
  })

  it('by then are left alone', () => {
    expect(endedInTime({ ...horizon, end: 110 }, arm)).toEqual(arm)
  })
})

describe('a ramp', () => {
  const large = largeSegments(horizon, { rate: 0.1, switchStep: 400 })
  const ramp = (fromStep: number, toStep: number, fromRate = 0.005) => ({ fromStep, toStep, fromRate })

  it('climbs straight to the rates that are planned, which are as they were from its end on', () => {
    const segments = rampedSegments(large, ramp(100, 150), 100, 'large')
    expect(planProblem(planOf(segments))).toBeUndefined()
    expect(rateAt(segments, 100)).toBe(0.005)
    expect(rateAt(segments, 125)).toBeCloseTo(0.0525, 12)
    expect(ratesAt(segments, [150, 399, 700])).toEqual(ratesAt(large, [150, 399, 700]))
  })

  it('into an anneal ends at the rate that the anneal has there', () => {
    const falling = annealSegments(horizon, { fromStep: 100, toStep: 1_000, rate: 0.1 })
    const segments = rampedSegments(falling, ramp(100, 190), 100, 'anneal')
    expect(planProblem(planOf(segments))).toBeUndefined()
    expect(rateAt(segments, 190)).toBeCloseTo(0.09, 12)
    expect(segments[0]).toMatchObject({ phase: 'anneal', from: 0.005, to: rateAt(falling, 190) })
  })

  it('that is over, is none, or lies beyond all that is planned changes nothing', () => {
    for (const none of [null, ramp(20, 100), ramp(100, 1_000), ramp(900, 2_000)])
      expect(rampedSegments(large, none, 100, 'large')).toEqual(large)
  })
})

describe('a person’s rate', () => {
  const after = largeSegments(horizon, { rate: 0.1, switchStep: 400 })
  const overridden = (untilStep: number, next = after) =>
    overrideSegments(horizon, { learningRate: 0.03, untilStep, phase: 'large', after: next })

  it('holds to its last step, and then what the tuner has', () => {
    const segments = overridden(700)
    expect(planProblem(planOf(segments))).toBeUndefined()
    expect(ratesAt(segments, [100, 699, 700, 850])).toEqual([0.03, 0.03, 0.05, 0.025])
  })

  it('leaves nothing after it where it lasts beyond the plan, and changes nothing where it is past', () => {
    expect(overridden(2_000)).toHaveLength(1)
    expect(overridden(100)).toEqual(after)
  })

  it('leaves no gap before an arm that begins later', () => {
    const arm = armSegments(null, {
      rate: 0.1,
      fromStep: 150,
      downFromStep: 200,
      zeroFromStep: 200,
      toStep: 200,
    })
    const segments = overridden(120, arm)
    expect(planProblem(planOf(segments))).toBeUndefined()
    const first = arm[0]!.from
    expect(ratesAt(segments, [119, 120, 150])).toEqual([0.03, first, first])
  })

  it('cuts a curved segment to a straight one with the same ends', () => {
    const curved: Segment = { fromStep: 0, toStep: 100, shape: 'oneMinusSqrt', from: 1, to: 0 }
    expect(cutBefore([curved], 25)).toEqual([{ ...curved, fromStep: 25, from: 0.5, shape: 'linear' }])
    expect(cutBefore([curved], 100)).toEqual([])
    expect(cutBefore([curved], 0)).toEqual([curved])
  })
})

describe('an arm of a race', () => {
  it('climbs from a tenth of its rate over its first half, and has it in its second', () => {
    const held = { rate: 0.1, fromStep: 100, downFromStep: 140, zeroFromStep: 140, toStep: 140 }
    const arm = armSegments(0.9, held)
    expect(planProblem(planOf(arm))).toBeUndefined()
    expect(ratesAt(arm, [100, 110, 120, 139])).toEqual([0.1 * 0.1, 0.055, 0.1, 0.1])
    expect(arm.every(({ phase, momentum }) => phase === 'warmup' && momentum === 0.9)).toBe(true)
  })

  it('comes down to 0 and stays there, where it is measured by what follows', () => {
    const measured = { rate: 0.1, fromStep: 100, downFromStep: 140, zeroFromStep: 150, toStep: 160 }
    const arm = armSegments(null, measured)
    expect(planProblem(planOf(arm))).toBeUndefined()
    expect(ratesAt(arm, [139, 140, 145, 150, 159])).toEqual([0.1, 0.1, 0.05, 0, 0])
  })
})

describe('the share of its first rate that an anneal has', () => {
  const shares = (course: Anneal, steps: readonly number[], length: number | null = 2_000) =>
    steps.map((step) => annealRateShare(course, step, length))

  it('is 1 at its first step and 0 at its end', () => {
    expect(shares(annealState({}), [1_000, 1_500, 2_000, 3_000])).toEqual([1, 0.5, 0, 0])
  })

  it('of a rate of 0, which a person may set, is 0 throughout', () => {
    expect(shares(annealState({ fromRate: 0 }), [1_000, 1_500, 2_000])).toEqual([0, 0, 0])
  })

  it('goes on from the rate of its rest, where its end has moved', () => {
    const cut = annealState({ toStep: 1_600, rest: { fromStep: 1_500, fromRate: 0.05 } })
    expect(shares(cut, [1_500, 1_550, 1_600], null)).toEqual([0.5, 0.25, 0])
    // A short rest falls by 1 − √z.
    expect(shares(cut, [1_525])[0]).toBeCloseTo(0.25, 12)
  })
})
