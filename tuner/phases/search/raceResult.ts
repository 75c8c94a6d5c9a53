// Who won the race, and which rate follows from it. Doubt keeps the reference: another arm wins only if it is better by
// the standard errors that the climb asks for, step by step. Around the winner the optimum is refined by the slope between its
// two neighbours, and shrunken: with a prior of half a step around the winner (τ = ½ ln ratio), slope g ± σ over log η
// and curvature c, the posterior mean of log η is −g·c·τ²/(c²τ² + σ²): a slope lost in its error moves nothing. What is changed
// is changed to κ < 1 times the optimum, as losses this early flatter large rates.

import { raceDownDeviations, raceKappa, raceUpDeviations } from '../../constants.ts'
import { deviationsBetter, pairedDifference } from '../../estimators/pairedLoss.ts'
import { type Finisher, finishers, type RaceState } from './race.ts'

export type RaceResult =
  | {
      readonly kind: 'won'
      readonly winner: Finisher
      /** Where averaged weights did best. */
      readonly optimum: number
      /** The reference where it is kept, else κ times the optimum. */
      readonly learningRate: number
    }
  | { readonly kind: 'no-arm-left' }

export function raceResult(race: RaceState): RaceResult {
  const done = finishers(race)
  const winner = winnerOf(done, race.reference)
  if (winner === undefined) return { kind: 'no-arm-left' }
  const optimum = winner.learningRate * Math.exp(refinement(race, done, winner))
  // Doubt keeps the reference exactly: it is somebody's number.
  const learningRate = optimum === race.reference ? optimum : raceKappa * optimum
  return { kind: 'won', winner, optimum, learningRate }
}

/**
 * The arm whose weights go on at the rate: that of the nearest rate, which has done to them what this one will do, unless
 * the winner's are clearly better.
 */
export function goingOnFrom(race: RaceState, winner: Finisher, rate: number): Finisher {
  const farness = ({ learningRate }: Finisher) => Math.abs(Math.log(learningRate / rate))
  const nearest = finishers(race).reduce((best, arm) => (farness(arm) < farness(best) ? arm : best), winner)
  return deviationsBetter(winner.score, nearest.score) >= raceUpDeviations ? winner : nearest
}

/**
 * From the reference (or the fastest arm left) to the nearest arm above that is clearly better, and so on; if there is none, the same
 * downwards.
 */
function winnerOf(done: readonly Finisher[], reference: number): Finisher | undefined {
  const own = done.findIndex(({ learningRate }) => learningRate === reference)
  const start = done[own < 0 ? done.length - 1 : own]
  if (start === undefined) return undefined
  const above = done.slice(done.indexOf(start) + 1)
  const up = climbed(start, above, raceUpDeviations)
  return up === start ? climbed(start, done.slice(0, done.indexOf(start)).reverse(), raceDownDeviations) : up
}

/** The last of a chain of arms each of which is clearly better than the one before. */
function climbed(start: Finisher, others: readonly Finisher[], needed: number): Finisher {
  return others.reduce((best, arm) => (deviationsBetter(arm.score, best.score) >= needed ? arm : best), start)
}

/** Shift of log η from the winner, at most half a step; 0 without neighbours on both sides. */
function refinement(race: RaceState, done: readonly Finisher[], winner: Finisher): number {
  const at = done.indexOf(winner)
  const [below, above] = [done[at - 1], done[at + 1]]
  if (below === undefined || above === undefined) return 0
  const step = Math.log(race.ratio)
  const down = pairedDifference(below.score, winner.score)
  const up = pairedDifference(above.score, winner.score)
  const slope = (up.difference - down.difference) / (2 * step)
  const variance = (up.standardError ** 2 + down.standardError ** 2) / (2 * step) ** 2
  const curvature = (up.difference + down.difference) / step ** 2
  if (!(curvature > 0) || (winner.learningRate === race.reference && slope ** 2 < 4 * variance)) return 0
  const prior = (step / 2) ** 2
  const shift = (-slope * curvature * prior) / (curvature ** 2 * prior + variance)
  return Math.min(Math.max(shift, -step / 2), step / 2)
}
