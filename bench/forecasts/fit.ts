// Fits the constants of the forecast, and tells how well they hold. Every task counts the same, and so does every stage
// within it, however many probes there are. Left out means: the widths were taken from the other tasks alone.

import { type FinalLossFit, finalLossOf } from '../../tuner/estimators/finalLoss.ts'
import type { ForecastCase } from './cases.ts'

/** What is chosen by a grid; the widths follow as quantiles. */
export type Shape = Omit<FinalLossFit, 'below' | 'above'>

const levelIn95 = 0.975
/** What a miss costs in the score of an interval (Gneiting & Raftery 2007): 2/α for each unit it lies outside. */
const missCost = 40

/** One case under a shape, in logarithms about the middle: the outcome, the spread s, and the most that `high` may be. */
export type Residual = {
  readonly case: ForecastCase
  readonly weight: number
  readonly error: number
  readonly spread: number
  readonly top: number
}

export const weighted = (cases: readonly ForecastCase[]): { case: ForecastCase; weight: number }[] => {
  const counts = new Map<string, number>()
  const keyOf = ({ task, stage }: ForecastCase) => `${task} ${stage}`
  for (const entry of cases) counts.set(keyOf(entry), (counts.get(keyOf(entry)) ?? 0) + 1)
  return cases.map((entry) => ({ case: entry, weight: 1 / counts.get(keyOf(entry))! }))
}

/** Of cases whose losses are positive; others have no logarithm. */
export function residualsOf(cases: readonly ForecastCase[], shape: Shape): Residual[] {
  return weighted(cases).flatMap(({ case: entry, weight }) => {
    const forecast = finalLossOf(entry.input, { ...shape, below: 1, above: 1_000 })
    if (forecast === null || !(entry.outcome > 0) || !(forecast.low > 0)) return []
    const { value, low, high } = forecast
    return [
      {
        case: entry,
        weight,
        error: Math.log(entry.outcome / value),
        spread: Math.log(value / low),
        top: Math.log(high / value),
      },
    ]
  })
}

export type Widths = Pick<FinalLossFit, 'below' | 'above'>

export const widthsOf = (residuals: readonly Residual[]): Widths => ({
  below: quantile(residuals.map(({ error, spread, weight }) => ({ value: -error / spread, weight }))),
  above: quantile(residuals.map(({ error, spread, weight }) => ({ value: error / spread, weight }))),
})

function quantile(values: { value: number; weight: number }[]): number {
  const sorted = [...values].sort((a, b) => a.value - b.value)
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0)
  let below = 0
  for (const { value, weight } of sorted) {
    below += weight
    if (below >= levelIn95 * total) return Math.max(0, value)
  }
  return Math.max(0, sorted.at(-1)?.value ?? 0)
}

export type Judged = Residual & {
  readonly isInside: boolean
  /** (high − low) / value. */
  readonly width: number
  readonly score: number
}

export const judged = (residuals: readonly Residual[], { below, above }: Widths): Judged[] =>
  residuals.map((residual) => {
    const { error, spread, top } = residual
    const [low, high] = [-below * spread, Math.min(top, above * spread)]
    const outside = Math.max(0, low - error, error - high)
    // A rounding of the sixth digit is no miss.
    const isInside = outside < 1e-5
    return {
      ...residual,
      isInside,
      width: Math.exp(high) - Math.exp(low),
      score: high - low + missCost * outside,
    }
  })

export const tasksOf = (residuals: readonly Residual[]): string[] =>
  [...new Set(residuals.map((residual) => residual.case.task))].sort()

/** Each task by widths that were taken from the others. */
export const leftOut = (residuals: readonly Residual[]): Judged[] =>
  tasksOf(residuals).flatMap((task) => {
    const others = residuals.filter((residual) => residual.case.task !== task)
    return judged(
      residuals.filter((residual) => residual.case.task === task),
      widthsOf(others),
    )
  })

export const meanOf = (values: readonly { readonly value: number; readonly weight: number }[]): number =>
  values.reduce((sum, { value, weight }) => sum + value * weight, 0) /
  values.reduce((sum, { weight }) => sum + weight, 0)

const floors = [0.03, 0.05, 0.08]
const curvatures = [0.3, 0.5, 0.8]
const gaps = [0, 0.3]
const tops = [0.02, 0.03]

/** The shape whose left-out intervals score best, at a given decline. */
export function bestShape(cases: readonly ForecastCase[], decline: number): { shape: Shape; score: number } {
  const shapes = floors.flatMap((floor) =>
    curvatures.flatMap((curvature) =>
      gaps.flatMap((gap) => tops.map((top) => ({ decline, floor, curvature, gap, top }))),
    ),
  )
  const scored = shapes.map((shape) => {
    const all = leftOut(residualsOf(cases, shape))
    return { shape, score: meanOf(all.map(({ score: value, weight }) => ({ value, weight }))) }
  })
  return scored.reduce((a, b) => (b.score < a.score ? b : a))
}
