// The three diagnostics, all in ink: regime index with its 95 % band, gradient noise scale beside the batch
// size, and the rate divided by the critical rate. Each says in words what it needs where it is not measured.

import { formatNumber, formatRate } from '../../protocol/numbers.ts'
import type { Capability } from '../../protocol/vocabulary.ts'
import { valueAt } from '../state/series.ts'
import { formatKnown, formatMeasured, standardErrorsIn95 } from '../views/format.ts'
import { keyWords, regimeReasonWords } from '../views/words.ts'
import { warmupEndOf } from './phases.ts'
import { extremesOf, logScale, type Scale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, RunView } from './spec.ts'
import {
  columnsOf,
  evidenceAt,
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
  return state === 'finished' || state === 'diverged' ? 'Not measured.' : 'Not measured yet.'
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
  const low = columnsOf(view, 'regimeIndexLow')
  const high = columnsOf(view, 'regimeIndexHigh')
  const known = hasValues(index)
  const marks: Mark[] = []
  const firstKnown = known ? index.step[index.last.findIndex((value) => value !== null)]! : view.run.step
  const start = warmupEndOf(view.run)
  if (firstKnown > start && view.run.step > start)
    marks.push({ kind: 'hatch', fromStep: start, toStep: firstKnown, text: 'unknown' })
  if (low !== undefined && high !== undefined)
    marks.push({ kind: 'band', step: low.step, low: low.last, high: high.last, color: 'ink-3', alpha: 0.24 })
  marks.push({ kind: 'line', points: pointsOf(view, 'regimeIndex'), color: 'ink', width: 1.8 })
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
  marks.push(noiseBand(view))
  marks.push({ kind: 'line', points: pointsOf(view, 'noiseScale'), color: 'ink', width: 1.8 })
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
    columns: [signalColumn(view, 'noiseScale', 'examples')],
    missing: measured ? null : needs,
    how: howWords.microBatchNorms,
  }
}

/** The noise is known, but the gradient is not told from 0, so that their ratio has no value. */
const isNoiseMeasured = (view: RunView): boolean =>
  view.decisions.some(({ evidence }) =>
    evidence.some(({ signal, value }) => signal === 'traceSigma' && value !== null),
  )

/** The 95 % band, known at the decisions: their evidence carries the standard error. */
function noiseBand(view: RunView): Mark {
  const band = { step: [] as number[], low: [] as number[], high: [] as number[] }
  for (const decision of view.decisions) {
    const found = decision.evidence.find(({ signal }) => signal === 'noiseScale')
    if (found?.value == null || found.standardError === null || band.step.at(-1) === decision.step) continue
    const half = standardErrorsIn95 * found.standardError
    band.step.push(decision.step)
    band.low.push(Math.max(found.value - half, found.value * 0.01))
    band.high.push(found.value + half)
  }
  return { kind: 'band', ...band, color: 'ink-3', alpha: 0.24 }
}

function noiseHead(view: RunView, step: number, batch: number | null): HeadItem[] {
  const value = valueAt(columnsOf(view, 'noiseScale'), step)
  if (value === null) return []
  const error = evidenceAt(view, 'noiseScale', step)?.standardError ?? null
  const measured = formatMeasured(value, error)
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
