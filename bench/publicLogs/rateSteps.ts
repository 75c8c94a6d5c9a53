// A schedule that needs no probe: the anneal's share of the steps from rate × steps, which is how far an optimizer like Adam can move a
// weight in all. share = a + c·ln(ηT), by least squares through the best shares of some settings, to be judged on others. It hangs
// on the unit of the rate, so it is one model's and one optimizer's until others have shown the same.

import { linearRegression } from 'simple-statistics'
import { type Setting, smoothCurve } from './truth.ts'

const shares = { min: 0.1, max: 0.9 }

export type RateSteps = { readonly a: number; readonly c: number }

/** @throws RangeError for fewer than two settings. */
export function fittedRateSteps(settings: readonly Setting[]): RateSteps {
  if (settings.length < 2) throw new RangeError(`two settings or more are needed, got ${settings.length}`)
  const points = settings.map((setting) => [
    Math.log(setting.rate * setting.length),
    smoothCurve(setting).best,
  ])
  const { m: c, b: a } = linearRegression(points)
  return { a, c }
}

export const rateStepsShare = ({ a, c }: RateSteps, rate: number, length: number): number =>
  Math.min(Math.max(a + c * Math.log(rate * length), shares.min), shares.max)
