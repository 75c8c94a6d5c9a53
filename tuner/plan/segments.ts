// Segments: the rate ahead in each phase. Every plan ends annealed, because a client that loses the server follows it to
// the end: a run must come out well without us. Pure functions of values; which of them a run calls for is in its phase.

import { segmentRate } from '../../protocol/plan.ts'
import type { Phase, Segment, SegmentShape } from '../../protocol/vocabulary.ts'
import { momentumOf } from '../options.ts'
import type { Anneal, Ramp, TunerState } from '../state.ts'
import { endOf, lengthOf } from './bounds.ts'

/** Steps that stand for "no end" in a plan without a budget: the last rate holds after them anyway. */
export const openEndSteps = 1_000_000
/** From this share of the budget on an anneal is linear, a shorter one 1 − √z, steeper at first.
 *  bench/records/2026-11-24-prototype/README.md. */
const linearShareMin = 0.3
/** An arm of a race starts at this share of its rate and reaches it half-way. bench/records/2026-11-24-search/README.md. */
const armRampFrom = 0.1

/** What is common to the segments of one plan. */
export type Horizon = {
  readonly step: number
  /** One past the last step, and T; null = no budget. */
  readonly end: number | null
  readonly length: number | null
  /** The momentum that segments name; null = the job's own, not set by us. */
  readonly momentum: number | null
}

export const horizonOf = (run: TunerState): Horizon => ({
  step: run.seen.step,
  end: endOf(run),
  length: lengthOf(run),
  momentum: momentumOf(run.options),
})

export function segment(
  phase: Phase,
  range: { from: number; to: number; fromStep: number; toStep: number; shape?: SegmentShape },
  momentum: number | null = null,
): Segment {
  const { fromStep, toStep, from, to } = range
  const shape = range.shape ?? (from === to ? 'constant' : 'linear')
  return { fromStep, toStep, shape, from, to, phase, ...(momentum === null ? {} : { momentum }) }
}

/** Nothing more is learned: the rate is 0. */
export const endedSegments = ({ step, momentum }: Horizon): Segment[] => [
  segment('done', { fromStep: step, toStep: step + 1, from: 0, to: 0 }, momentum),
]

export const annealShape = (steps: number, length: number | null): SegmentShape =>
  length !== null && steps < linearShareMin * length ? 'oneMinusSqrt' : 'linear'

/** Anneal from a rate to 0 over [fromStep, toStep). */
export function annealSegments(
  { length, momentum }: Horizon,
  options: { fromStep: number; toStep: number; rate: number },
): Segment[] {
  const { fromStep, toStep, rate } = options
  const shape = annealShape(toStep - fromStep, length)
  return [segment('anneal', { fromStep, toStep, from: rate, to: 0, shape }, momentum)]
}

/** The share of its first rate that an anneal has at a step; `length`: T, null = no budget. Of a rate of 0 it is 0. */
export function annealRateShare(anneal: Anneal, step: number, length: number | null): number {
  const { fromStep, fromRate } = anneal.rest ?? anneal
  const { toStep } = anneal
  if (anneal.fromRate === 0) return 0
  const shape = annealShape(toStep - fromStep, length)
  return segmentRate({ fromStep, toStep, from: fromRate, to: 0, shape }, step) / anneal.fromRate
}

/**
 * The large step held to `switchStep`, then the anneal. Without a budget it holds without end.
 * A switch step at or before the present starts the anneal now; at or beyond the budget there is none.
 */
export function largeSegments(horizon: Horizon, options: { rate: number; switchStep: number }): Segment[] {
  const { step, end, momentum } = horizon
  const { rate } = options
  if (end === null)
    return [segment('large', { fromStep: step, toStep: step + openEndSteps, from: rate, to: rate }, momentum)]
  if (step >= end) return endedSegments(horizon)
  const switchStep = Math.min(Math.max(options.switchStep, step), end - 1)
  const anneal = annealSegments(horizon, { fromStep: switchStep, toStep: end, rate })
  if (switchStep === step) return anneal
  return [segment('large', { fromStep: step, toStep: switchStep, from: rate, to: rate }, momentum), ...anneal]
}

