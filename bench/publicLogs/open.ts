// Runs without a budget: when would the sequential test have ended the large step, over how many steps would the anneal go, and what
// does that cost against the best share of so long a run? Beside the test as it is one whose scatter is that of the later half of the
// blocks: the first ones hold the descent from random weights, which is no scatter.

import {
  foldSequentialProbe,
  initialSequentialTest,
  readSequentialTest,
  sequentialParts,
} from '../../tuner/estimators/sequentialTest.ts'
import type { TunerState } from '../../tuner/index.ts'
import { annealCourse } from '../../tuner/phases/enter.ts'
import { judgementNow, tolerancePerStep } from '../../tuner/phases/judgement.ts'
import { switchStepOf } from '../../tuner/state.ts'
import { foldTrunk } from './fold.ts'
import type { PublicLog } from './logs.ts'
import { ownTrunk, type Trunk } from './trunk.ts'
import { excessAt, type Setting } from './truth.ts'

export type OpenRow = {
  readonly model: string
  readonly logged: number
  /** Of the test as it is; null = it went on to the end of the log. */
  readonly switchStep: number | null
  /** With the scatter of the later half of the blocks, and what would follow. */
  readonly laterSwitchStep: number | null
  readonly annealSteps: number | null
  /** Nats above the best share of a run of that length; null = outside of the grid. */
  readonly excess: number | null
}

const laterHalf = {
  ...sequentialParts,
  scatterOf: (gains: readonly number[]) =>
    sequentialParts.scatterOf(gains.slice(Math.floor(gains.length / 2))),
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
  const later = laterSwitch(trunk)
  const grid = settings.filter(({ rate }) => rate === log.learningRate)
  const isOfGrid = trunk.log.layers === 12 && trunk.log.width === 768
  return {
    model: `${log.layers} × ${log.width}, ${log.dataset}, rate ${log.learningRate}, ${own}`,
    logged: log.heldOut.step.at(-1)!,
    switchStep: switchStepOf(foldTrunk(trunk, { length: null }).course),
    laterSwitchStep: later?.step ?? null,
    annealSteps: later?.annealSteps ?? null,
    excess: later === null || !isOfGrid ? null : excessBetween(grid, later),
  }
}

type Switch = { readonly step: number; readonly annealSteps: number }

function laterSwitch(trunk: Trunk): Switch | null {
  let test = initialSequentialTest
  let found: Switch | null = null
  foldTrunk(trunk, { length: null, isHeld: true }, (state) => {
    if (found !== null) return
    test = foldSequentialProbe(test, probeOf(state), laterHalf)
    if (readSequentialTest(test).satisfied) found = switchAt(state)
  })
  return found
}

const probeOf = (state: TunerState) => ({
  step: state.seen.step,
  averagedLoss: state.seen.signals.averagedLosses.at(-1) ?? Number.NaN,
  tolerancePerStep: tolerancePerStep(judgementNow(state)),
})

function switchAt(state: TunerState): Switch {
  const { step } = state.seen
  const { toStep } = annealCourse(state, 'tolerance', judgementNow(state), step)
  return { step, annealSteps: toStep - step }
}

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
