// Everything that the regime benchmark computes from the traces.

import { median } from 'simple-statistics'
import { regimeGapOverGain, regimeShareMin } from '../../tuner/signals/regime.ts'
import type { TaskTraces } from '../traces/format.ts'
import type { LogisticFit } from './fit.ts'
import type { Label } from './label.ts'
import { type LabelSet, labelSets } from './label.ts'
import { pointsOf, type RegimePoint } from './points.ts'
import { type ReliabilityBin, reliabilityOf } from './roc.ts'
import { fitOf, leftOutScores, type Row, rowsOf, takenSet, tasksOf } from './rows.ts'

export type Count = {
  readonly task: string
  readonly set: LabelSet
  readonly counts: Readonly<Record<Label | 'regime unknown', number>>
}

export type RegimeResults = {
  readonly counts: readonly Count[]
  readonly rows: readonly Row[]
  readonly reliability: readonly ReliabilityBin[]
  /** The taken inputs on all tasks: what belongs into the tuner's constants. */
  readonly fit: LogisticFit
  /** Median of D/L over G/L, both measured and above the floor. */
  readonly gapOverGain: number
}

export function resultsOf(traces: readonly TaskTraces[]): RegimeResults {
  const all = traces.flatMap(({ header, runs }) => runs.flatMap((run) => pointsOf(header.task, run)))
  const known = all.filter(({ index }) => index !== null)
  return {
    counts: tasksOf(all).flatMap((task) => countsOf(task, all)),
    rows: rowsOf(known),
    reliability: reliabilityOf(leftOutScores(known, takenSet)),
    fit: fitOf(known, takenSet),
    gapOverGain: gapOverGainOf(known),
  }
}

function countsOf(task: string, points: readonly RegimePoint[]): Count[] {
  const own = points.filter((point) => point.task === task)
  return labelSets.map((set) => {
    const known = own.filter(({ index }) => index !== null)
    const count = (label: Label) => known.filter(({ labels }) => labels[set] === label).length
    return {
      task,
      set,
      counts: {
        'large-step': count('large-step'),
        'small-step': count('small-step'),
        between: count('between'),
        'no label': count('no label'),
        'regime unknown': own.length - known.length,
      },
    }
  })
}

function gapOverGainOf(points: readonly RegimePoint[]): number {
  const floor = Math.log(regimeShareMin)
  const differences = points
    .filter(({ isDead }) => !isDead)
    .flatMap(({ inputs: { gapOverLoss, gainOverLoss } }) =>
      gapOverLoss === null || gainOverLoss === null || gapOverLoss <= floor || gainOverLoss <= floor
        ? []
        : [gapOverLoss - gainOverLoss],
    )
  return differences.length === 0 ? Number.NaN : regimeGapOverGain * Math.exp(median(differences))
}
