// Does a level of losses rise? Held-out losses of averaged weights fall, level off and, on data that is seen many times,
// rise again; then each further step costs. Sign: the last three values lie above the best level (the lowest mean of three
// neighbours: the lowest single one of many is low by chance) by so many deviations, and do not fall: neither among
// themselves nor from the highest level of late. The deviation is that of second differences, √(Σ (x₋ − 2x + x₊)²/(6n)), so
// that a steady course is no noise, the larger one of the newest values and of all; times a factor for correlated values,
// because weights that wander slowly drift away from a chance low. Law: a constant added changes nothing, a factor c > 0
// neither. Cost: O(64).
// Simulated (bench/records/2026-11-24-after-the-switch/README.md): level courses of 8 to 40 probes are called a rise at five
// deviations in 0 to 5 % up to a correlation of .5, falling ones in 0 to 1 %.

import { linearRegression, linearRegressionLine, median } from 'simple-statistics'
import { longRunFactor } from './uncertainty.ts'

const hitsNeeded = 3
/** Factor for correlated values at most, so that the bend of a course that turns up is not taken for noise. */
const factorMax = 2
const newest = 16
const valuesNeeded = 6
/** The last three fall if the middle one of them lies so many deviations below the highest level of late. Chosen. */
const fallScatters = 2

export type Rise = { readonly from: number; readonly to: number; readonly standardError: number }

/** The rise of the values, oldest first, where it is one. `earlierLevel`: the best level of values that are not kept. */
export function riseOf(
  values: readonly number[],
  { deviations, earlierLevel = null }: { deviations: number; earlierLevel?: number | null },
): Rise | null {
  if (values.length < valuesNeeded) return null
  const recent = values.slice(-newest)
  const factor = Math.min(longRunFactor(aboutLine(recent), 2), factorMax)
  const scatter = secondDifferenceScatter(recent)
  const error = factor * Math.max(scatter, secondDifferenceScatter(values))
  const from = Math.min(earlierLevel ?? Infinity, bestLevel(values))
  const last = values.slice(-hitsNeeded)
  // What leapt and falls again has met something new: it learns.
  const highest = -bestLevel(recent.map((value) => -value))
  const isFalling = last.at(-1)! < last[0]! || median(last) < highest - fallScatters * scatter
  const isRisen = last.every((value) => value > from + deviations * error) && !isFalling
  return isRisen ? { from, to: values.at(-1)!, standardError: error } : null
}

/** The lowest mean of three neighbours. */
export function bestLevel(values: readonly number[]): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 2; i < values.length; i++)
    best = Math.min(best, (values[i - 2]! + values[i - 1]! + values[i]!) / 3)
  return best
}

/** Deviation about a course that is nearly straight, from second differences; fewer than 3 values: 0. */
export function secondDifferenceScatter(values: readonly number[]): number {
  if (values.length < 3) return 0
  let sum = 0
  for (let i = 2; i < values.length; i++) sum += (values[i - 2]! - 2 * values[i - 1]! + values[i]!) ** 2
  return Math.sqrt(sum / (6 * (values.length - 2)))
}

/** Residuals about the least-squares line over the values' places: a steady course is no correlation of noise. */
function aboutLine(values: readonly number[]): number[] {
  const line = linearRegressionLine(linearRegression(values.map((value, i) => [i, value])))
  return values.map((value, i) => value - line(i))
}
