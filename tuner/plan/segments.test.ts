import { describe, expect, it } from 'vitest'
import { evaluatePlan, planProblem } from '../../protocol/plan.ts'
import type { Plan, Segment } from '../../protocol/vocabulary.ts'
import {
  annealLinearShareMin,
  fallbackAnnealShare,
  noiseBlocksFirst,
  raceWarmupFrom,
  signalShareGoal,
  tripwireLossFactor,
} from '../constants.ts'
import { riseLimit } from '../estimators/riseLimit.ts'
import { initialState, type TunerState } from '../index.ts'
import { foldSample, freshSignals, initialSignals, type Sample } from '../signals/signals.ts'
import { allCapabilities } from '../testing/syntheticRun.ts'
import { cadenceOf } from './cadence.ts'
import { nextAwaitStep, plannedSwitchStep, planParts } from './planOf.ts'
import {
  annealShape,
  armSegments,
  cutBefore,
  largeSegments,
  nextPlan,
  openEndSteps,
  overrideSegments,
  rangeSegments,
} from './segments.ts'

const noSample: Sample = {
  step: 0,
  loss: null,
  learningRate: null,
  momentum: null,
  gradientNormSquared: null,
  microGradientNormSquared: null,
  preconditionedGradientNormSquared: null,
  preconditionedMicroGradientNormSquared: null,
  batchSize: null,
  microBatchSize: null,
  stepSeconds: null,
  signalSeconds: null,
}
const horizon = { step: 100, budgetSteps: 1_000, momentum: null }
const planOf = (segments: readonly Segment[]): Plan => ({ version: 1, segments })
const rateAt = (segments: readonly Segment[], step: number) =>
  evaluatePlan(planOf(segments), step).learningRate

describe('the large step and its anneal', () => {
  it('holds the rate to the switch and ends at 0', () => {
    const segments = largeSegments(horizon, { rate: 0.1, switchStep: 400 })
    expect(planProblem(planOf(segments))).toBeUndefined()
    expect([100, 399, 400, 700, 1_000].map((step) => rateAt(segments, step))).toEqual([
      0.1, 0.1, 0.1, 0.05, 0,
    ])
  })

  it('begins the anneal now where the switch is past, and takes it by the fallback plan where there is none', () => {
    expect(largeSegments(horizon, { rate: 0.1, switchStep: 20 })).toHaveLength(1)
    const [large] = largeSegments(horizon, { rate: 0.1, switchStep: null })
    expect(large?.toStep).toBe(Math.round((1 - fallbackAnnealShare) * 1_000))
  })

  it('has no end without a budget, and none left past it', () => {
    const open = largeSegments({ ...horizon, budgetSteps: null }, { rate: 0.1, switchStep: null })
    expect(open).toMatchObject([{ toStep: 100 + openEndSteps, from: 0.1, to: 0.1 }])
    const past = largeSegments({ ...horizon, step: 1_000 }, { rate: 0.1, switchStep: null })
    expect(past).toMatchObject([{ phase: 'done', from: 0, to: 0 }])
  })

  it('anneals linearly over long shares of the budget, and by 1 − √z over short ones', () => {
    expect(annealShape(annealLinearShareMin * 1_000, 1_000)).toBe('linear')
    expect(annealShape(annealLinearShareMin * 1_000 - 1, 1_000)).toBe('oneMinusSqrt')
    expect(annealShape(10, null)).toBe('linear')
  })

  it('keeps rate and momentum where the anneal begins: the effective rate η/(1 − μ) does not jump', () => {
    const segments = largeSegments({ ...horizon, momentum: 0.5 }, { rate: 0.1, switchStep: 400 })
    expect(segments.map(({ momentum }) => momentum)).toEqual([0.5, 0.5])
    expect(rateAt(segments, 400)).toBe(rateAt(segments, 399))
  })
})

describe('a person’s rate', () => {
  const after = largeSegments(horizon, { rate: 0.1, switchStep: 400 })
  const overridden = (untilStep: number, next = after) =>
    overrideSegments(horizon, { learningRate: 0.03, untilStep, phase: 'large', after: next })

  it('holds to its last step, and then what the tuner has', () => {
    const segments = overridden(700)
    expect(planProblem(planOf(segments))).toBeUndefined()
    expect([100, 699, 700, 850].map((step) => rateAt(segments, step))).toEqual([0.03, 0.03, 0.05, 0.025])
  })

  it('leaves nothing after it where it lasts beyond the plan, and changes nothing where it is past', () => {
    expect(overridden(2_000)).toHaveLength(1)
    expect(overridden(100)).toEqual(after)
  })

  it('leaves no gap before an arm that begins later', () => {
    const arm = armSegments(horizon, { rate: 0.1, fromStep: 150, toStep: 200 })
    const segments = overridden(120, arm)
    expect(planProblem(planOf(segments))).toBeUndefined()
    const first = raceWarmupFrom * 0.1
    expect([119, 120, 150].map((step) => rateAt(segments, step))).toEqual([0.03, first, first])
  })

  it('cuts a curved segment to a straight one with the same ends', () => {
    const curved: Segment = { fromStep: 0, toStep: 100, shape: 'oneMinusSqrt', from: 1, to: 0 }
    expect(cutBefore([curved], 25)).toEqual([{ ...curved, fromStep: 25, from: 0.5, shape: 'linear' }])
    expect(cutBefore([curved], 100)).toEqual([])
    expect(cutBefore([curved], 0)).toEqual([curved])
  })
})

