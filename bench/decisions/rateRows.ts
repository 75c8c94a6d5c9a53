// The question of the rate: how good is the rate that the search chose, annealed at its best, against the best of the
// grid. Between the grid's rates the loss is linear in the logarithm of the rate; outside it counts as the nearest.

import type { BenchTask } from '../tasks.ts'
import type { Score } from '../traces/format.ts'
import type { Outcome } from '../traces/outcomes.ts'
import { type Best, bestAtRate, meanOf, type RateRuns } from './truth.ts'

export type RateRow = { readonly name: string; readonly scores: readonly Score[] }

/** What a rate ends at when it is switched and finished at its best, for each seed. */
export function scoresAtRate(bests: readonly Best[], rate: number): Score[] {
  const above = bests.findIndex((best) => best.rate >= rate)
  if (above < 0) return [...bests.at(-1)!.scores]
  const [low, high] = [bests[above - 1], bests[above]!]
  if (low === undefined) return [...high.scores]
  const weight = Math.log(rate / low.rate) / Math.log(high.rate / low.rate)
  const between = (a: number, b: number) => a + (b - a) * weight
  return high.scores.map(({ loss, accuracy }, seed) => ({
    loss: between(low.scores[seed]!.loss, loss),
    accuracy: between(low.scores[seed]!.accuracy, accuracy),
  }))
}

/** Rows of one task: the default rate, a rate drawn from the grid, and the large rate of each of our closed loops. */
export function rateRows(
  { defaultRate, rateGrid }: Pick<BenchTask, 'defaultRate' | 'rateGrid'>,
  rates: readonly RateRuns[],
  outcomes: readonly Outcome[],
): RateRow[] {
  const bests = rates.map((rate) => bestAtRate(rate))
  const seeds = rates[0]!.runs.map(({ seed }) => seed)
  const grid = bests.filter(({ rate }) => rateGrid.includes(rate))
  const drawn = seeds.map((_, index) => ({
    loss: meanOf(grid.map(({ scores }) => scores[index]!.loss)),
    accuracy: meanOf(grid.map(({ scores }) => scores[index]!.accuracy)),
  }))
  const searched = [
    ...new Set(outcomes.filter(({ tunerVersion }) => tunerVersion !== null).map(({ row }) => row)),
  ]
  const chosen = searched.flatMap((row): RateRow[] => {
    const found = seeds.map((seed) =>
      outcomes.find((outcome) => outcome.row === row && outcome.seed === seed),
    )
    if (found.some((outcome) => outcome?.largeRate == null)) return []
    return [
      { name: row, scores: found.map((outcome, index) => scoresAtRate(bests, outcome!.largeRate!)[index]!) },
    ]
  })
  return [
    { name: 'default rate', scores: scoresAtRate(bests, defaultRate) },
    { name: 'rate drawn from the grid', scores: drawn },
    ...chosen,
  ]
}
