// Whether a switch was false. False-early: some later switch time at the same rate would have ended more than 2 % lower in test
// loss, in the mean over seeds, and by more than twice the standard error over seeds of that difference; false-late: some
// earlier one, likewise. An anneal to the end of the budget is compared with its like, so that the finish is equal: that
// finishing early had been better is no fault of the switch.

import { type Choice, longestOf, meanOf, type RateRuns, scoreOf, trainedChoices } from './truth.ts'

export const falseSwitchShare = 0.02
export const falseSwitchErrors = 2

export const isFalseSwitch = (rate: RateRuns, choice: Choice): boolean =>
  choice !== 'never' && isBeaten(rate, choice, (other) => other.switchStep > choice.switchStep)

/** A run that never anneals is later than any. */
export const isFalseLate = (rate: RateRuns, choice: Choice): boolean =>
  isBeaten(rate, choice, (other) => choice === 'never' || other.switchStep < choice.switchStep)

type Trained = Exclude<Choice, 'never'>

function isBeaten({ runs }: RateRuns, choice: Choice, isMeant: (other: Trained) => boolean): boolean {
  const mine = runs.map((run) => scoreOf(run, choice).loss)
  const { budgetSteps } = runs[0]!
  const isFull = choice === 'never' || choice.finishStep >= budgetSteps
  const others = trainedChoices(longestOf(runs)).filter(
    (other): other is Trained =>
      other !== 'never' && isMeant(other) && (!isFull || other.finishStep >= budgetSteps),
  )
  return others.some((other) => {
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
