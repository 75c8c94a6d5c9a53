// Two diagnostics, in ink: the regime index with its 95 % band, and the rate divided by the critical rate. Each says in words
// what it needs where it is not measured.

import { formatNumber, formatRate } from '../../protocol/numbers.ts'
import type { Capability } from '../../protocol/vocabulary.ts'
import { valueAt } from '../state/series.ts'
import { formatKnown } from '../views/format.ts'
import { keyWords, regimeReasonWords } from '../views/words.ts'
import { warmupEndOf } from './phases.ts'
import type { Range } from './ranges.ts'
import { extremesOf, type Scale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, RunView } from './spec.ts'
import {
  columnsOf,
  fileStepsOf,
  hasValues,
  pointsOf,
  signalColumn,
  tableStepsOf,
  valuesFrom,
} from './view.ts'

/** What would bring what is not measured. */
export const howWords = {
  microBatchNorms:
    'Give run.watch(model, optimizer) the model, or report the norms of micro-batch gradients over HTTP: microGradientNormSquared with microBatchSize, beside gradientNormSquared and batchSize.',
  lineProbe:
    'Give run.watch(model, optimizer, evaluate=…) a held-out loss, or answer line probes over HTTP: the loss a little way along the last update.',
  heldOutLoss:
    'Give run.watch(model, optimizer, evaluate=…) a held-out loss, or answer valley probes over HTTP: held-out losses of the present and the averaged weights.',
} as const

/** What an empty panel says: what the job would have to offer, or that it could; after the end there is no "yet". */
export function whyNotMeasured({ state, options }: RunView['run'], needed: Capability): string {
  if (!options.capabilities.includes(needed)) return `Not measured. Needs ${needed} from the job.`
  return state === 'finished' || state === 'diverged'
    ? 'Not measured before the run ended.'
    : 'Not measured yet.'
}

const regimeScale: Scale = {
  kind: 'linear',
  low: 0,
  high: 1,
  ticks: [
    { value: 0, label: '0' },
    { value: 0.5, label: '½' },
    { value: 1, label: '1' },
  ],
}

/** An index is a number between 0 and 1, and no more is known of it than two digits. */
const formatIndex = (index: number): string => index.toFixed(2)

export function regimeChart(view: RunView): ChartSpec {
  const index = columnsOf(view, 'regimeIndex')
  const known = hasValues(index)
  const marks: Mark[] = []
  const start = warmupEndOf(view.run)
  if (known) marks.push(...indexMarks(view, start))
  else if (view.run.step > start)
    marks.push({ kind: 'hatch', fromStep: start, toStep: view.run.step, text: 'unknown' })
  const { regime } = view.run
  const unknown = `Regime unknown${regime.reason === undefined ? '' : `: ${regimeReasonWords(regime.reason)}`}`
  return {
    id: 'regime',
    title: 'Regime',
    heightPx: 66,
    bottomPx: 6,
    scale: regimeScale,
    marks,
    head: (step) => regimeHead(view, step),
    note: 'Above ½ annealing would take more than 4 % off the loss at once.',
    sentence: known
      ? `Regime ${keyWords(regime.name)}, index ${formatKnown(valueAt(index, view.to), formatIndex)}.`
      : `${unknown}.`,
    tableSteps: tableStepsOf(view, index),
    fileSteps: fileStepsOf(view, index),
    how: howWords.heldOutLoss,
    columns: [
      signalColumn(view, 'regimeIndex', 'index', formatIndex),
      signalColumn(view, 'regimeIndexLow', '95 % from', formatIndex),
      signalColumn(view, 'regimeIndexHigh', '95 % to', formatIndex),
    ],
    missing: known ? null : `${unknown}.`,
  }
}

/** An interval of the index as wide as this says nothing: there the regime is as unknown as without a probe. */
const widthMax = 0.8

