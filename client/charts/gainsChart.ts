// The switch as a course: what staying still gains (blue) and what annealing gains (orange), each with its 95 % band, as
// the rule saw them at every probe. Where the orange curve reaches the blue one annealing gains as much; the run anneals there, or
// where the rule is first allowed to. Both are in units of the loss, so 0 is on the axis.

import { formatPair } from '../../protocol/numbers.ts'
import { type Columns, valueAt } from '../state/series.ts'
import { formatMeasured, standardErrorsIn95 } from '../views/format.ts'
import { howWords, whyNotMeasured } from './diagnosticCharts.ts'
import { diminishingChart } from './diminishingChart.ts'
import { extremesOf, linearScale, quantileOf, type Scale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, RunView } from './spec.ts'
import {
  columnsOf,
  fileStepsOf,
  hasValues,
  pointsOf,
  signalColumn,
  tableColumn,
  tableStepsOf,
  valuesFrom,
} from './view.ts'

const sides = [
  { signal: 'stayingGain', error: 'stayingGainError', color: 'large', label: 'staying still' },
  { signal: 'annealingGain', error: 'annealingGainError', color: 'anneal', label: 'annealing' },
] as const
type Side = (typeof sides)[number]

const meaning: Mark = {
  kind: 'reference',
  value: 0,
  color: 'ink-3',
  text: 'where the curves meet annealing gains as much',
  inline: true,
}

export function gainsChart(view: RunView): ChartSpec {
  // Without a budget another question is asked.
  if (view.run.budgetSteps === null) return diminishingChart(view)
  const staying = columnsOf(view, 'stayingGain')
  const measured = sides.some(({ signal }) => hasValues(columnsOf(view, signal)))
  const why = whyNotMeasured(view.run, 'heldOutLoss')
  return {
    id: 'gains',
    title: 'What staying still gains, what annealing gains',
    heightPx: 128,
    bottomPx: 8,
    scale: gainsScale(view),
    marks: measured ? [meaning, ...sides.flatMap((side) => marksOf(view, side))] : [],
    head: (step) => sides.flatMap((side) => headOf(view, side, step)),
    sentence: measured ? sentenceOf(view) : `What staying still and annealing gain: ${why}`,
    tableSteps: tableStepsOf(view, staying ?? columnsOf(view, 'annealingGain')),
    fileSteps: fileStepsOf(view, staying ?? columnsOf(view, 'annealingGain')),
    columns: sides.flatMap(({ signal, error, label }) => [
      signalColumn(view, signal, `${label} gains`),
      tableColumn(`± 95 %, ${label}`, (step) => halfAt(view, error, step)),
    ]),
    missing: measured ? null : why,
    how: howWords.heldOutLoss,
  }
}

/** Half of the 95 % interval; null where the error is not known. */
function halfAt(view: RunView, error: string, step: number): number | null {
  const known = valueAt(columnsOf(view, error), step)
  return known === null ? null : standardErrorsIn95 * known
}

/** Holds the lines, and three quarters of their bands: early ones say little and would flatten the rest. */
function gainsScale(view: RunView): Scale {
  // A window between two probes has the value that held when it began.
  const lines = sides.map(({ signal }) => [
    valueAt(columnsOf(view, signal), view.from),
    ...valuesFrom(columnsOf(view, signal), 'last', view, 0),
  ])
  const known = extremesOf(...lines, [0])
  const ends = sides.flatMap(({ signal, error }) => {
    const columns = columnsOf(view, signal)
    return (columns?.step ?? []).flatMap((step, i) => {
      const [value, half] = [columns!.last[i], halfAt(view, error, step)]
      return value == null || half === null || step < view.from || step > view.to ? [] : [{ value, half }]
    })
  })
  const low = quantileOf(
    ends.map(({ value, half }) => value - half),
    0.25,
  )
  const high = quantileOf(
    ends.map(({ value, half }) => value + half),
    0.75,
  )
  const usual = lines.map((values) => quantileOf(values, 0.97))
  const usualLow = lines.map((values) => quantileOf(values, 0.03))
  if (known === null) return linearScale(0, 1, 4)
  return linearScale(
    Math.min(0, low ?? 0, ...usualLow.map((value) => value ?? 0)),
    Math.max(0, high ?? 0, ...usual.map((value) => value ?? 0)),
    4,
  )
}

function marksOf(view: RunView, { signal, error, color }: Side): Mark[] {
  const columns = columnsOf(view, signal)
  if (columns === undefined) return []
  return [
    ...bandOf(view, columns, error, color),
    { kind: 'line', points: pointsOf(view, signal), color, width: 2, dots: 1.8 },
  ]
}

function bandOf(view: RunView, columns: Columns, error: string, color: Side['color']): Mark[] {
  const halves = columns.step.map((step) => halfAt(view, error, step))
  if (halves.every((half) => half === null)) return []
  const edge = (sign: 1 | -1) =>
    columns.last.map((value, i) => (value === null || halves[i] === null ? null : value + sign * halves[i]!))
  return [{ kind: 'band', step: columns.step, low: edge(-1), high: edge(1), color, alpha: 0.16 }]
}

function headOf(view: RunView, { signal, error, color, label }: Side, step: number): HeadItem[] {
  const value = valueAt(columnsOf(view, signal), step)
  if (value === null) return []
  const words = formatMeasured(value, valueAt(columnsOf(view, error), step))
  const after = words.plusMinus === null ? {} : { after: `± ${words.plusMinus}` }
  return [{ label, value: words.value, ...after, key: color }]
}

function sentenceOf(view: RunView): string {
  const [staying, annealing] = sides.map(({ signal }) => valueAt(columnsOf(view, signal), view.to))
  if (staying == null || annealing == null) return 'One of the two gains is not measured yet.'
  const verdict = staying > annealing ? 'staying still gains more than' : 'staying still gains no more than'
  return `By the last probe ${verdict} annealing: ${formatPair(staying, annealing)}.`
}
