// Logistic regression with a ridge, by Newton's steps (iteratively reweighted least squares): maximises
//   Σ ln p(yᵢ | xᵢ) − λ/2·‖β‖²   over the standardised inputs, the intercept free.
// A missing input (null) counts as its mean. The covariance is the sandwich H⁻¹(Σ_g s_g s_gᵀ)H⁻¹·G/(G−1) with one score
// s_g per group (run), because checkpoints of one run are alike (Liang & Zeger 1986). O(n·d²) per step.

import { Matrix, solve } from 'ml-matrix'

/** λ. Weak: it only keeps coefficients finite where a class can be told without error. */
export const ridge = 0.5
const stepsMax = 50
const tolerance = 1e-10

export type FitPoint = {
  readonly inputs: readonly (number | null)[]
  readonly isLarge: boolean
  /** Points of one group are not independent. */
  readonly group: string
}

export type LogisticFit = {
  /** Logit at the centres. */
  readonly intercept: number
  /** Per unit of each input. */
  readonly coefficients: readonly number[]
  readonly centres: readonly number[]
  readonly spreads: readonly number[]
  /** Of the intercept and the coefficients, in this order. */
  readonly covariance: readonly (readonly number[])[]
}

/** @throws RangeError unless there are points of both classes. */
export function fitLogistic(points: readonly FitPoint[]): LogisticFit {
  if (!points.some(({ isLarge }) => isLarge) || points.every(({ isLarge }) => isLarge))
    throw new RangeError('points must hold both classes, got one or none')
  const scales = points[0]!.inputs.map((_, column) => scaleOf(points.map(({ inputs }) => inputs[column]!)))
  const rows = points.map(({ inputs }) => [
    1,
    ...inputs.map((value, i) => (value === null ? 0 : (value - scales[i]!.centre) / scales[i]!.spread)),
  ])
  const x = new Matrix(rows)
  const penalty = Matrix.diag([0, ...scales.map(() => ridge)])
  let beta = Matrix.zeros(x.columns, 1)
  let hessian = penalty
  for (let step = 0; step < stepsMax; step++) {
    const p = x.mmul(beta).to1DArray().map(logistic)
    const weights = p.map((value) => Math.max(value * (1 - value), 1e-12))
    hessian = x.transpose().mmul(x.clone().mulColumnVector(weights)).add(penalty)
    const residuals = Matrix.columnVector(p.map((value, i) => Number(points[i]!.isLarge) - value))
    const gradient = x.transpose().mmul(residuals).sub(penalty.mmul(beta))
    const change = solve(hessian, gradient)
    beta = Matrix.add(beta, change)
    if (change.max() < tolerance && change.min() > -tolerance) break
  }
  const [intercept, ...standardised] = beta.to1DArray() as [number, ...number[]]
  const perUnit = [1, ...scales.map(({ spread }) => 1 / spread)]
  const covariance = sandwich(points, x, beta, hessian).map((row, i) =>
    row.map((entry, j) => entry * perUnit[i]! * perUnit[j]!),
  )
  return {
    intercept,
    coefficients: standardised.map((value, i) => value / scales[i]!.spread),
    centres: scales.map(({ centre }) => centre),
    spreads: scales.map(({ spread }) => spread),
    covariance,
  }
}

export const logistic = (value: number): number => 1 / (1 + Math.exp(-value))

/** The chance of large-step. */
export function probabilityOf(fit: LogisticFit, inputs: readonly (number | null)[]): number {
  const offsets = inputs.map((value, i) => (value === null ? 0 : value - fit.centres[i]!))
  return logistic(offsets.reduce((sum, offset, i) => sum + fit.coefficients[i]! * offset, fit.intercept))
}

/** Mean and deviation of what is measured; a constant has a deviation of 1, so that it is no input at all. */
function scaleOf(values: readonly (number | null)[]): { centre: number; spread: number } {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return { centre: 0, spread: 1 }
  const centre = known.reduce((sum, value) => sum + value, 0) / known.length
  const squares = known.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  const spread = Math.sqrt(squares / known.length)
  return { centre, spread: spread > 0 ? spread : 1 }
}

function sandwich(points: readonly FitPoint[], x: Matrix, beta: Matrix, hessian: Matrix): number[][] {
  const scores = new Map<string, number[]>()
  x.to2DArray().forEach((row, i) => {
    const { group, isLarge } = points[i]!
    const residual =
      Number(isLarge) - logistic(row.reduce((sum, value, j) => sum + value * beta.get(j, 0), 0))
    const sum = scores.get(group) ?? row.map(() => 0)
    scores.set(
      group,
      sum.map((value, j) => value + row[j]! * residual),
    )
  })
  const groups = new Matrix([...scores.values()])
  const inner = groups.transpose().mmul(groups)
  const bread = solve(hessian, Matrix.eye(x.columns))
  const factor = scores.size > 1 ? scores.size / (scores.size - 1) : 1
  return bread.mmul(inner).mmul(bread).mul(factor).to2DArray()
}
