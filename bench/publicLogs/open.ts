// Runs without a budget: when does the tuner end the large step, over how many steps does the anneal go, and what does that cost
// against the best share of so long a run?

import type { Diminishing } from '../../tuner/state.ts'
import { foldTrunk } from './fold.ts'
import type { PublicLog } from './logs.ts'
import { ownTrunk, type Trunk } from './trunk.ts'
import { excessAt, type Setting } from './truth.ts'

export type OpenRow = {
  readonly model: string
  readonly logged: number
  /** Null = it went on to the end of the log. */
  readonly switchStep: number | null
  readonly annealSteps: number | null
  /** What as many steps again would have taken off when it was looked at last, and what they had to. */
  readonly gain: number | null
  readonly worth: number | null
  /** Nats above the best share of a run of that length; null = outside of the grid. */
  readonly excess: number | null
}

/** Constant runs with averages of their own, and the trunks of the grid. */
export const openRows = (
  logs: readonly PublicLog[],
  trunks: readonly Trunk[],
  settings: readonly Setting[],
): OpenRow[] => [...logs.flatMap(ownTrunk), ...trunks].map((trunk) => openRow(trunk, settings))

function openRow(trunk: Trunk, settings: readonly Setting[]): OpenRow {
  const { log, donor } = trunk
  const own = log === donor ? 'its own averages' : 'D of another run'
  let last: Diminishing | null = null
  const { course } = foldTrunk(trunk, { length: null }, (state) => {
    if (state.course.kind === 'large') last = state.course.diminishing ?? last
  })
  const ends =
    course.kind === 'anneal' ? { step: course.fromStep, annealSteps: course.toStep - course.fromStep } : null
  const grid = settings.filter(({ rate }) => rate === log.learningRate)
  const isOfGrid = trunk.log.layers === 12 && trunk.log.width === 768
  return {
    model: `${log.layers} × ${log.width}, ${log.dataset}, rate ${log.learningRate}, ${own}`,
    logged: log.heldOut.step.at(-1)!,
    switchStep: ends?.step ?? null,
    annealSteps: ends?.annealSteps ?? null,
    ...lastOf(last),
    excess: ends === null || !isOfGrid ? null : excessBetween(grid, ends),
  }
}

const lastOf = (last: Diminishing | null) => ({ gain: last?.gain.value ?? null, worth: last?.worth ?? null })

type Switch = { readonly step: number; readonly annealSteps: number }

/** Between the lengths of the grid straight in the logarithm; null outside of them. */
function excessBetween(grid: readonly Setting[], { step, annealSteps }: Switch): number | null {
  const length = step + annealSteps
  const above = grid.findIndex((setting) => setting.length >= length)
  const [low, high] = [grid[above - 1], grid[above]]
  const share = annealSteps / length
  if (low === undefined || high === undefined) return null
  const weight = Math.log(length / low.length) / Math.log(high.length / low.length)
  return excessAt(low, share) * (1 - weight) + excessAt(high, share) * weight
}
