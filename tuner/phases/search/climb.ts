// Which rate runs next: a climb in steps of the race's ratio, begun at the reference. First the rate above. As long as a
// rate is better than the one below it by two standard errors of the paired difference, the next one above is tried; if the
// first one was not, the rate below, and in the same way further down. So a good rate costs three short arms, a bad one an
// arm for each step towards a better one, and no time goes into rates that lie beyond a clearly worse one (losses over
// log η have one valley). Constants: bench/records/2026-11-24-search/README.md unless said otherwise.

import { deviationsBetter } from '../../estimators/pairedLoss.ts'
import { type Finisher, finishers, type RaceState, raceRatio } from './race.ts'

/** A rate is clearly better than its neighbour by so many standard errors of the paired difference. */
export const clearlyBetter = 2
/** Rates that a race tries at most. Chosen. */
export const armsMax = 7
/** As long as no arm's loss lies below the run's first one by so many deviations of single steps, smaller rates are tried: a
 *  network that a large rate has killed guesses a constant, a little better than its first weights. Chosen. */
const descentDeviations = 3
/** Held-out losses see more than single steps: one rate that is better than the slowest by so many standard errors has learnt.
 *  bench/records/2026-11-28-arms/README.md. */
const learntErrors = 4

/** The next rate to run; undefined = the race is over. */
export function nextRate(race: RaceState, bounds: { min: number; max: number }): number | undefined {
  const { arms, reference } = race
  if (arms.length === 0) return reference
  const wanted = wantedRate(race)
  if (wanted === undefined || arms.length >= armsMax) return undefined
  const spent = (arms.length + 1) * race.armSteps
  const isTried = arms.some(
    ({ learningRate }) => Math.abs(Math.log(learningRate / wanted)) < Math.log(raceRatio) / 2,
  )
  const isAllowed = wanted >= bounds.min && wanted <= bounds.max
  if (!isTried && isAllowed && spent <= race.stepsMax) return wanted
  // Above the reference is no room: below it there may be.
  const below = reference / raceRatio
  const isBelowOpen = wanted > reference && !isTried && arms.length === 1 && below >= bounds.min
  return isBelowOpen && spent <= race.stepsMax ? below : undefined
}

function wantedRate(race: RaceState): number | undefined {
  const { arms, reference } = race
  const done = finishers(race)
  const rates = arms.map(({ learningRate }) => learningRate)
  const [lowest, highest] = [Math.min(...rates), Math.max(...rates)]
  const [slowest, fastest] = [done[0], done.at(-1)]
  // Everything so far diverged: only smaller rates can help.
  if (slowest === undefined || fastest === undefined) return lowest / raceRatio
  if (arms[0]!.diverged)
    return isClimbingDown(race, done) || done.length === 1 ? lowest / raceRatio : undefined
  if (arms.length === 1) return reference * raceRatio
  // Nothing was learned so far: rates that are too slow to show anything and one that has killed the network look alike, and
  // the better end of them is where to look.
  if (
    !hasDescended(race, done) &&
    fastest.learningRate === highest &&
    slowest.score.loss > fastest.score.loss
  )
    return highest * raceRatio
  if (fastest.learningRate === highest && isClimbingUp(race, done)) return highest * raceRatio
  if (highest > reference && isBetterThanReference(race, done)) return undefined
  if (lowest === reference) return reference / raceRatio
  return isClimbingDown(race, done) || !hasDescended(race, done) ? lowest / raceRatio : undefined
}

/** Whether any arm has learnt something; a network that a large rate has killed stands still without diverging. */
export function hasDescended(race: RaceState, done: readonly Finisher[]): boolean {
  const { lossFirst, scatter, hasSameBatches } = race
  if (lossFirst === null || scatter === null) return true
  const best = Math.min(...done.map(({ score }) => score.loss))
  if (best < lossFirst - descentDeviations * scatter) return true
  const [slowest, ...faster] = done
  return faster.some(({ score }) => deviationsBetter(score, slowest!.score, hasSameBatches) >= learntErrors)
}

/** Better than another arm beyond doubt. */
export const isClear = (race: RaceState, arm: Finisher, other: Finisher): boolean =>
  deviationsBetter(arm.score, other.score, race.hasSameBatches) >= clearlyBetter

/** The fastest arm is clearly better than the one below it. */
function isClimbingUp(race: RaceState, done: readonly Finisher[]): boolean {
  const [below, top] = done.slice(-2)
  if (below === undefined || top === undefined || top.learningRate <= race.reference) return false
  return isClear(race, top, below)
}

/** The slowest arm is clearly better than the one above it. */
function isClimbingDown(race: RaceState, [bottom, above]: readonly Finisher[]): boolean {
  return bottom !== undefined && above !== undefined && isClear(race, bottom, above)
}

/** A faster arm than the reference won: nothing is to be looked for below. */
function isBetterThanReference(race: RaceState, done: readonly Finisher[]): boolean {
  const own = done.find(({ learningRate }) => learningRate === race.reference)
  return own !== undefined && done.some((arm) => arm.learningRate > race.reference && isClear(race, arm, own))
}
