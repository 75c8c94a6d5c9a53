// Forecast of the final loss: what the weights that are kept will have after an anneal that is still to come. The loss P of
// averaged weights shows today about what an anneal from here reaches, and goes on falling about as it fell over the second
// half of the run's length S:
//   ln final = ln P − a·f·z,   f = ln P(S/2) − ln P,   z = log₂(1 + ahead/S) doublings of the run's length still to come,
// with P the lowest so far where those weights are kept, and `ahead` the rates to come over the large one (a ramp to 0 counts
// half of its steps). The 95 % interval is not that of a fit but of what came true on other tasks:
//   [−u·s, +v·s] about it,   s = s₀ + f·z + s₁·z² + s₂·g,   g = ln(1 + D/P), D what the anneal has still to take off.
// It is lopsided: losses fall below the forecast (a second descent, an anneal that finds more than averages show) further
// than they stay above it; where weights are kept, hardly above those, and nowhere above the highest loss so far. Losses that
// were not all above 0 have no logarithm: the same on (loss − P)/(first P − P).
// bench/records/2026-11-28-forecasts/README.md. Law: multiplied by c > 0 the forecast is c times itself; where losses are not
// positive, with a constant added it moves by it. Cost: O(128).

import { secondDifferenceScatter } from './rise.ts'

export const finalLossProbesNeeded = 4
/** a, and the widths of the interval; same record. `top`: what is reached may lie so much above weights that are kept. */
export const finalLossFit = {
  decline: 0.6,
  floor: 0.05,
  curvature: 0.3,
  gap: 0.3,
  below: 1.05,
  above: 0.4,
  top: 0.03,
} as const
export type FinalLossFit = { readonly [K in keyof typeof finalLossFit]: number }
/** The same where the rate is never lowered. */
export const neverAnnealedFit: FinalLossFit = { ...finalLossFit, below: 0.8, above: 1.4 }
/** Bounds of f, z and g: beyond them nothing was seen. */
const fallMax = 2
const doublingsMax = 6
const gapMax = 1
/** Half of a 95 % interval in standard errors. */
const errorsIn95 = 1.96

/** `standardError`: half of the interval over 1.96, for who wants one number. */
export type Forecast = {
  readonly value: number
  readonly standardError: number
  readonly low: number
  readonly high: number
}

export type FinalLossInput = {
  /** S > 0 and P of the probes so far, oldest first. */
  readonly points: readonly { readonly runLength: number; readonly averagedLoss: number }[]
  /** The lowest averaged weights are kept, whatever comes. */
  readonly isKept: boolean
  /** Steps to come, in large ones. */
  readonly ahead: number
  /** D: what raw weights lie above averaged ones, as far as it is still to be annealed away. */
  readonly gap: number
  /** What of it stays on the weights in the end. */
  readonly stays: number
}

/** Null = too few probes, or losses that are not positive and have not fallen. */
export function finalLossOf(input: FinalLossInput, fit: FinalLossFit = finalLossFit): Forecast | null {
  const { points, isKept, ahead, gap, stays } = input
  const last = points.at(-1)
  if (last === undefined || points.length < finalLossProbesNeeded) return null
  const losses = points.map(({ averagedLoss }) => averagedLoss)
  const level = isKept ? Math.min(...losses) : last.averagedLoss
  const scale = scaleOf(level, losses)
  if (scale === null) return null
  const fall = clipped(scale.above(level, lossAt(points, last.runLength / 2)), fallMax)
  const doublings = clipped(Math.log2(1 + Math.max(0, ahead) / last.runLength), doublingsMax)
  const removed = clipped(scale.above(level, level + Math.max(0, gap)), gapMax)
  const value = scale.moved(level, -fit.decline * fall * doublings) + Math.max(0, stays)
  const spread = fit.floor + fall * doublings + fit.curvature * doublings ** 2 + fit.gap * removed
  const low = scale.moved(value, -fit.below * spread)
  // Kept weights are hardly given up; and no run was seen to unlearn more than it had learned.
  const most = isKept ? scale.moved(level, fit.top) : Math.max(value, ...losses)
  const high = Math.min(scale.moved(value, fit.above * spread), most)
  return finiteOnly({ value, standardError: (high - low) / (2 * errorsIn95), low, high })
}

/** The same for a run length that is past, by what was measured then; `ahead` < 0. Null = too few probes up to it. */
export function pastLossOf({
  points,
  isKept,
  ahead,
}: Pick<FinalLossInput, 'points' | 'isKept' | 'ahead'>): number | null {
  const runLength = (points.at(-1)?.runLength ?? 0) + ahead
  const before = points.filter((point) => point.runLength <= runLength)
  if (before.length < finalLossProbesNeeded) return null
  const there = lossAt(points, runLength)
  return isKept ? Math.min(there, ...before.map(({ averagedLoss }) => averagedLoss)) : there
}

/** Losses near the largest number have an interval beyond it: then there is no forecast. */
const finiteOnly = (forecast: Forecast): Forecast | null =>
  Object.values(forecast).every(Number.isFinite) ? forecast : null

const clipped = (value: number, most: number): number => Math.min(most, Math.max(0, value))

/** How far a loss lies above another, and back: in logarithms, or in units of what was learned. */
function scaleOf(level: number, losses: readonly number[]) {
  if (losses.every((loss) => loss > 0))
    return {
      above: (from: number, loss: number) => Math.log(loss / from),
      moved: (from: number, by: number) => from * Math.exp(by),
    }
  const unit = losses[0]! - level
  if (!(unit > 0)) return null
  return {
    above: (from: number, loss: number) => (loss - from) / unit,
    moved: (from: number, by: number) => from + unit * by,
  }
}

/** P at a run length, straight between probes; before the first one, that of the first. */
function lossAt(points: FinalLossInput['points'], runLength: number): number {
  const after = points.findIndex((point) => point.runLength >= runLength)
  const [a, b] = [points[after - 1], points[after]!]
  if (a === undefined) return b.averagedLoss
  const share = (runLength - a.runLength) / (b.runLength - a.runLength)
  return a.averagedLoss + share * (b.averagedLoss - a.averagedLoss)
}

/** Of so many of the newest losses: earlier ones fell steeply, which is no scatter. Chosen. */
const lossesInScatter = 6
/** Half of the interval in those deviations, and what is added to one of logarithms, as a few may agree by chance; same record. */
const mergedFactor = 2.1
const mergedFloor = 0.01

/**
 * What averaged weights have today, without an anneal: the newest of the probed losses, give or take what such losses
 * deviate by from a straight course; of their logarithms where they are positive. Null = too few.
 */
export function mergedLoss(averagedLosses: readonly number[]): Forecast | null {
  const recent = averagedLosses.slice(-lossesInScatter)
  const value = recent.at(-1)
  if (value === undefined || recent.length < finalLossProbesNeeded) return null
  const isPositive = recent.every((loss) => loss > 0)
  const scatter = secondDifferenceScatter(isPositive ? recent.map(Math.log) : recent)
  const half = mergedFactor * (isPositive ? scatter + mergedFloor : scatter)
  const [low, high] = isPositive
    ? [value * Math.exp(-half), value * Math.exp(half)]
    : [value - half, value + half]
  return finiteOnly({ value, standardError: (high - low) / (2 * errorsIn95), low, high })
}
