// Loss: raw samples as the span of each bucket, the smoothed loss, and the loss of the averaged weights. The
// distance between the last two is what annealing can remove. By default the scale fits what is usual of the smoothed
// line in view (scale.ts), since the start of a run would flatten everything else; what is cut says how high it went.
// What is expected of the end lies behind it: along the past as it was told, ahead as a band that opens to the end.

import { formatNumber, formatPlural, formatStep } from '../../protocol/numbers.ts'
import { valueAt } from '../state/series.ts'
import { formatWithin } from '../views/format.ts'
import { isUnapplied, restoredStep } from '../views/words.ts'
import { elapsedOf, endStepOf } from './phases.ts'
import { extremesOf, fittedRange, linearScale, logScale, quantileOf, type Scale } from './scale.ts'
import type { ChartSpec, HeadItem, Mark, RunView } from './spec.ts'
import {
  columnsOf,
  fileStepsOf,
  hasValues,
  pointAt,
  pointsOf,
  pointsWithin,
  signalColumn,
  tableColumn,
  tableStepsOf,
  valuesFrom,
} from './view.ts'

const tickCountMax = 6
/** Share of the range that the interval of the end may add below it. */
const expectedRoom = 0.3

export function lossChart(view: RunView): ChartSpec {
  const raw = columnsOf(view, 'loss')
  const scale = lossScale(view)
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
    fileSteps: fileStepsOf(view, raw),
    columns: [
      signalColumn(view, 'loss', 'raw, last'),
      tableColumn('smoothed', (step) => pointAt(view.smoothedLoss, step)),
      signalColumn(view, 'averagedLoss', 'averaged weights, held-out'),
      signalColumn(view, 'forecastLoss', 'final loss expected'),
      signalColumn(view, 'forecastLossLow', '95 % from'),
      signalColumn(view, 'forecastLossHigh', '95 % to'),
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
  const [min, max] = [valuesFrom(raw, 'min', view, 0), valuesFrom(raw, 'max', view, 0)]
  const line = pointsWithin(view.smoothedLoss, view).value
  const averaged = valuesFrom(columnsOf(view, 'averagedLoss'), 'last', view, 0)
  const all = extremesOf(min, max, line, averaged)
  if (all === null) return linearScale(0, 1, tickCountMax)
  if (view.lossFit === 'log')
    return logScale(extremesOf(min.filter((v) => v !== null && v > 0))?.[0] ?? 0, all[1], 6)
  if (view.lossFit === 'all') return linearScale(all[0], all[1], tickCountMax)
  const [smooth, held] = [fittedRange(line) ?? all, fittedRange(averaged)]
  const newest = line.findLast((value) => value !== null) ?? smooth[0]
  const usualHigh = Math.max(smooth[1], held?.[1] ?? smooth[1], newest)
  const high = Math.min(usualHigh + usuallyAbove(view, usualHigh), Math.max(all[1], usualHigh))
  const low = Math.min(quantileOf(min, 0.005) ?? all[0], smooth[0], held?.[0] ?? all[0])
  // What is expected of the end belongs into view, but an interval that says little may not flatten what was measured.
  const end = expectedAt(view, view.to)
  const expected =
    end === null ? low : Math.min(end.value, Math.max(end.low, low - expectedRoom * (high - low)))
  return linearScale(Math.min(low, expected), high, tickCountMax)
}

/** How far the samples lie above the smoothed line, but for the highest few, where the line is in view. */
function usuallyAbove(view: RunView, high: number): number {
  const raw = columnsOf(view, 'loss')
  const distances = (raw?.step ?? []).flatMap((step, i) => {
    const line = step < view.from || step > view.to ? null : pointAt(view.smoothedLoss, step)
    const most = raw!.max[i]
    return line === null || line > high || most == null ? [] : [most - line]
  })
  return Math.max(0, quantileOf(distances, 0.985) ?? 0)
}

function lossMarks(view: RunView, scale: Scale): Mark[] {
  const marks: Mark[] = [...forecastMarks(view), ...fanMarks(view)]
  const raw = columnsOf(view, 'loss')
  if (raw !== undefined)
    marks.push({ kind: 'spikes', step: raw.step, min: raw.min, max: raw.max, color: 'large', alpha: 0.26 })
  if (view.smoothSteps > 0) marks.push({ kind: 'line', points: view.smoothedLoss, color: 'large', width: 2 })
  marks.push({
    kind: 'line',
    points: pointsOf(view, 'averagedLoss'),
    color: 'anneal',
    width: 1.8,
    dots: 2.4,
    rim: true,
  })
  if (raw === undefined) return [...marks, ...backMarks(view)]
  for (let i = 0; i < raw.step.length; i++) {
    const count = raw.nonFinite[i] ?? 0
    if (count > 0) marks.push({ kind: 'cross', step: raw.step[i]!, count })
  }
  const cut = highestCut(view, scale)
  if (cut !== null) marks.push({ kind: 'cut', step: cut.step, text: `up to ${formatNumber(cut.value)}` })
  const end = expectedEnd(view)
  if (end !== null) marks.push(end)
  return [...marks, ...backMarks(view)]
}

/** Where the run went back to earlier weights. */
const backMarks = ({ decisions }: RunView): Mark[] =>
  decisions.flatMap((decision, i) => {
    const toStep = restoredStep(decision)
    const isRefused = decisions[i + 1]?.reason.key.endsWith('not-restored') ?? false
    if (toStep === null || isRefused || isUnapplied(decision) || toStep >= decision.step) return []
    const text = `weights of step ${formatStep(toStep)}`
    return [{ kind: 'back', step: decision.step, toStep, text }]
  })

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

/** The final loss that is expected now, at the end of the run; after it what was promised, beside what was reached. */
function expectedEnd(view: RunView): Mark | null {
  const { run } = view
  const kept = run.forecast
  if (run.state === 'finished' && kept?.reached != null) {
    const { value, low, high, reached } = kept
    const text = `promised ${formatWithin({ value, low, high })}, reached ${formatNumber(reached)}`
    const short = `reached ${formatNumber(reached)}`
    return { kind: 'end', step: run.step, value, low, high, reached, text, short }
  }
  const step = endStepOf(run)
  if (step === null || run.state === 'finished' || run.state === 'diverged') return null
  const expected = expectedAt(view, run.step)
  if (expected === null) return null
  const short = `expected ${formatNumber(expected.value)}`
  return { kind: 'end', step, ...expected, text: `expected ${formatWithin(expected)}`, short }
}

/** From the present loss to where the end is expected: the 95 % interval opens towards the end. */
function fanMarks(view: RunView): Mark[] {
  const { run } = view
  const end = expectedEnd(view)
  const now = valueAt(columnsOf(view, 'averagedLoss'), run.step) ?? pointAt(view.smoothedLoss, run.step)
  if (end?.kind !== 'end' || end.reached !== undefined || now === null || end.step <= run.step) return []
  const step = [run.step, end.step]
  return [
    { kind: 'band', step, low: [now, end.low], high: [now, end.high], color: 'anneal', alpha: 0.16 },
    {
      kind: 'line',
      points: { step, value: [now, end.value] },
      color: 'anneal',
      width: 1.4,
      dash: [4, 3],
    },
  ]
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
  const smoothed = view.smoothSteps > 0 ? pointAt(view.smoothedLoss, step) : null
  if (smoothed !== null)
    items.push({
      label: 'smoothed',
      more: `± ${formatPlural(view.smoothSteps, 'step')}`,
      value: formatNumber(smoothed),
      key: 'large',
    })
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
  const now = pointAt(view.smoothedLoss, view.to) ?? valueAt(columnsOf(view, 'loss'), view.to)
  if (now === null) return 'Loss: no samples yet.'
  const before = pointAt(view.smoothedLoss, view.run.step - 0.1 * (view.run.step - view.first))
  const trend =
    before === null ? '' : now < before * 0.995 ? ', falling' : now > before * 1.005 ? ', rising' : ', level'
  const averaged = valueAt(columnsOf(view, 'averagedLoss'), view.to)
  const expected = expectedAt(view, view.to)
  const promised = expectedEnd(view)
  const end =
    promised?.kind === 'end' && promised.reached !== undefined
      ? `; ${promised.text}`
      : expected === null
        ? ''
        : `; expected at the end ${formatWithin(expected)}`
  return `Loss ${formatNumber(now)}${trend}${averaged === null ? '' : `; averaged weights ${formatNumber(averaged)}`}${end}.`
}