describe('plans of the search', () => {
  it('the range test grows the rate by a constant factor, and goes on at the safe rate, annealed at the end', () => {
    const range = { fromStep: 0, toStep: 100, fromRate: 1e-4, toRate: 1 }
    const segments = rangeSegments({ ...horizon, step: 0 }, range, 0.01)
    expect(planProblem(planOf(segments))).toBeUndefined()
    expect(rateAt(segments, 50)).toBeCloseTo(0.01, 12)
    expect(rateAt(segments, 51) / rateAt(segments, 50)).toBeCloseTo(10 ** 0.04, 9)
    expect([rateAt(segments, 100), rateAt(segments, 1_000)]).toEqual([0.01, 0])
  })

  it('an arm warms up over the first half of its first segment', () => {
    const arm = { rate: 0.1, fromStep: 100, toStep: 140 }
    const first = armSegments(horizon, arm)
    expect([100, 110, 120, 139].map((step) => rateAt(first, step))).toEqual([
      raceWarmupFrom * 0.1,
      0.055,
      0.1,
      0.1,
    ])
    expect(rateAt(first, 1_000)).toBe(0)
  })

  it('the range test waits for an answer each ten steps', () => {
    expect([0, 9, 10, 11].map(nextAwaitStep)).toEqual([10, 10, 20, 20])
  })
})

describe('a plan', () => {
  const parts = { segments: [], tripwire: null, cadence: null, awaitAtStep: null }
  it('stays the same object while it asks for the same, and counts its versions', () => {
    const first = nextPlan({ version: 0, segments: [] }, { ...parts, awaitAtStep: 5 })
    expect(first.version).toBe(1)
    expect(nextPlan(first, { ...parts, awaitAtStep: 5 })).toBe(first)
    expect(nextPlan(first, { ...parts, awaitAtStep: 6 }).version).toBe(2)
  })
})

