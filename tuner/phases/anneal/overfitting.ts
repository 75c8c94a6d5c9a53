// Overfitting: a budget is a maximum. When the held-out loss of averaged weights rises, staying costs and a long
// anneal memorises. Sign: two of the last three probes, the newest among them, above the best level by four
// deviations. The probes see the same examples, so the deviation is that of the weights' wandering, taken from
// the probes' own first differences, times a factor for their correlation: weights that wander slowly drift away
// from a chance low. A level that has merely stopped falling is for the switch rule to judge. Cost: O(16).

import {
  overfittingDeviations,
  overfittingFactorMax,
  overfittingHits,
  valleyProbesNeeded,
} from '../../constants.ts'
import { longRunFactor, mean } from '../../estimators/uncertainty.ts'
import type { SignalsState } from '../../signals/signals.ts'

export function isOverfitting(signals: SignalsState, deviations: number = overfittingDeviations): boolean {
  const { averagedLosses, valley } = signals
  if (valley.count < valleyProbesNeeded || averagedLosses.length < valleyProbesNeeded) return false
  const factor = Math.min(longRunFactor(aboutLine(averagedLosses), 2), overfittingFactorMax)
  const deviation = factor * differenceScatter(averagedLosses)
  const limit = bestLevel(averagedLosses) + deviations * deviation
  const isAbove = averagedLosses.slice(-3).map((loss) => loss > limit)
  return isAbove.filter(Boolean).length >= overfittingHits && isAbove.at(-1) === true
}

/** The lowest mean of three neighbours: the lowest single one of many lies two deviations low by chance alone. */
export function bestLevel(values: readonly number[]): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 2; i < values.length; i++)
    best = Math.min(best, (values[i - 2]! + values[i - 1]! + values[i]!) / 3)
  return best
}

/** Deviation about a smooth course, from first differences: √(Σ Δ²/(2n)). */
function differenceScatter(values: readonly number[]): number {
  let sum = 0
  for (let i = 1; i < values.length; i++) sum += (values[i]! - values[i - 1]!) ** 2
  return values.length < 2 ? 0 : Math.sqrt(sum / (2 * (values.length - 1)))
}

/** Residuals about the least-squares line over the values' places: a steady course is no correlation of noise. */
export function aboutLine(values: readonly number[]): number[] {
  const middle = (values.length - 1) / 2
  const center = mean(values)
  let [products, squares] = [0, 0]
  for (const [i, value] of values.entries()) {
    products += (i - middle) * (value - center)
    squares += (i - middle) ** 2
  }
  return values.map((value, i) => value - center - (products / squares) * (i - middle))
}
