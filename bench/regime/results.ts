// Everything that the regime benchmark computes from the traces, and from the runs that anneal.

import type { TaskTraces } from '../traces/format.ts'
import {
  type Crossings,
  crossingsOf,
  type Known,
  knownOf,
  type Named,
  namedOf,
  type Transitions,
  transitionsOf,
} from './names.ts'
import { gapOverGainOf, type RegimeRun, regimeRunOf } from './points.ts'
import { type Row, rowsOf } from './rows.ts'

/** Of one set of runs: those at a constant rate, or those that anneal. */
export type RegimeResults = {
  readonly rows: readonly Row[]
  readonly named: readonly Named[]
  readonly known: Known
  readonly transitions: Transitions
  readonly crossings: Crossings
  readonly gapOverGain: number
}

const runsOf = (traces: readonly TaskTraces[]): RegimeRun[] =>
  traces.flatMap(({ header, runs }) => runs.map((run) => regimeRunOf(header.task, run)))

export function resultsOf(traces: readonly TaskTraces[]): RegimeResults {
  const runs = runsOf(traces)
  const points = runs.flatMap((run) => run.points)
  return {
    rows: rowsOf(points),
    named: namedOf(points),
    known: knownOf(runs),
    transitions: transitionsOf(runs),
    crossings: crossingsOf(runs),
    gapOverGain: gapOverGainOf(points),
  }
}
