// Loss: raw samples as the span of each bucket, the smoothed loss, and the loss of the averaged weights. The
// distance between the last two is what annealing can remove. By default the scale fits the samples after
// warm-up, since the start of a run would flatten everything else; what is cut says how high it went.

import { formatNumber, formatStep } from '../../protocol/numbers.ts'
import { valueAt } from '../state/series.ts'
import { formatKnown, formatWithin } from '../views/format.ts'
import { elapsedOf, endStepOf, settledStepOf } from './phases.ts'
import { extremesOf, linearScale, logScale, quantileOf, type Scale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, RunView } from './spec.ts'
import { columnsOf, hasValues, pointsOf, tableStepsOf, valuesFrom } from './view.ts'

const tickCountMax = 6
/** Share of the samples after warm-up that the fitted scale holds on each side. */
const fittedShare = 0.995

export function lossChart(view: RunView): ChartSpec {
  const raw = columnsOf(view, 'loss')
  const scale = lossScale(view)
  const value = (signal: string, step: number) => valueAt(columnsOf(view, signal), step)
  return {
    id: 'loss',
    title: 'Loss',
    heightPx: 172,
    bottomPx: 6,
    scale,
    marks: lossMarks(view, scale),
    head: (step) => lossHead(view, step),
    sentence: lossSentence(view),
    tableSteps: tableStepsOf(view, raw),
    columns: [
      { title: 'raw, last', at: (step) => formatKnown(value('loss', step)) },
      { title: 'smoothed', at: (step) => formatKnown(value('lossSmoothed', step)) },
      { title: 'averaged weights, held-out', at: (step) => formatKnown(value('averagedLoss', step)) },
      { title: 'final loss expected', at: (step) => formatKnown(value('forecastLoss', step)) },
      { title: '95 % from', at: (step) => formatKnown(value('forecastLossLow', step)) },
      { title: '95 % to', at: (step) => formatKnown(value('forecastLossHigh', step)) },
    ],
    missing: raw === undefined || raw.step.length === 0 ? missingSamples(view) : null,
  }
}

/** A run that has reported steps has samples: they are on their way to the page. */
function missingSamples({ run }: RunView): string {
  const steps = elapsedOf(run)
  return steps > 0 ? `Loading ${formatStep(steps)} samples…` : 'Waiting for the first samples.'
}

function lossScale(view: RunView): Scale {
  const raw = columnsOf(view, 'loss')
  const start = view.lossFit === 'fit' ? settledStepOf(view.run) : 0
  const read = (from: number) => ({
    min: valuesFrom(raw, 'min', view, from),
    max: valuesFrom(raw, 'max', view, from),
    smoothed: valuesFrom(columnsOf(view, 'lossSmoothed'), 'last', view, from),
    averaged: valuesFrom(columnsOf(view, 'averagedLoss'), 'last', view, from),
  })
  let values = read(start)
  if (values.min.length < 3) values = read(0)
  const all = extremesOf(values.min, values.max, values.smoothed, values.averaged)
  if (all === null) return linearScale(0, 1, tickCountMax)
  if (view.lossFit === 'log')
    return logScale(extremesOf(values.min.filter((v) => v !== null && v > 0))?.[0] ?? 0, all[1], 5)
  if (view.lossFit === 'all') return linearScale(all[0], all[1], tickCountMax)
  const lines = extremesOf(values.smoothed, values.averaged)
  const expected = expectedAt(view, view.to)?.value ?? all[1]
  const low = Math.min(quantileOf(values.min, 1 - fittedShare) ?? all[0], lines?.[0] ?? all[0], expected)
  const high = Math.max(
    quantileOf(values.max, fittedShare) ?? all[1],
    // Not the smoothed loss: it lies within the samples, or still holds what came before them.
    quantileOf(values.averaged, fittedShare) ?? all[0],
  )
  return linearScale(low, high, tickCountMax)
}

