// Plans: which segments lie ahead in each phase. Every plan ends annealed, because a client that loses the
// server follows it to the end: a run must come out well without us. Pure functions of values; which of them
// a state calls for is in planParts.ts.

import { segmentRate } from '../../protocol/plan.ts'
import type { Cadence, Phase, Plan, Segment, SegmentShape, Tripwire } from '../../protocol/vocabulary.ts'
import { annealLinearShareMin, fallbackAnnealShare, raceWarmupFrom } from '../constants.ts'

/** Steps that stand for "no end" in a plan without a budget: the last rate holds after them anyway. */
export const openEndSteps = 1_000_000

/** What is common to the segments of one plan. */
export type Horizon = {
  readonly step: number
  readonly budgetSteps: number | null
  /** The momentum that segments name; null = the job's own, not set by us. */
  readonly momentum: number | null
}

export function segment(
  phase: Phase,
  range: { from: number; to: number; fromStep: number; toStep: number; shape?: SegmentShape },
  momentum: number | null = null,
): Segment {
  const { fromStep, toStep, from, to } = range
  const shape = range.shape ?? (from === to ? 'constant' : 'linear')
  return { fromStep, toStep, shape, from, to, phase, ...(momentum === null ? {} : { momentum }) }
}

/** Shape of an anneal over `steps` of a budget: linear for long ones, 1 − √z (steeper at first) for short ones. */
export function annealShape(steps: number, budgetSteps: number | null): SegmentShape {
  return budgetSteps !== null && steps < annealLinearShareMin * budgetSteps ? 'oneMinusSqrt' : 'linear'
}

/** Anneal from a rate to 0 over [fromStep, toStep). */
export function annealSegments(
  horizon: Horizon,
  options: { fromStep: number; toStep: number; rate: number },
): Segment[] {
  const { fromStep, toStep, rate } = options
  const shape = annealShape(toStep - fromStep, horizon.budgetSteps)
  return [segment('anneal', { fromStep, toStep, from: rate, to: 0, shape }, horizon.momentum)]
}

/**
 * The large step held to `switchStep`, then the anneal. Without a budget it holds without end.
 * A switch step at or before the present starts the anneal now; at or beyond the budget there is none.
 */
export function largeSegments(
  horizon: Horizon,
  options: { rate: number; switchStep: number | null },
): Segment[] {
  const { step, budgetSteps, momentum } = horizon
  const { rate } = options
  if (budgetSteps === null)
    return [segment('large', { fromStep: step, toStep: step + openEndSteps, from: rate, to: rate }, momentum)]
  if (step >= budgetSteps)
    return [segment('done', { fromStep: step, toStep: step + 1, from: 0, to: 0 }, momentum)]
  const switchStep = Math.min(
    Math.max(options.switchStep ?? fallbackSwitchStep(step, budgetSteps), step),
    budgetSteps - 1,
  )
  const anneal = annealSegments(horizon, { fromStep: switchStep, toStep: budgetSteps, rate })
  if (switchStep === step) return anneal
  return [segment('large', { fromStep: step, toStep: switchStep, from: rate, to: rate }, momentum), ...anneal]
}

/** Where the fallback plan "fixed 70 % linear anneal" switches, seen from a step. */
export function fallbackSwitchStep(step: number, budgetSteps: number): number {
  return Math.max(step, Math.round((1 - fallbackAnnealShare) * budgetSteps))
}

/** A person's rate until a step, then what the tuner has. */
export function overrideSegments(
  horizon: Horizon,
  options: { learningRate: number; untilStep: number; phase: Phase; after: readonly Segment[] },
): Segment[] {
  const { step, momentum } = horizon
  const { learningRate, untilStep, phase, after } = options
  if (untilStep <= step) return [...after]
  const held = segment(
    phase,
    { fromStep: step, toStep: untilStep, from: learningRate, to: learningRate },
    momentum,
  )
  const rest = cutBefore(after, untilStep)
  const first = rest[0]
  if (first === undefined || first.fromStep <= untilStep) return [held, ...rest]
  // What comes after may begin later (an arm that waits for its restore): its first rate holds until then.
  const { from } = first
  const bridge = segment(phase, { fromStep: untilStep, toStep: first.fromStep, from, to: from })
  return [held, { ...bridge, ...(first.momentum == null ? {} : { momentum: first.momentum }) }, ...rest]
}

/** The part of segments from a step on; a segment that is cut starts with its rate at the cut. */
export function cutBefore(segments: readonly Segment[], step: number): Segment[] {
  const kept = segments.filter(({ toStep }) => toStep > step)
  const [first, ...rest] = kept
  if (first === undefined || first.fromStep >= step) return kept
  return [cutSegment(first, step), ...rest]
}

function cutSegment(first: Segment, step: number): Segment {
  const { shape, to } = first
  const from = segmentRate(first, step)
  // A cut cosine or 1 − √z is no longer one of its kind: it goes on straight to the same end.
  return {
    ...first,
    fromStep: step,
    from,
    to,
    shape: shape === 'cosine' || shape === 'oneMinusSqrt' ? 'linear' : shape,
  }
}

/** The range test's segment, and after it a stated conservative rate to the end. */
export function rangeSegments(
  horizon: Horizon,
  range: { fromStep: number; toStep: number; fromRate: number; toRate: number },
  fallbackRate: number,
): Segment[] {
  const { fromStep, toStep, fromRate, toRate } = range
  const test = segment(
    'warmup',
    { fromStep, toStep, from: fromRate, to: toRate, shape: 'exponential' },
    horizon.momentum,
  )
  return [test, ...largeSegments({ ...horizon, step: toStep }, { rate: fallbackRate, switchStep: null })]
}

/** One arm of a race from the start: a linear warm-up over the first half, then its rate. */
export function armSegments(
  horizon: Horizon,
  options: { rate: number; fromStep: number; toStep: number },
): Segment[] {
  const { rate, fromStep, toStep } = options
  const { momentum } = horizon
  const middle = fromStep + Math.max(1, Math.floor((toStep - fromStep) / 2))
  return [
    segment('warmup', { fromStep, toStep: middle, from: rate * raceWarmupFrom, to: rate }, momentum),
    segment('warmup', { fromStep: middle, toStep, from: rate, to: rate }, momentum),
    ...largeSegments({ ...horizon, step: toStep }, { rate, switchStep: null }),
  ]
}

/** Whether two plans ask the same of a client, whatever their versions. */
function isSamePlan(a: Plan, b: Omit<Plan, 'version'>): boolean {
  return JSON.stringify({ ...a, version: 0 }) === JSON.stringify({ ...b, version: 0 })
}

export type PlanParts = {
  readonly segments: readonly Segment[]
  readonly tripwire: Tripwire | null
  readonly cadence: Cadence | null
  readonly awaitAtStep: number | null
}

/** The next version of the plan, or the same plan object when nothing changed. */
export function nextPlan(plan: Plan, parts: PlanParts): Plan {
  const { segments, tripwire, cadence, awaitAtStep } = parts
  const next: Plan = { version: plan.version + 1, segments, tripwire, cadence, awaitAtStep }
  return isSamePlan(plan, next) ? plan : next
}
