// Where a race begins, and whether it is run at all: around a rate that was given, below a divergence rate that was
// measured, or around the large rate later in the run. A race takes at most a stated share of the budget; where not
// even three arms fit, there is none.

import { raceRangeReach, raceShareMax, raceSpread } from '../../constants.ts'
import { openRace, type RaceState } from './race.ts'

type Opening = {
  readonly fromStep: number
  readonly segmentSteps: number
  readonly budgetSteps: number
  /** The run's limits. */
  readonly min: number
  readonly max: number
  readonly lossFirst: number | null
}

/** Arms without which a race decides nothing: the reference, one above, one below. */
const armsNeeded = 3

/** A race around a rate that the job was given; undefined where it does not fit, or the limits leave only that rate. */
export function raceAround(options: Opening & { readonly learningRate: number }): RaceState | undefined {
  return opened('given', options.learningRate, options)
}

/**
 * A race below a divergence rate. The best rate lies 1 to 30 times below it; `usualRate`, what most jobs of this
 * kind use, is tried first where it lies in that span, else the nearest rate that does. The climb may pass the
 * divergence rate: that scatters between seeds, and an arm that does diverge costs a few steps.
 */
export function raceBelow(
  options: Opening & { readonly divergenceRate: number; readonly usualRate: number },
): RaceState | undefined {
  const { divergenceRate, usualRate, min } = options
  const highest = divergenceRate / raceSpread
  const first = Math.min(Math.max(usualRate, divergenceRate / raceRangeReach, min), highest)
  return opened('range', first, { ...options, max: Math.min(options.max, divergenceRate) })
}

function opened(
  source: RaceState['source'],
  reference: number,
  { fromStep, segmentSteps, budgetSteps, min, max, lossFirst }: Opening,
): RaceState | undefined {
  const stepsMax = raceShareMax * budgetSteps
  const isWide = reference * raceSpread <= max || reference / raceSpread >= min
  if (!isWide || reference < min || reference > max || armsNeeded * segmentSteps > stepsMax) return undefined
  return openRace({ source, reference, ratio: raceSpread, fromStep, segmentSteps, stepsMax, lossFirst })
}
