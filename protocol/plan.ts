// Evaluation of a plan: which learning rate and momentum a step takes. Every client does this by itself
// (a TypeScript job with this file, others with their own port), and examples/plans.json holds golden values
// that each port must reproduce. Cost: a binary search over the segments, so O(log n) per step.
//
// With z = (step − fromStep) / (toStep − fromStep) in [0, 1):
//   constant      from
//   linear        from + (to − from)·z
//   cosine        to + (from − to)·(1 + cos πz)/2
//   oneMinusSqrt  to + (from − to)·(1 − √z)
//   exponential   from·(to/from)^z                (from, to > 0)
// Before the first segment its `from` holds, after the last one its `to`. So the last step of an anneal to 0
// is still taken with a positive rate, and the step after it would be taken with 0.

import type { Plan, Segment, Tripwire } from './vocabulary.ts'

export type PlannedStep = { readonly learningRate: number; readonly momentum: number | null }

/**
 * One past the last step of a run whose counter began at `firstStep`. A budget above that is where the counter ends; one at or
 * below it is the number of steps to take. A counter from 1 on numbers its steps, so that a budget of N is both.
 */
export const endOfBudget = (firstStep: number, budgetSteps: number): number =>
  firstStep > 1 && budgetSteps > firstStep ? budgetSteps : firstStep + budgetSteps

/** A switch can be undone as long as this share of the steps is left, to anneal once more. */
export const undoShareLeft = 0.2

/** The last step at which a switch of a run between these steps can be undone. */
export const undoableUntil = (firstStep: number, endStep: number): number =>
  Math.floor(endStep - undoShareLeft * (endStep - firstStep))

/** The rate at a step inside (or at the end of) one segment. `step` is clamped to the segment. */
export function segmentRate(segment: Segment, step: number): number {
  const { fromStep, toStep, from, to } = segment
  if (step >= toStep) return to
  if (step <= fromStep || segment.shape === 'constant') return from
  const z = (step - fromStep) / (toStep - fromStep)
  switch (segment.shape) {
    case 'linear':
      return from + (to - from) * z
    case 'cosine':
      return to + ((from - to) * (1 + Math.cos(Math.PI * z))) / 2
    case 'oneMinusSqrt':
      return to + (from - to) * (1 - Math.sqrt(z))
    case 'exponential':
      return from * (to / from) ** z
  }
}

/** The segment that holds at a step: the last one that starts at or before it (the first, if none does). */
export function segmentAt(plan: Pick<Plan, 'segments'>, step: number): Segment | undefined {
  const { segments } = plan
  let low = 0
  let high = segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (segments[middle]!.fromStep <= step) low = middle
    else high = middle - 1
  }
  return segments[low]
}

/** The rate that segments give at a step; 0 where there are none. */
export function segmentsRate(segments: readonly Segment[], step: number): number {
  const segment = segmentAt({ segments }, step)
  return segment === undefined ? 0 : segmentRate(segment, step)
}

/**
 * Learning rate and momentum of the plan at a 0-based step; momentum null = the job's own.
 * @throws RangeError if the plan has no segment or the step is not a finite number.
 */
export function evaluatePlan(plan: Plan, step: number): PlannedStep {
  if (!Number.isFinite(step)) throw new RangeError(`step must be a finite number, got ${step}`)
  const segment = segmentAt(plan, step)
  if (segment === undefined) throw new RangeError('plan.segments must hold at least one segment, got none')
  return { learningRate: segmentRate(segment, step), momentum: segment.momentum ?? null }
}

/** Why a plan is not one, as a sentence naming the field and the value; undefined = it is sound. */
export function planProblem(plan: Plan): string | undefined {
  if (plan.segments.length === 0) return 'plan.segments must hold at least one segment, got none'
  let expected: number | undefined
  for (const [index, segment] of plan.segments.entries()) {
    const where = `plan.segments[${index}]`
    if (!Number.isInteger(segment.fromStep) || segment.fromStep < 0)
      return `${where}.fromStep must be a whole number of 0 or more, got ${segment.fromStep}`
    if (!Number.isInteger(segment.toStep) || segment.toStep <= segment.fromStep)
      return `${where}.toStep must be a whole number above fromStep ${segment.fromStep}, got ${segment.toStep}`
    if (expected !== undefined && segment.fromStep !== expected)
      return `${where}.fromStep must be ${expected}, the end of the segment before it, got ${segment.fromStep}`
    for (const side of ['from', 'to'] as const) {
      const rate = segment[side]
      const positive = segment.shape === 'exponential'
      if (!Number.isFinite(rate) || rate < 0 || (positive && rate === 0))
        return `${where}.${side} must be a finite rate ${positive ? 'above 0' : 'of 0 or more'}, got ${rate}`
    }
    if (segment.shape === 'constant' && segment.from !== segment.to)
      return `${where}.to must equal from ${segment.from} in a constant segment, got ${segment.to}`
    const momentum = segment.momentum ?? 0
    if (!(momentum >= 0 && momentum < 1)) return `${where}.momentum must be in [0, 1), got ${momentum}`
    expected = segment.toStep
  }
  return undefined
}

/** What a client knows at a step, for the tripwire. Norms are Euclidean, not squared; null = not measured. */
export type TripwireInput = {
  /** Exponentially smoothed training loss (the client's own, 10 steps); null while there is none. */
  readonly lossSmoothed: number | null
  readonly gradientNorm: number | null
  /** Steps in a row, up to this one, whose loss was NaN or infinite. */
  readonly nonFiniteCount: number
}
export const tripwireNonFiniteMax = 5

/** Whether the wire trips. Pure; a client that has tripped obeys `thenLearningRate` until the next answer. */
export function tripwireTrips(tripwire: Tripwire | null | undefined, input: TripwireInput): boolean {
  if (!tripwire) return false
  if (input.nonFiniteCount >= tripwireNonFiniteMax) return true
  const above = (value: number | null, limit: number | null) =>
    value !== null && limit !== null && value > limit
  return (
    above(input.lossSmoothed, tripwire.lossAbove) || above(input.gradientNorm, tripwire.gradientNormAbove)
  )
}
