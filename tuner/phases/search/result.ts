// Who won the race, and which rate follows from it. Doubt keeps the reference: another arm wins only if it is better by
// the standard errors that the climb asks for, step by step. Around the winner the optimum is refined by the slope between
// its two neighbours, and shrunken: with a prior of half a step around the winner (τ = ½ ln ratio), slope g ± σ over log η
// and curvature c, the posterior mean of log η is −g·c·τ²/(c²τ² + σ²): a slope lost in its error moves nothing. What is
// changed is changed to κ < 1 times the optimum, as losses this early flatter large rates; and to less where arms have shown
// little but which rate is first off the plateau that networks begin on. There a loss depends on rate × steps, so each step
// up the climb gains more than those before, and longer arms would have shown the same of slower rates. Neither goes below
// the reference. Constants: bench/records/2026-11-28-arms/README.md.

import { pairedDifference } from '../../estimators/pairedLoss.ts'
import { hasDescended, isClear } from './climb.ts'
import { type Finisher, finishers, type RaceState, raceRatio } from './race.ts'

/** κ: a changed rate is this multiple of the early optimum. */
export const raceKappa = 0.6
/** Where the last step of a climb gained more than any before, the rate is divided by how much more, at most by half a step. */
const growthMax = Math.sqrt(raceRatio)

export type RaceResult = {
  readonly winner: Finisher
  /** Where arms did best. */
  readonly optimum: number
  /** The reference where it is kept, else κ times the optimum, or less. */
  readonly learningRate: number
}

/** Undefined = no arm came to its end. */
export function raceResult(race: RaceState): RaceResult | undefined {
  const done = finishers(race)
  const winner = winnerOf(race, done)
  if (winner === undefined) return undefined
  const optimum = winner.learningRate * Math.exp(refinement(race, done, winner))
  // Doubt keeps the reference exactly: it is somebody's number.
  if (optimum === race.reference) return { winner, optimum, learningRate: optimum }
  const learningRate = (raceKappa * optimum) / growthOf(race, done, winner)
  // What speaks for more leads to no less.
  const isFaster = optimum > race.reference
  return { winner, optimum, learningRate: isFaster ? Math.max(learningRate, race.reference) : learningRate }
}

/** How often the climb's last gain holds the largest of those before, within bounds; 1 where there were no two steps up. */
function growthOf(race: RaceState, done: readonly Finisher[], winner: Finisher): number {
  const climbing = done.slice(0, done.indexOf(winner) + 1).filter((arm) => arm.learningRate >= race.reference)
  const gains = climbing
    .slice(1)
    .map((arm, i) => pairedDifference(climbing[i]!.score, arm.score, race.hasSameBatches))
  const last = gains.at(-1)
  const before = gains.at(-2)
  if (last === undefined || before === undefined) return 1
  const largest = Math.max(before.standardError, ...gains.slice(0, -1).map(({ difference }) => difference))
  const growth = last.difference / largest
  return growth > 1 ? Math.min(growth, growthMax) : 1
}

/**
 * From the reference (or the fastest arm left) to the nearest arm above that is clearly better, and so on; if there is
 * none, the same downwards.
 */
function winnerOf(race: RaceState, done: readonly Finisher[]): Finisher | undefined {
  const own = done.findIndex(({ learningRate }) => learningRate === race.reference)
  const start = done[own < 0 ? done.length - 1 : own]
  if (start === undefined) return undefined
  const at = done.indexOf(start)
  const up = climbed(race, start, done.slice(at + 1))
  if (up === start) return climbed(race, start, done.slice(0, at).reverse())
  // Rates far above were tried because nothing was learned: as long as nothing is, one that looks better is chance.
  const isFar = up.learningRate > 1.01 * raceRatio * start.learningRate
  return isFar && !hasDescended(race, done) ? start : up
}

/** The last of a chain of arms each of which is clearly better than the one before. */
function climbed(race: RaceState, start: Finisher, others: readonly Finisher[]): Finisher {
  return others.reduce((best, arm) => (isClear(race, arm, best) ? arm : best), start)
}

/** Shift of log η from the winner, at most half a step; 0 without neighbours on both sides. */
function refinement(race: RaceState, done: readonly Finisher[], winner: Finisher): number {
  const at = done.indexOf(winner)
  const [below, above] = [done[at - 1], done[at + 1]]
  if (below === undefined || above === undefined) return 0
  const step = Math.log(raceRatio)
  const down = pairedDifference(below.score, winner.score, race.hasSameBatches)
  const up = pairedDifference(above.score, winner.score, race.hasSameBatches)
  const slope = (up.difference - down.difference) / (2 * step)
  const variance = (up.standardError ** 2 + down.standardError ** 2) / (2 * step) ** 2
  const curvature = (up.difference + down.difference) / step ** 2
  if (!(curvature > 0) || (winner.learningRate === race.reference && slope ** 2 < 4 * variance)) return 0
  const prior = (step / 2) ** 2
  const shift = (-slope * curvature * prior) / (curvature ** 2 * prior + variance)
  // Losses may be as large as numbers go; their squares are none.
  return Number.isFinite(shift) ? Math.min(Math.max(shift, -step / 2), step / 2) : 0
}
