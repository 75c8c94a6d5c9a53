// The probability in a switch's record: P(staying gains no more than annealing), from both sides and their errors. What came
// true is told by the traces: annealed at this checkpoint the run ends no higher than annealed at the next. The stated one is
// Φ(z); the calibrated one Φ(shift + z/factor), with both chosen on the other tasks.

import { errorFunction } from 'simple-statistics'
import type { ForecastRow } from './rows.ts'

export type ProbabilityCase = { readonly task: string; readonly deviations: number; readonly isTrue: boolean }

export function probabilityCases(rows: readonly ForecastRow[]): ProbabilityCase[] {
  return rows.flatMap(({ task, forked }) =>
    (forked?.verdicts ?? []).flatMap(({ step, deviations }) => {
      const index = forked!.anneals.findIndex((entry) => entry.step === step)
      const [now, next] = [forked!.anneals[index], forked!.anneals[index + 1]]
      return index < 0 || now === undefined || next === undefined
        ? []
        : [{ task, deviations, isTrue: now.loss <= next.loss }]
    }),
  )
}

const normal = (z: number): number => (1 + errorFunction(z / Math.SQRT2)) / 2

export type Calibration = { readonly factor: number; readonly shift: number }
export const asStated: Calibration = { factor: 1, shift: 0 }

export const calibrated = ({ factor, shift }: Calibration, deviations: number): number =>
  normal(shift + deviations / factor)

const factors = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 12, 20]
const shifts = Array.from({ length: 21 }, (_, i) => -1 + 0.1 * i)

/** By the mean log score. */
export function fittedCalibration(cases: readonly ProbabilityCase[]): Calibration {
  let best = { ...asStated, cost: Number.POSITIVE_INFINITY }
  for (const factor of factors)
    for (const shift of shifts) {
      const cost = logScore(cases, { factor, shift })
      if (cost < best.cost) best = { factor, shift, cost }
    }
  return { factor: best.factor, shift: Number(best.shift.toFixed(1)) }
}

/** Mean of −ln of what was said of that which came true, every task counting the same. */
function logScore(cases: readonly ProbabilityCase[], calibration: Calibration): number {
  const tasks = [...new Set(cases.map(({ task }) => task))]
  const costs = tasks.map((task) => {
    const own = cases.filter((entry) => entry.task === task)
    const cost = own.map(({ deviations, isTrue }) => {
      const p = Math.min(0.999, Math.max(0.001, calibrated(calibration, deviations)))
      return -Math.log(isTrue ? p : 1 - p)
    })
    return cost.reduce((sum, value) => sum + value, 0) / cost.length
  })
  return costs.reduce((sum, value) => sum + value, 0) / costs.length
}

export type Reliability = {
  readonly from: number
  readonly to: number
  readonly count: number
  readonly stated: number
  readonly true: number
}

const binCount = 5

export function reliabilityOf(said: readonly { p: number; isTrue: boolean }[]): Reliability[] {
  return Array.from({ length: binCount }, (_, i) => {
    const [from, to] = [i / binCount, (i + 1) / binCount]
    const own = said.filter(({ p }) => p >= from && (p < to || (i === binCount - 1 && p <= 1)))
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    return {
      from,
      to,
      count: own.length,
      stated: mean(own.map(({ p }) => p)),
      true: mean(own.map(({ isTrue }) => (isTrue ? 1 : 0))),
    }
  })
}

/** Each task by the calibration of the others. */
export const leftOutProbabilities = (cases: readonly ProbabilityCase[]): { p: number; isTrue: boolean }[] =>
  [...new Set(cases.map(({ task }) => task))].flatMap((task) => {
    const fit = fittedCalibration(cases.filter((entry) => entry.task !== task))
    return cases
      .filter((entry) => entry.task === task)
      .map(({ deviations, isTrue }) => ({ p: calibrated(fit, deviations), isTrue }))
  })