function lossMarks(view: RunView, scale: Scale): Mark[] {
  const marks: Mark[] = forecastMarks(view)
  const raw = columnsOf(view, 'loss')
  if (raw !== undefined)
    marks.push({ kind: 'spikes', step: raw.step, min: raw.min, max: raw.max, color: 'large', alpha: 0.26 })
  marks.push({ kind: 'line', points: pointsOf(view, 'lossSmoothed'), color: 'large', width: 2, rim: true })
  marks.push({
    kind: 'line',
    points: pointsOf(view, 'averagedLoss'),
    color: 'anneal',
    width: 1.8,
    dots: 2.4,
    rim: true,
  })
  if (raw === undefined) return marks
  for (let i = 0; i < raw.step.length; i++) {
    const count = raw.nonFinite[i] ?? 0
    if (count > 0) marks.push({ kind: 'cross', step: raw.step[i]!, count })
  }
  const cut = highestCut(view, scale)
  if (cut !== null) marks.push({ kind: 'cut', step: cut.step, text: `up to ${formatNumber(cut.value)}` })
  const end = expectedEnd(view)
  if (end !== null) marks.push(end)
  return marks
}

/** The first step at which samples leave the scale, and how high they go; null = none does. */
function highestCut(view: RunView, scale: Scale): { step: number; value: number } | null {
  const raw = columnsOf(view, 'loss')
  if (raw === undefined) return null
  let first: number | null = null
  let highest = scale.high
  for (const [i, step] of raw.step.entries()) {
    const value = raw.max[i] ?? null
    if (value === null || value <= scale.high || step < view.from || step > view.to) continue
    first ??= step
    highest = Math.max(highest, value)
  }
  return first === null ? null : { step: first, value: highest }
}

type Expected = { readonly value: number; readonly low: number; readonly high: number }

/** The forecast of the final loss that held at a step; null = there was none. */
function expectedAt(view: RunView, step: number): Expected | null {
  const read = (signal: string) => valueAt(columnsOf(view, signal), step)
  const [value, low, high] = [read('forecastLoss'), read('forecastLossLow'), read('forecastLossHigh')]
  return value === null || low === null || high === null ? null : { value, low, high }
}

/** The final loss that is expected now, at the end of the run. */
function expectedEnd(view: RunView): Mark | null {
  const { run } = view
  const step = endStepOf(run)
  if (step === null || run.state === 'finished' || run.state === 'diverged') return null
  const expected = expectedAt(view, run.step)
  if (expected === null) return null
  return { kind: 'end', step, ...expected, text: `expected ${formatWithin(expected)}` }
}

/** What was expected of the end at each probe, with its 95 % interval: it narrows as the end comes nearer. */
function forecastMarks(view: RunView): Mark[] {
  const [low, high] = [columnsOf(view, 'forecastLossLow'), columnsOf(view, 'forecastLossHigh')]
  if (low === undefined || high === undefined || !hasValues(low)) return []
  return [
    { kind: 'band', step: low.step, low: low.last, high: high.last, color: 'ink-3', alpha: 0.24 },
    { kind: 'line', points: pointsOf(view, 'forecastLoss'), color: 'ink-2', width: 1.2, dash: [4, 3] },
  ]
}

function lossHead(view: RunView, step: number): HeadItem[] {
  const items: HeadItem[] = []
  const smoothed = valueAt(columnsOf(view, 'lossSmoothed'), step)
  if (smoothed !== null) items.push({ label: 'smoothed', value: formatNumber(smoothed), key: 'large' })
  const averaged = valueAt(columnsOf(view, 'averagedLoss'), step)
  if (averaged !== null)
    items.push({ label: 'averaged', more: 'weights, held-out', value: formatNumber(averaged), key: 'anneal' })
  const expected = expectedAt(view, step)
  if (expected !== null)
    items.push({
      label: 'end',
      more: 'expected',
      value: formatNumber(expected.value),
      key: 'dashed',
      secondary: true,
    })
  if (hasValues(columnsOf(view, 'loss'))) items.push({ label: 'raw', value: '', key: 'raw', secondary: true })
  return items
}

function lossSentence(view: RunView): string {
  const smoothed = columnsOf(view, 'lossSmoothed')
  const now = valueAt(smoothed, view.to) ?? valueAt(columnsOf(view, 'loss'), view.to)
  if (now === null) return 'Loss: no samples yet.'
  const before = valueAt(smoothed, view.run.step - 0.1 * (view.run.step - view.first))
  const trend =
    before === null ? '' : now < before * 0.995 ? ', falling' : now > before * 1.005 ? ', rising' : ', level'
  const averaged = valueAt(columnsOf(view, 'averagedLoss'), view.to)
  const expected = expectedAt(view, view.to)
  const end = expected === null ? '' : `; expected at the end ${formatWithin(expected)}`
  return `Loss ${formatNumber(now)}${trend}${averaged === null ? '' : `; averaged weights ${formatNumber(averaged)}`}${end}.`
}
