// Which of the plan's shapes a stretch of applied rates has. Each is a straight line once its axes are bent:
//
//   linear        rate over k              exponential   log rate over k
//   oneMinusSqrt  rate over √(k − s)       s = where it began: at the first of the stretch, one place before it (its
//                                          rate there is the one held until then), or, after a gap, where the last did
//
// Only the longest common line proposes; what it proposes is then evaluated by the plan's own formula at each step, and
// cut where that leaves a rate's cell. A cosine is none of these (its length is a third unknown): its rates are listed.

import { segmentRate } from '../../protocol/plan.ts'
import type { Segment } from '../../protocol/vocabulary.ts'
import { CommonLine } from './commonLine.ts'
import type { Cell } from './precision.ts'

/** Rates at evenly spaced steps: a part of two long lists. */
export type Evenly = {
  readonly steps: readonly number[]
  readonly cells: readonly Cell[]
  readonly rates: readonly number[]
  readonly from: number
  /** One past the last place; evenly spaced up to there. */
  readonly to: number
}
export type Fitted = { readonly count: number; readonly segment: Segment }

type Axes = {
  readonly shape: 'linear' | 'oneMinusSqrt' | 'exponential'
  /** Steps before the first of the stretch at which the shape begins. */
  readonly lead: number
  readonly x: (steps: number) => number
  readonly bend: (rate: number) => number
  readonly unbend: (y: number) => number
}

const same = (value: number) => value
const linear: Axes = { shape: 'linear', lead: 0, x: same, bend: same, unbend: same }
const exponential: Axes = { shape: 'exponential', lead: 0, x: same, bend: Math.log, unbend: Math.exp }
const oneMinusSqrt = (lead: number): Axes => ({ ...linear, shape: 'oneMinusSqrt', lead, x: Math.sqrt })

/** Fewer steps are as short as a list. */
export const fittedMin = 6
/** A proposal that its own formula does not bear out is cut and made anew so often. */
const attemptsMax = 6
/** A cell must be so many rounding errors of the first rate wide: a formula meets no narrower one. */
const widthMin = 16 * Number.EPSILON

/** What is known from one stretch to the next. */
export type Search = {
  /** Places that may still be looked at; what is left when they are used up is listed, however odd a run is. */
  workLeft: number
  /** Where the last 1 − √z began; null = there was none. */
  rootStep: number | null
}

/** The longest beginning of the stretch, of at most `countMax`, through which a line of these axes passes. */
function propose(stretch: Evenly, by: Axes, countMax: number): Fitted | undefined {
  const { steps, cells, rates, from } = stretch
  if (rates[from] === 0) return undefined
  const first = steps[from]!
  const base = by.bend(rates[from]!)
  const common = new CommonLine()
  let count = 0
  while (count < countMax) {
    const { low, high } = cells[from + count]!
    const [bottom, top] = [by.bend(low), by.bend(high)]
    if (!(top - bottom > widthMin * Math.max(Math.abs(base), Math.abs(top)))) break
    if (!common.add(by.x(by.lead + steps[from + count]! - first), bottom - base, top - base)) break
    count++
  }
  const line = common.line()
  if (count < fittedMin || line === undefined) return undefined
  const rateAt = (step: number) =>
    by.unbend(base + line.intercept + line.slope * by.x(by.lead + step - first))
  const fromStep = first - by.lead
  const toStep = steps[from + count - 1]!
  const segment: Segment = { fromStep, toStep, shape: by.shape, from: rateAt(fromStep), to: rateAt(toStep) }
  return { count, segment }
}

/** How many of the first steps have a rate within its cell by the formula. */
function borneOut({ steps, cells, from }: Evenly, { count, segment }: Fitted): number {
  for (let i = 0; i < count; i++) {
    const rate = segmentRate(segment, steps[from + i]!)
    const { low, high } = cells[from + i]!
    if (!(rate >= low && rate <= high)) return i
  }
  return count
}

function fittedBy(stretch: Evenly, by: Axes, search: Search): Fitted | undefined {
  let countMax = stretch.to - stretch.from
  for (let attempt = 0; attempt < attemptsMax && search.workLeft > 0; attempt++) {
    const proposal = propose(stretch, by, countMax)
    search.workLeft -= proposal?.count ?? fittedMin
    if (proposal === undefined) return undefined
    countMax = borneOut(stretch, proposal)
    if (countMax === proposal.count) return proposal
  }
  return undefined
}

/** The shape that covers most of the first steps of a stretch; undefined if none covers enough. */
export function longestShape(stretch: Evenly, search: Search): Fitted | undefined {
  const countMax = stretch.to - stretch.from
  if (countMax < fittedMin) return undefined
  const first = stretch.steps[stretch.from]!
  const every = stretch.steps[stretch.from + 1]! - first
  const leads = new Set([0, every, first - (search.rootStep ?? first)])
  let best: Fitted | undefined
  for (const by of [linear, ...[...leads].map(oneMinusSqrt), exponential]) {
    if (best?.count === countMax) break
    const fitted = fittedBy(stretch, by, search)
    if (fitted !== undefined && fitted.count > (best?.count ?? 0)) best = fitted
  }
  if (best?.segment.shape === 'oneMinusSqrt') search.rootStep = best.segment.fromStep
  return best
}
