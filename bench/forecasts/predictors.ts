// Predictors of the middle, from the simplest on: what each says of the same cases, and its error of ln loss on tasks that its
// constant was not chosen on.

import { finalLossOf } from '../../tuner/estimators/finalLoss.ts'
import { fittedLossAt, valleySlope } from '../../tuner/estimators/valleySlope.ts'
import type { ForecastCase } from './cases.ts'
import { weighted } from './fit.ts'

export type Predictor = {
  readonly name: string
  /** Values that its constant may take; one = there is none. */
  readonly constants: readonly number[]
  /** Null = it says nothing. */
  predict(entry: ForecastCase, constant: number): number | null
}

const declines = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.2, 1.5] as const
const lossesOf = ({ input }: ForecastCase): number[] => input.points.map(({ averagedLoss }) => averagedLoss)
const lowest = (entry: ForecastCase): number => Math.min(...lossesOf(entry))
const newest = (entry: ForecastCase): number => lossesOf(entry).at(-1)!

/** The power law that the rule fits, at the end of what is to come. */
function powerLaw({ input }: ForecastCase): number | null {
  const state = input.points.reduce(valleySlope.update, valleySlope.init())
  const { fit } = valleySlope.read(state)
  const at = (input.points.at(-1)?.runLength ?? 0) + input.ahead
  return fit === null ? null : fittedLossAt(fit, at).value
}

/** Less a share of the recent fall, from the newest or from the lowest loss. */
const declined =
  (from: (entry: ForecastCase) => number) =>
  (entry: ForecastCase, decline: number): number | null => {
    const shape = { decline, floor: 0, curvature: 0, gap: 0, below: 0, above: 0, top: 0 }
    const forecast = finalLossOf(entry.input, shape)
    if (forecast === null) return null
    const fallen = forecast.value / lowest(entry)
    return from(entry) * fallen
  }

export const predictors: readonly Predictor[] = [
  { name: 'newest averaged loss', constants: [0], predict: newest },
  { name: 'lowest averaged loss', constants: [0], predict: lowest },
  { name: 'power law', constants: [0], predict: powerLaw },
  {
    name: 'power law or lowest, the smaller',
    constants: [0],
    predict: (entry) => Math.min(powerLaw(entry) ?? Number.POSITIVE_INFINITY, lowest(entry)),
  },
  { name: 'newest, less a share of the recent fall', constants: declines, predict: declined(newest) },
  { name: 'lowest, less a share of the recent fall', constants: declines, predict: declined(lowest) },
]

export type PredictorError = {
  readonly name: string
  /** The constant that most left-out tasks were told with. */
  readonly constant: number
  readonly median: number
  readonly mean: number
  /** Share of the cases of which it says something. */
  readonly told: number
}

const errorOf = (predictor: Predictor, entry: ForecastCase, constant: number): number | null => {
  const value = predictor.predict(entry, constant)
  return value === null || !(value > 0) || !(entry.outcome > 0)
    ? null
    : Math.abs(Math.log(entry.outcome / value))
}

const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Mean and median over tasks of each task's median absolute error; the constant is the best one of the other tasks. */
export function leftOutError(predictor: Predictor, cases: readonly ForecastCase[]): PredictorError {
  const entries = weighted(cases)
  const tasks = [...new Set(cases.map(({ task }) => task))]
  const byConstant = predictor.constants.map((constant) =>
    entries.map(({ case: entry, weight }) => ({ entry, weight, error: errorOf(predictor, entry, constant) })),
  )
  const costOf = (errors: (typeof byConstant)[number], task: string): number =>
    errors.reduce(
      (sum, { entry, error, weight }) => (entry.task === task || error === null ? sum : sum + weight * error),
      0,
    )
  const chosen = tasks.map((task) => {
    const costs = byConstant.map((errors) => costOf(errors, task))
    return { task, index: costs.indexOf(Math.min(...costs)) }
  })
  const errors = chosen.map(({ task, index }) =>
    medianOf(
      byConstant[index]!.flatMap(({ entry, error }) =>
        entry.task === task && error !== null ? [error] : [],
      ),
    ),
  )
  const known = errors.filter(Number.isFinite)
  const told = byConstant[0]!.filter(({ error }) => error !== null).length / cases.length
  const indexes = chosen.map(({ index }) => index)
  const constant = predictor.constants[medianOf(indexes)] ?? 0
  const mean = known.reduce((sum, error) => sum + error, 0) / known.length
  return { name: predictor.name, constant, median: medianOf(known), mean, told }
}
