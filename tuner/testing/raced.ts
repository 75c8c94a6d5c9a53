// Races run to their end without a job: each arm is scored by a function of its rate, for the tests of the search.

import type { Score } from '../estimators/pairedLoss.ts'
import { nextRate } from '../phases/search/climb.ts'
import { endArm, openRace, type RaceState, startArm } from '../phases/search/race.ts'
import { type RaceResult, raceResult } from '../phases/search/result.ts'

export const anywhere = { min: 0, max: Number.MAX_VALUE }

/** A race around a rate in 2,000 steps. */
export const raceAround = (reference = 0.1, change: Partial<Parameters<typeof openRace>[0]> = {}) =>
  openRace({
    reference,
    fromStep: 0,
    length: 2_000,
    hasSameBatches: true,
    measure: 'averaged',
    ...anywhere,
    ...change,
  })

/** Parts around a loss that all arms share, and a scatter of their own. */
export const scored = (loss: number, scatter = 0.001): Score => {
  const offsets = Array.from({ length: 16 }, (_, i) => (i - 7.5) / 10)
  return {
    loss,
    parts: offsets.map((offset, i) => loss + offset + scatter * Math.sin(97 * i * loss)),
    examples: 512,
  }
}

/** A valley over log η with its bottom at a rate. */
export const valley = (best: number) => (rate: number) => 1 + Math.log(rate / best) ** 2

export type Raced = {
  readonly race: RaceState
  /** Rates in the order in which they ran, to two digits. */
  readonly ran: readonly number[]
  readonly steps: number
}

/** Runs a race to its end; `lossOf` null = the arm diverges after five steps. */
export function raced(
  opened: RaceState,
  lossOf: (rate: number) => number | Score | null,
  bounds = anywhere,
): Raced {
  let [race, step] = [opened, 0]
  const ran: number[] = []
  for (let rate = nextRate(race, bounds); rate !== undefined; rate = nextRate(race, bounds)) {
    const started = startArm(race, rate, step)
    const loss = lossOf(rate)
    const score = typeof loss === 'number' ? scored(loss) : loss
    ran.push(Number(rate.toPrecision(2)))
    step = score === null ? step + 5 : started.current!.toStep
    race = endArm(started, score, step)
  }
  return { race, ran, steps: step }
}

export function wonOf({ race }: Raced): RaceResult {
  const result = raceResult(race)
  if (result === undefined) throw new Error('no arm came to its end')
  return result
}