/** The same rates, reached over a ramp: before its end a straight climb, after it as they are. */
export function rampedSegments(
  segments: readonly Segment[],
  ramp: Ramp | null,
  step: number,
  phase: Phase,
): Segment[] {
  if (ramp === null || ramp.toStep <= step) return [...segments]
  const rest = cutBefore(segments, ramp.toStep)
  const first = rest[0]
  if (first === undefined || first.fromStep > ramp.toStep) return [...segments]
  const range = { fromStep: ramp.fromStep, toStep: ramp.toStep, from: ramp.fromRate, to: first.from }
  return [segment(phase, range, first.momentum ?? null), ...rest]
}

/** A person's rate until a step, then what the tuner has. */
export function overrideSegments(
  { step, momentum }: Horizon,
  options: { learningRate: number; untilStep: number; phase: Phase; after: readonly Segment[] },
): Segment[] {
  const { learningRate, untilStep, phase, after } = options
  if (untilStep <= step) return [...after]
  const range = { fromStep: step, toStep: untilStep, from: learningRate, to: learningRate }
  const held = segment(phase, range, momentum)
  const rest = cutBefore(after, untilStep)
  const first = rest[0]
  if (first === undefined || first.fromStep <= untilStep) return [held, ...rest]
  // What comes after may begin later (an arm that waits for its restore): its first rate holds until then.
  const bridge = { fromStep: untilStep, toStep: first.fromStep, from: first.from, to: first.from }
  return [held, segment(phase, bridge, first.momentum ?? null), ...rest]
}

/** The part of segments from a step on; a segment that is cut starts with its rate at the cut. */
export function cutBefore(segments: readonly Segment[], step: number): Segment[] {
  const kept = segments.filter(({ toStep }) => toStep > step)
  const [first, ...rest] = kept
  if (first === undefined || first.fromStep >= step) return kept
  const { shape } = first
  const from = segmentRate(first, step)
  // A cut cosine or 1 − √z is no longer one of its kind: it goes on straight to the same end.
  const isCurved = shape === 'cosine' || shape === 'oneMinusSqrt'
  return [{ ...first, fromStep: step, from, shape: isCurved ? 'linear' : shape }, ...rest]
}

/** The same up to the end, and from there on nothing. */
export function endedInTime(horizon: Horizon, segments: readonly Segment[]): Segment[] {
  const { end } = horizon
  if (end === null || segments.every(({ toStep }) => toStep <= end)) return [...segments]
  const kept = segments
    .filter(({ fromStep }) => fromStep < end)
    .map((one) => (one.toStep <= end ? one : { ...one, toStep: end, to: segmentRate(one, end) }))
  return [...kept, ...endedSegments({ ...horizon, step: end })]
}

/** One arm of a race: a climb over its first half, then its rate; where it comes down, linear to 0, and 0. */
export function armSegments(
  momentum: number | null,
  arm: { rate: number; fromStep: number; downFromStep: number; zeroFromStep: number; toStep: number },
): Segment[] {
  const { rate, fromStep, downFromStep, zeroFromStep, toStep } = arm
  const middle = fromStep + Math.max(1, Math.floor((downFromStep - fromStep) / 2))
  const parts = [
    { fromStep, toStep: middle, from: rate * armRampFrom, to: rate },
    { fromStep: middle, toStep: downFromStep, from: rate, to: rate },
    { fromStep: downFromStep, toStep: zeroFromStep, from: rate, to: 0 },
    { fromStep: zeroFromStep, toStep, from: 0, to: 0 },
  ]
  return parts.filter((part) => part.toStep > part.fromStep).map((part) => segment('warmup', part, momentum))
}