describe('where the plan puts the anneal, and how often the job measures', () => {
  const initial = initialState()
  const stateOf = (change: Partial<TunerState>, capabilities = allCapabilities): TunerState => ({
    ...initial,
    options: { ...initial.options, capabilities },
    mode: 'auto',
    phase: 'large',
    budgetSteps: 3_000,
    ...change,
  })
  const outlook = (earliestStep: number | null) => ({
    stayingGain: null,
    annealingGain: null,
    earliestStep,
    probeCount: 0,
    probesNeeded: 8,
    probability: null,
    alternatives: [],
  })

  it('is where the evidence points, but never before two more probes can be judged, nor after the deadline', () => {
    const { valleySteps } = cadenceOf(stateOf({ step: 1_000 }))!
    const planned = (step: number, earliest: number | null) =>
      plannedSwitchStep(stateOf({ step, outlook: outlook(earliest) }))
    expect(planned(1_000, 2_000)).toBe(2_000)
    expect(planned(1_000, 1_000)).toBe(1_000 + 2 * valleySteps! + 1)
    expect(planned(1_000, 2_990)).toBe(2_700)
    expect(planned(2_800, 2_990)).toBe(2_800)
    expect(planned(0, null)).toBe(Math.round((1 - fallbackAnnealShare) * 3_000))
    expect(plannedSwitchStep(stateOf({ budgetSteps: null }))).toBeNull()
    expect(plannedSwitchStep(stateOf({ isUndone: true }))).toBe(2_700)
  })

  it('gives a job without held-out data two more evaluations as well', () => {
    const planned = plannedSwitchStep(stateOf({ step: 1_000, outlook: outlook(1_000) }, ['microBatchNorms']))
    // Evaluations are 60 steps apart at step 1,000.
    expect(planned).toBe(1_121)
    expect(plannedSwitchStep(stateOf({ step: 1_000, outlook: outlook(1_000) }, []))).toBe(1_001)
  })

  it('asks only for what is offered, and for nothing in the search', () => {
    expect(cadenceOf(stateOf({}, []))).toMatchObject({
      valleySteps: null,
      lineSteps: null,
      microBatchSteps: null,
    })
    expect(cadenceOf(stateOf({ phase: 'warmup' }))).toMatchObject({
      valleySteps: null,
      microBatchSteps: null,
    })
  })

  it('measures at a distance that grows with the steps so far, whatever the budget', () => {
    const distances = (budgetSteps: number) =>
      [100, 500, 1_000, 2_000, 2_600].map((step) => cadenceOf(stateOf({ step, budgetSteps }))?.valleySteps)
    expect(distances(3_000)).toEqual([20, 30, 60, 120, 120])
    expect(distances(30_000)).toEqual(distances(3_000))
    expect(cadenceOf(stateOf({ step: 25_000, budgetSteps: 30_000 }))?.valleySteps).toBe(160)
    expect(cadenceOf(stateOf({ step: 1_000, budgetSteps: null }))?.valleySteps).toBe(100)
  })

  it('averages over blocks of which one ends between two probes, up to those of the budget', () => {
    const blocksAt = (step: number, budgetSteps: number) =>
      cadenceOf(stateOf({ step, budgetSteps }))?.blockSteps
    expect([100, 1_000, 2_600].map((step) => blocksAt(step, 3_000))).toEqual([10, 15, 15])
    expect([100, 1_000, 2_600].map((step) => blocksAt(step, 30_000))).toEqual([10, 30, 60])
  })

  it('measures curvature with the first two valley probes, then at every sixth', () => {
    const strideAfter = (count: number) => {
      const signals = { ...initial.signals, curvature: { ...initial.signals.curvature, count } }
      const { valleySteps, lineSteps } = cadenceOf(stateOf({ step: 1_000, signals }))!
      return lineSteps! / valleySteps!
    }
    expect([0, 1, 2, 9].map(strideAfter)).toEqual([1, 1, 6, 6])
  })

  it('measures micro-batches more rarely where signals take more than their share of the time, within a bound', () => {
    const at = (signalShare: number | null, blockCount: number = noiseBlocksFirst) => {
      const cost = { step: 10, signal: signalShare === null ? null : 10 * signalShare, probe: null }
      const noise = { ...initial.signals.noise, trace: Array.from({ length: blockCount }, () => 1) }
      return cadenceOf(stateOf({ step: 1_000, signals: { ...initial.signals, cost, noise } }))!
        .microBatchSteps!
    }
    expect([null, 0, 1, 1.2, 1.3, 1.6, 1.9, 9].map((times) => at(times && times * signalShareGoal))).toEqual([
      20, 20, 20, 20, 40, 60, 80, 80,
    ])
    // The first ones come whatever they cost: without them there is no gain of annealing to decide by.
    expect(at(9 * signalShareGoal, noiseBlocksFirst - 1)).toBe(20)
  })

  it('spaces probes out where they would take more than their share of the time, within a bound', () => {
    const at = (probeSecondsMean: number, { step = 1_000, spent = 0, budgetSteps = 3_000 } = {}) => {
      const cost = { step: 0.01 * step, signal: null, probe: spent }
      const signals = { ...initial.signals, probeSecondsMean, cost }
      return cadenceOf(stateOf({ step, signals, budgetSteps }))!.valleySteps!
    }
    expect(at(0)).toBe(60)
    expect(at(0.029)).toBe(80)
    expect(at(1_000)).toBe(160)
    expect(at(0.001, { spent: 1_000 })).toBe(160)
    // Late the distance is bounded by the budget's share as well.
    expect(at(1_000, { step: 2_900 })).toBe(160)
    expect(at(1_000, { step: 3_000, budgetSteps: 4_500 })).toBe(320)
  })

  it('takes long distances from doublings, so that where they hold the share of time no two probes fall closer', () => {
    const at = (spent: number) => {
      const cost = { step: 30, signal: null, probe: spent }
      const signals = { ...initial.signals, probeSecondsMean: 0.03, cost }
      return cadenceOf(stateOf({ step: 3_000, signals, budgetSteps: 6_000 }))!.valleySteps!
    }
    const distances = Array.from({ length: 100 }, (_, index) => at(0.01 * index))
    expect([...new Set(distances)]).toEqual([160, 320])
  })

  it('limits the loss at once after a search, by the blocks until the smoothed loss has a sample', () => {
    const sampled = (signals: TunerState['signals'], steps: number, loss: number) => {
      let folded = signals
      for (let i = 0; i < steps; i++) folded = foldSample(folded, { ...noSample, step: from + i, loss })
      from += steps
      return folded
    }
    let from = 0
    const limitOf = (signals: TunerState['signals']) =>
      planParts(stateOf({ signals, largeLearningRate: 0.1 })).tripwire?.lossAbove
    const searched = sampled(initialSignals(3_000), 200, 2)
    const fresh = freshSignals(searched, 3_000)
    expect(limitOf(initialSignals(3_000))).toBeNull()
    expect(limitOf(fresh)).toBeCloseTo(riseLimit(2, tripwireLossFactor), 9)
    // A loss of the search that was far too high is in no average that starts after it.
    const afterSpike = sampled(freshSignals(sampled(searched, 1, 1e9), 3_000), 1, 2)
    expect(limitOf(afterSpike)).toBeCloseTo(riseLimit(2, tripwireLossFactor), 9)
  })
})
