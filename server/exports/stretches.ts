// Applied rates, step by step, as few stretches: rates held, shapes of the plan, and lists where nothing fits. A rate
// holds until the next one is reported, so only the steps count at which it changes, and gaps need no entry. Greedy: at
// each change the shape that goes furthest. Cost: O(changes) for what is shaped, a few operations for what is not.

import type { AppliedSpan, Segment } from '../../protocol/vocabulary.ts'
import { cellOf, type Precision, precisionOf } from './precision.ts'
import { longestShape, type Search } from './shapes.ts'

/** Holds from its first step until the next stretch begins; after its last own step it keeps that step's rate. */
export type Stretch =
  | { readonly kind: 'held'; readonly firstStep: number; readonly rate: number }
  | {
      readonly kind: 'listed'
      readonly firstStep: number
      readonly every: number
      readonly rates: readonly number[]
    }
  /** The segment's rate at the first step and each `every`-th after it, up to its `toStep`. */
  | {
      readonly kind: 'shaped'
      readonly firstStep: number
      readonly every: number
      readonly segment: Segment
    }
export type Stretches = { readonly stretches: readonly Stretch[]; readonly precision: Precision }

/** Noise takes some 25 a change, what is shaped 1 to 4. */
const workPerChange = 60

export type Changes = { readonly steps: readonly number[]; readonly rates: readonly number[] }

/** Where the rate changes, from spans in any order; a rate that is no number is passed over. */
export function changesOf(spans: readonly AppliedSpan[]): Changes {
  const steps: number[] = []
  const rates: number[] = []
  for (const { fromStep, learningRate } of [...spans].sort((a, b) => a.fromStep - b.fromStep)) {
    if (!(learningRate >= 0 && learningRate < Number.POSITIVE_INFINITY) || rates.at(-1) === learningRate)
      continue
    steps.push(fromStep)
    rates.push(learningRate)
  }
  return { steps, rates }
}

/** Of each place: one past the last up to which the steps are evenly spaced. */
function evenlyUntil(steps: readonly number[]): Uint32Array {
  const until = new Uint32Array(steps.length)
  for (let i = steps.length - 1; i >= 0; i--) {
    const isEven = i + 2 < steps.length && steps[i + 1]! - steps[i]! === steps[i + 2]! - steps[i + 1]!
    until[i] = isEven ? until[i + 1]! : Math.min(i + 2, steps.length)
  }
  return until
}

/** Places [from, to), to which no shape was found, as lists of evenly spaced rates or rates held. */
function* listed({ steps, rates }: Changes, range: { from: number; to: number }): Generator<Stretch> {
  let from = range.from
  while (from < range.to) {
    const firstStep = steps[from]!
    const every = (steps[from + 1] ?? 0) - firstStep
    let to = from + 1
    while (to < range.to && steps[to]! - steps[to - 1]! === every) to++
    // A list of two is no shorter than two rates.
    if (to - from < 3) to = from + 1
    if (to - from === 1) yield { kind: 'held', firstStep, rate: rates[from]! }
    else yield { kind: 'listed', firstStep, every, rates: rates.slice(from, to) }
    from = to
  }
}

export function stretchesOf(changes: Changes): Stretches {
  const { steps, rates } = changes
  const precision = precisionOf(rates)
  const cells = rates.map((rate) => cellOf(precision, rate))
  const until = evenlyUntil(steps)
  const search: Search = { workLeft: workPerChange * steps.length, rootStep: null }
  const stretches: Stretch[] = []
  let listedFrom = 0
  let at = 0
  while (at < steps.length) {
    const found = longestShape({ steps, cells, rates, from: at, to: until[at]! }, search)
    if (found === undefined) {
      at++
      continue
    }
    for (const stretch of listed(changes, { from: listedFrom, to: at })) stretches.push(stretch)
    const firstStep = steps[at]!
    stretches.push({ kind: 'shaped', firstStep, every: steps[at + 1]! - firstStep, segment: found.segment })
    at += found.count
    listedFrom = at
  }
  for (const stretch of listed(changes, { from: listedFrom, to: steps.length })) stretches.push(stretch)
  return { stretches, precision }
}

/** What is planned from a step on, as stretches: its segments as they are. */
export function plannedStretches(segments: readonly Segment[], fromStep: number): Stretch[] {
  return segments.map((segment, i) => {
    // A rate is planned from the present step on, also where the first segment begins later.
    const firstStep = i === 0 ? fromStep : segment.fromStep
    return segment.shape === 'constant'
      ? { kind: 'held', firstStep, rate: segment.from }
      : { kind: 'shaped', firstStep, every: 1, segment }
  })
}
