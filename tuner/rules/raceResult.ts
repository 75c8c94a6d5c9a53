// Who won the race. A parabola through three rates over log η gives the optimum, times κ < 1 because early
// averaged loss flatters large rates.

import { raceKappaGiven, raceKappaRange } from '../constants.ts'
import { type Arm, type RaceState, ranking } from './race.ts'

type RaceResult =
  | { readonly kind: 'won'; readonly winner: Arm; readonly optimum: number; readonly learningRate: number }
  | { readonly kind: 'no-arm-left' }

/** The winner, the optimum by the parabola, and κ times it. */
export function raceResult(race: RaceState): RaceResult {
  const survivors = race.arms.filter(({ diverged }) => !diverged)
  const last = Math.max(0, ...survivors.map(({ losses }) => losses.length)) - 1
  const winner = last < 0 ? undefined : ranking(race, last)[0]
  if (winner === undefined) return { kind: 'no-arm-left' }
  const optimum = optimumNear(race, winner)
  const kappa = race.source === 'range' ? raceKappaRange : raceKappaGiven
  return { kind: 'won', winner, optimum, learningRate: optimum * kappa }
}

/** Vertex of the parabola through the winner and its two neighbours in the latest round that all three ran. */
function optimumNear(race: RaceState, winner: Arm): number {
  for (let round = winner.losses.length - 1; round >= 0; round--) {
    const ran = ranking(race, round).toSorted((a, b) => a.learningRate - b.learningRate)
    const at = ran.findIndex(({ id }) => id === winner.id)
    const [below, above] = [ran[at - 1], ran[at + 1]]
    if (!below || !above) continue
    const points = [below, winner, above].map((entry) => ({
      x: Math.log(entry.learningRate),
      y: entry.losses[round]!,
    }))
    const x = parabolaVertex(points as [Point, Point, Point])
    const half = (from: Arm) => (Math.log(winner.learningRate) + Math.log(from.learningRate)) / 2
    // The winner's own round decides between arms; the parabola only refines within half a spacing.
    return x === null ? winner.learningRate : Math.exp(Math.min(Math.max(x, half(below)), half(above)))
  }
  return winner.learningRate
}

type Point = { readonly x: number; readonly y: number }

/** x of the minimum of the parabola through three points; null if it has none (not convex). */
export function parabolaVertex([a, b, c]: readonly [Point, Point, Point]): number | null {
  const left = (b.y - a.y) / (b.x - a.x)
  const right = (c.y - b.y) / (c.x - b.x)
  const curvature = (right - left) / (c.x - a.x)
  if (!(curvature > 0)) return null
  return (a.x + b.x) / 2 - left / (2 * curvature)
}
