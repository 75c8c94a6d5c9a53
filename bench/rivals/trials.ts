// A greedy search over rates as in AutoLRS: training goes in stages; before each, ten rates are tried for a tenth of
// the stage from the same weights, each trial's training losses are continued to the stage's end by an exponential
// curve a + b·e^(−x/c), and the rate with the lowest forecast is used for the stage. Trials cost as many steps
// as the stage. Stages double up to eight times the first.
// Source: Jin et al. 2021, "AutoLRS: Automatic Learning-Rate Schedule by Bayesian Optimization on the Fly", and its
// published server. "As in", not the same: its Bayesian search asks with a weight of 10⁶ on uncertainty, so it spreads
// its rates over the range; ours lie evenly in logarithms. Its stages begin at 1,000 steps; ours at a twentieth of the
// budget, as ours are short. Its splines against outliers, and validation losses in late stages, are left out.
// A trial with a loss that is not finite is never chosen; if all are such, the rate is a tenth of the present one.

import { wholeOption } from '../../tuner/estimators/estimator.ts'
import { checkedRate } from '../../tuner/rivals/rival.ts'

export type Trial = { readonly rate: number; readonly losses: readonly number[] }

export type TrialSearch = {
  readonly learningRate: number
  /**
   * Rates to be tried now, each for `stepCount` steps from the present weights; null = train on. `step`: steps of the
   * budget that are used, trials among them.
   */
  due(step: number): { readonly rates: readonly number[]; readonly stepCount: number } | null
  /** Results of the trials that were due. */
  settle(step: number, trials: readonly Trial[]): void
}

const trialCount = 10
const trialShare = 0.1
const firstStageShare = 0.05
const stageGrowthMax = 8
/** Shorter trials say nothing; the last stage then simply goes on. */
const trialStepsMin = 5
/** The range searched, in multiples of the first rate. */
const [lowest, highest] = [0.01, 3]

export function trialSearch({
  initialRate,
  budgetSteps,
}: {
  initialRate: number
  budgetSteps: number
}): TrialSearch {
  checkedRate(initialRate)
  wholeOption('budgetSteps', budgetSteps, 1)
  const rates = Array.from(
    { length: trialCount },
    (_, i) => initialRate * lowest * (highest / lowest) ** (i / (trialCount - 1)),
  )
  const firstStage = Math.max(trialStepsMin / trialShare, firstStageShare * budgetSteps)
  let learningRate = initialRate
  let stage = firstStage
  let nextStep = 0
  /** Trials and stage take as much each, and both have to fit into what is left. */
  const stageAt = (step: number): number => Math.min(stage, (budgetSteps - step) / 2)
  const trialSteps = (step: number): number => Math.floor(trialShare * stageAt(step))
  return {
    get learningRate() {
      return learningRate
    },
    due: (step) =>
      step < nextStep || trialSteps(step) < trialStepsMin ? null : { rates, stepCount: trialSteps(step) },
    settle(step, trials) {
      const stageSteps = Math.min(stage, budgetSteps - step)
      const forecasts = trials.map(({ rate, losses }) => ({ rate, loss: forecast(losses, stageSteps) }))
      const best = forecasts.reduce((a, b) => (b.loss < a.loss ? b : a), {
        rate: learningRate / 10,
        loss: Number.POSITIVE_INFINITY,
      })
      learningRate = best.rate
      nextStep = step + Math.round(stageSteps)
      stage = Math.min(2 * stage, stageGrowthMax * firstStage)
    },
  }
}

/** The loss at place `at` of a series that follows a + b·e^(−x/c): least squares, c over a geometric grid. */
export function forecast(losses: readonly number[], at: number): number {
  const n = losses.length
  if (n < 3 || !losses.every(Number.isFinite)) return Number.POSITIVE_INFINITY
  let best = { error: Number.POSITIVE_INFINITY, loss: Number.POSITIVE_INFINITY }
  for (let c = n / 8; c <= 100 * n; c *= 1.2) {
    const fit = fitted(losses, (x) => Math.exp(-x / c))
    if (fit.error < best.error) best = { error: fit.error, loss: fit.a + fit.b * Math.exp(-at / c) }
  }
  return best.loss
}

function fitted(losses: readonly number[], curve: (x: number) => number) {
  const xs = losses.map((_, i) => curve(i))
  const xMean = xs.reduce((sum, x) => sum + x, 0) / xs.length
  const yMean = losses.reduce((sum, y) => sum + y, 0) / xs.length
  let [products, squares] = [0, 0]
  for (const [i, x] of xs.entries()) {
    products += (x - xMean) * (losses[i]! - yMean)
    squares += (x - xMean) ** 2
  }
  const b = squares === 0 ? 0 : products / squares
  const a = yMean - b * xMean
  const error = xs.reduce((sum, x, i) => sum + (losses[i]! - a - b * x) ** 2, 0)
  return { a, b, error }
}
