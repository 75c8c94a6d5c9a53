// The gradient noise scale beside the batch size, with its 95 % band: as the probes found it, also in the anneal, where norms of
// micro-batches come rarely. Where nothing new is measured any more it is unknown, and hatched.

import { formatNumber } from '../../protocol/numbers.ts'
import { valueAt } from '../state/series.ts'
import { formatMeasured, standardErrorsIn95 } from '../views/format.ts'
import { howWords, whyNotMeasured } from './diagnosticCharts.ts'
import { extremesOf, logScale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, Points, RunView } from './spec.ts'
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

/** A band is drawn down to this share of its value at most. */
const leastShare = 0.01

/** The batch size that the job reports, or else has among its settings. */
export function batchSizeOf(view: RunView): number | null {
  const setting = view.run.options.settings.batchSize
  return valueAt(columnsOf(view, 'batchSize'), view.to) ?? (typeof setting === 'number' ? setting : null)
}

export function noiseChart(view: RunView): ChartSpec {
  const noise = columnsOf(view, 'noiseScale')
  const batch = batchSizeOf(view)
  const measured = hasValues(noise)
  const values = extremesOf(
    [valueAt(noise, view.from), ...valuesFrom(noise, 'last', view, 0), batch].filter(
      (v) => v !== null && v > 0,
    ),
  )
  const marks: Mark[] = []
  if (measured && batch !== null)
    marks.push({
      kind: 'reference',
      value: batch,
      color: 'ink-3',
      text: `batch size ${formatNumber(batch)}`,
      inline: true,
    })
  if (measured) marks.push(...noiseMarks(view))
  const now = valueAt(noise, view.to)
  const needs = isNoiseMeasured(view)
    ? 'No value: noise covers the gradient.'
    : whyNotMeasured(view.run, 'microBatchNorms')
  return {
    id: 'noise',
    title: 'Gradient noise scale',
    heightPx: 70,
    bottomPx: 6,
    scale: logScale(values?.[0] ?? 0, values?.[1] ?? 0, 4),
    marks,
    head: (step) => noiseHead(view, step, batch),
    sentence:
      now === null ? `Gradient noise scale: ${needs}` : `Gradient noise scale ${formatNumber(now)} examples.`,
    tableSteps: tableStepsOf(view, noise),
    fileSteps: fileStepsOf(view, noise),
    columns: [
      signalColumn(view, 'noiseScale', 'examples'),
      tableColumn('± 95 %', (step) => noiseHalf(view, step)),
    ],
    missing: measured ? null : needs,
    how: howWords.microBatchNorms,
  }
}

/** The noise is known, but the gradient is not told from 0, so that their ratio has no value. */
const isNoiseMeasured = (view: RunView): boolean =>
  view.decisions.some(({ evidence }) =>
    evidence.some(({ signal, value }) => signal === 'traceSigma' && value !== null),
  )

/** Half of the 95 % interval; null where the error is not known. */
function noiseHalf(view: RunView, step: number): number | null {
  const error = valueAt(columnsOf(view, 'noiseScaleError'), step)
  return error === null ? null : standardErrorsIn95 * error
}

/** The 95 % band, on a logarithmic axis: it never reaches 0. */
function noiseBand(view: RunView, { step, value }: Points): Mark {
  const edges = step.map((at, i) => {
    const [middle, half] = [value[i] ?? null, noiseHalf(view, at)]
    return middle === null || half === null ? null : { middle, half }
  })
  return {
    kind: 'band',
    step,
    low: edges.map((edge) => edge && Math.max(edge.middle - edge.half, edge.middle * leastShare)),
    high: edges.map((edge) => edge && edge.middle + edge.half),
    color: 'ink-3',
    alpha: 0.24,
  }
}

/** Probes with the very same value before it is told as old: one or two may come before the next norms. */
const repeatsMax = 3

/** The newest step at which the value was new; null = it is new enough, or the run is over. */
function staleSince({ run }: RunView, { step, value }: Points): number | null {
  if (run.phase === 'done') return null
  const last = value.at(-1) ?? null
  let since = step.length - 1
  while (since > 0 && last !== null && value[since - 1] === last) since--
  return step.length - 1 - since >= repeatsMax ? step[since]! : null
}

/** The line ends where its value was last new; from there on it is unknown. */
function noiseMarks(view: RunView): Mark[] {
  const all = pointsOf(view, 'noiseScale')
  const stale = staleSince(view, all)
  const count = stale === null ? all.step.length : all.step.indexOf(stale) + 1
  const points = { step: all.step.slice(0, count), value: all.value.slice(0, count) }
  const text = 'not measured since'
  return [
    ...(stale === null ? [] : [{ kind: 'hatch', fromStep: stale, toStep: view.run.step, text } as const]),
    noiseBand(view, points),
    { kind: 'line', points, color: 'ink', width: 1.8 },
  ]
}

function noiseHead(view: RunView, step: number, batch: number | null): HeadItem[] {
  const value = valueAt(columnsOf(view, 'noiseScale'), step)
  if (value === null) return []
  const measured = formatMeasured(value, valueAt(columnsOf(view, 'noiseScaleError'), step))
  const items: HeadItem[] = [
    {
      label: '',
      value: measured.value,
      after: measured.plusMinus === null ? 'examples' : `± ${measured.plusMinus} examples`,
    },
  ]
  if (batch !== null && batch > 0)
    items.push({
      label: `${formatNumber(value / batch)} × the batch`,
      value: '',
      secondary: true,
    })
  return items
}
