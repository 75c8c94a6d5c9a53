// Whether a switch was false: some later switch time at the same rate would have ended more than 2 % lower in test
// loss, in the mean over seeds, and by more than twice the standard error over seeds of that difference. An anneal to
// the end of the budget is compared with its like: that finishing early had been better is no fault of the switch.

import { type Choice, longestOf, meanOf, type RateRuns, scoreOf, trainedChoices } from './truth.ts'

export const falseSwitchShare = 0.02
export const falseSwitchErrors = 2

export function isFalseSwitch({ runs }: RateRuns, choice: Choice): boolean {
  if (choice === 'never') return false
  const mine = runs.map((run) => scoreOf(run, choice).loss)
  const { budgetSteps } = runs[0]!
  const isFull = choice.finishStep >= budgetSteps
  const later = trainedChoices(longestOf(runs)).filter(
    (other) =>
      other !== 'never' &&
      other.switchStep > choice.switchStep &&
      (!isFull || other.finishStep >= budgetSteps),
  )
  return later.some((other) => {
    const gains = runs.map((run, index) => mine[index]! - scoreOf(run, other).loss)
    const gain = meanOf(gains)
    return gain > falseSwitchShare * meanOf(mine) && gain > falseSwitchErrors * standardError(gains)
  })
}

/** 0 for one seed: then the share alone decides. */
function standardError(values: readonly number[]): number {
  if (values.length < 2) return 0
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) / values.length)
}