/** The index with its band where its interval says something, and hatching elsewhere from a step on. */
function indexMarks(view: RunView, fromStep: number): Mark[] {
  const points = pointsOf(view, 'regimeIndex')
  const ends = (signal: string) => points.step.map((step) => valueAt(columnsOf(view, signal), step))
  const [low, high] = [ends('regimeIndexLow'), ends('regimeIndexHigh')]
  const isVague = points.step.map(
    (_, i) => low[i] != null && high[i] != null && high[i]! - low[i]! > widthMax,
  )
  const told = (values: readonly (number | null)[]) => values.map((value, i) => (isVague[i] ? null : value))
  return [
    ...unknownStretches(points.step, told(points.value), { from: fromStep, to: view.run.step }),
    { kind: 'band', step: points.step, low: told(low), high: told(high), color: 'ink-3', alpha: 0.24 },
    { kind: 'line', points: { step: points.step, value: told(points.value) }, color: 'ink', width: 1.8 },
  ]
}

/** Between two values that are told where something else lies between them, before the first and after the last. */
function unknownStretches(
  step: readonly number[],
  value: readonly (number | null)[],
  { from, to }: Range,
): Mark[] {
  const told = step.map((_, i) => i).filter((i) => value[i] !== null)
  const ends = [-1, ...told, step.length]
  return ends.slice(1).flatMap((next, k): Mark[] => {
    const last = ends[k]!
    const isFirst = last < 0
    if (!isFirst && next - last < 2) return []
    const [fromStep, toStep] = [isFirst ? from : step[last]!, next < step.length ? step[next]! : to]
    return toStep > fromStep ? [{ kind: 'hatch', fromStep, toStep, text: 'unknown' }] : []
  })
}

function regimeHead(view: RunView, step: number): HeadItem[] {
  const value = valueAt(columnsOf(view, 'regimeIndex'), step)
  if (value === null) {
    const { reason } = view.run.regime
    return [
      { label: 'unknown', value: '' },
      ...(reason === undefined ? [] : [{ label: regimeReasonWords(reason), value: '', secondary: true }]),
    ]
  }
  const low = valueAt(columnsOf(view, 'regimeIndexLow'), step)
  const high = valueAt(columnsOf(view, 'regimeIndexHigh'), step)
  const name = step >= view.run.step - 1 ? keyWords(view.run.regime.name) : 'index'
  const items: HeadItem[] = [{ label: name, value: formatIndex(value) }]
  if (low !== null && high !== null)
    items.push({ label: `95 %: ${formatIndex(low)} to ${formatIndex(high)}`, value: '' })
  return items
}

export function ratioChart(view: RunView): ChartSpec {
  const ratio = columnsOf(view, 'rateRatio')
  const critical = columnsOf(view, 'criticalLearningRate')
  const measured = hasValues(ratio)
  const greatest = extremesOf(valuesFrom(ratio, 'last', view, 0))?.[1] ?? 0
  const high = Math.min(Math.max(1.15, greatest * 1.08), 2.3)
  const ticks = [
    { value: 0, label: '0' },
    { value: 0.5, label: '½' },
    { value: 1, label: '1' },
    ...(high > 2 ? [{ value: 2, label: '2' }] : []),
  ]
  const marks: Mark[] = [
    { kind: 'reference', value: 1, color: 'bad', text: 'above 1 a step raises the loss' },
    { kind: 'line', points: pointsOf(view, 'rateRatio'), color: 'ink', width: 1.6, dots: 1.7 },
  ]
  const now = valueAt(ratio, view.to)
  const needs = whyNotMeasured(view.run, 'lineProbe')
  return {
    id: 'ratio',
    title: 'Rate ÷ critical rate',
    heightPx: 72,
    bottomPx: 6,
    scale: { kind: 'linear', low: 0, high, ticks },
    marks: measured ? marks : [],
    head: (step) => {
      const value = valueAt(ratio, step)
      const rate = valueAt(critical, step)
      const items: HeadItem[] = value === null ? [] : [{ label: '', value: formatNumber(value) }]
      if (rate !== null)
        items.push({ label: `critical rate ${formatRate(rate)}`, value: '', secondary: true })
      return items
    },
    ...(measured ? { note: 'Above ½ a step goes over the minimum.' } : {}),
    sentence:
      now === null ? `Rate over critical rate: ${needs}` : `Rate over critical rate ${formatNumber(now)}.`,
    tableSteps: tableStepsOf(view, ratio),
    fileSteps: fileStepsOf(view, ratio),
    columns: [
      signalColumn(view, 'rateRatio', 'ratio'),
      signalColumn(view, 'criticalLearningRate', 'critical rate', formatRate),
    ],
    missing: measured ? null : needs,
    how: howWords.lineProbe,
  }
}
