// Without a budget: whether as many steps again are still worth taking. What they would take off the averaged loss, at the pace of the
// last half of the run, is set against what annealing takes off at once. Both are losses, and the time is counted in the run's own
// length, so neither a shift nor a unit of the loss, nor one of time, changes the answer.

import type { Estimate } from '../estimators/estimator.ts'
import { lateSlope } from '../estimators/lateSlope.ts'
import type { ValleyPoint } from '../estimators/valleySlope.ts'
import type { SignalsReading } from '../signals/signals.ts'
import type { Diminishing } from '../state.ts'
import type { Run } from './phase.ts'

/** As many steps again are worth it while they take off more than this share of what annealing gains …
 *  bench/records/2026-11-28-no-budget/README.md. */
const worthShare = 0.25
/** … and where that is not measured, or is nothing, more than this share of all that was learned. Chosen. */
const learnedShare = 0.001
/** The gain must lie below what is worth it by so many standard errors, at two of three probes. */
const errorsBelow = 1

/** Undefined = there is a budget, or too little to tell by. `annealing`: G. */
export const diminishingNow = (
  run: Run,
  { gap }: SignalsReading,
  annealing: Estimate,
): Diminishing | undefined =>
  run.budgetSteps === null
    ? diminishingOf(run.seen.signals.valley.points, gap.value ?? annealing.value)
    : undefined

/** `annealing`: the loss that annealing takes off; null = not measured. Undefined = too few points to tell by. */
export function diminishingOf(
  points: readonly ValleyPoint[],
  annealing: number | null,
): Diminishing | undefined {
  const slope = lateSlope(points)
  if (slope.value === null || slope.standardError === null) return undefined
  const value = Math.LN2 * slope.value
  const standardError = Math.LN2 * slope.standardError
  const learned = points[0]!.averagedLoss - points.at(-1)!.averagedLoss
  const worth = Math.max(0, worthShare * (annealing ?? 0), learnedShare * learned)
  return {
    gain: { value, standardError },
    worth,
    isEnough: value + errorsBelow * standardError <= worth,
  }
}
