// Which rate runs next: a climb in steps of the race's ratio, begun at the reference. First the rate above. As long as a rate is
// better than the one below it by `raceUpDeviations` standard errors of the paired difference, the next one above is
// tried; if the first one was not, the rate below, and in the same way further down. So a good rate costs
// two short arms, a bad one an arm for each step towards a better one, and no time goes into rates that lie
// beyond a clearly worse one (losses over log η have one valley).

import { raceArmsMax, raceDescentMin, raceDownDeviations, raceUpDeviations } from '../../constants.ts'
import { deviationsBetter } from '../../estimators/pairedLoss.ts'
import { type Arm, type Finisher, finishers, type RaceState } from './race.ts'

/** The next rate to run; undefined = the race is over. */
export function nextRate(race: RaceState, bounds: { min: number; max: number }): number | undefined {
  const { arms, ratio, reference } = race
  if (arms.length === 0) return reference
  const wanted = wantedRate(race)
  if (wanted === undefined || arms.length >= raceArmsMax) return undefined
  const spent = (arms.length + 1) * race.segmentSteps
  const isTried = arms.some(
    ({ learningRate }) => Math.abs(Math.log(learningRate / wanted)) < Math.log(ratio) / 2,
  )
  const isAllowed = wanted >= bounds.min && wanted <= bounds.max
  if (!isTried && isAllowed && spent <= race.stepsMax) return wanted
  // Above the reference is no room: below it there may be.
  const below = reference / ratio
  const isBelowOpen = wanted > reference && !isTried && arms.length === 1 && below >= bounds.min
  return isBelowOpen && spent <= race.stepsMax ? below : undefined
}

function wantedRate(race: RaceState): number | undefined {
  const { arms, ratio, reference } = race
  const done = finishers(race)
  const rates = arms.map(({ learningRate }) => learningRate)
  const [lowest, highest] = [Math.min(...rates), Math.max(...rates)]
  const [slowest, fastest] = [done[0], done.at(-1)]
  // Everything so far diverged: only smaller rates can help.
  if (slowest === undefined || fastest === undefined) return lowest / ratio
  if (isDiverged(arms[0]!)) return isClimbingDown(done) || done.length === 1 ? lowest / ratio : undefined
  if (arms.length === 1) return reference * ratio
  if (fastest.learningRate === highest && isClimbingUp(done, reference)) return highest * ratio
  if (highest > reference && isBetterThanReference(done, reference)) return undefined
  if (lowest === reference) return reference / ratio
  const goesOn = isClimbingDown(done) || !hasDescended(race, done) || isFlatBelowDivergence(arms, done)
  return goesOn ? lowest / ratio : undefined
}

/** Whether any arm has learnt something; a network that a large rate has killed stands still without diverging. */
function hasDescended({ lossFirst }: RaceState, done: readonly Finisher[]): boolean {
  if (lossFirst === null) return true
  const best = Math.min(...done.map(({ score }) => score.loss))
  return best < lossFirst - raceDescentMin * Math.abs(lossFirst)
}

/**
 * The rate above diverged, and the two slowest are alike: a rate at which nothing depends on it is no good one, as
 * networks that it has killed all guess the same constant. One more arm below tells.
 */
function isFlatBelowDivergence(arms: readonly Arm[], [bottom, above]: readonly Finisher[]): boolean {
  if (bottom === undefined || above === undefined || !arms.some(isDiverged)) return false
  return Math.abs(deviationsBetter(bottom.score, above.score)) < 1
}

const isDiverged = (arm: Arm): boolean => arm.diverged

/** The fastest arm is clearly better than the one below it. */
function isClimbingUp(done: readonly Finisher[], reference: number): boolean {
  const [below, top] = done.slice(-2)
  if (below === undefined || top === undefined || top.learningRate <= reference) return false
  return deviationsBetter(top.score, below.score) >= raceUpDeviations
}

/** The slowest arm is clearly better than the one above it. */
function isClimbingDown([bottom, above]: readonly Finisher[]): boolean {
  if (bottom === undefined || above === undefined) return false
  return deviationsBetter(bottom.score, above.score) >= raceDownDeviations
}

/** A faster arm than the reference won: nothing is to be looked for below. */
function isBetterThanReference(done: readonly Finisher[], reference: number): boolean {
  const own = done.find(({ learningRate }) => learningRate === reference)
  return (
    own !== undefined &&
    done.some(
      (arm) => arm.learningRate > reference && deviationsBetter(arm.score, own.score) >= raceUpDeviations,
    )
  )
}
