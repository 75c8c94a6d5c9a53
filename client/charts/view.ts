// Small readings of a `RunView` that several charts share: points of a signal, the part after warm-up, the
// rows of a chart's table.

import type { Decision, RunSummary, Segment } from '../../protocol/vocabulary.ts'
import type { GhostCurve } from '../state/ghost.ts'
import {
  type Columns,
  type Gap,
  gapsOf,
  indexAt,
  type Series,
  seriesWhere,
  valueAt,
} from '../state/series.ts'
import { formatKnown } from '../views/format.ts'
import { firstStepOf, lastStepOf, stretchesOf } from './phases.ts'
import { smoothed, smoothingSource, usualWindow } from './smooth.ts'
import type { LossFit, Points, RunView, TableColumn } from './spec.ts'

/** Rows of a chart's table besides its decisions. */
export const tableRowsMax = 50

/** What a view is made from; `zoom` null = the whole run. */
export type ViewSource = {
  readonly run: RunSummary
  readonly decisions: readonly Decision[]
  readonly series: Series
  readonly zoom: { readonly from: number; readonly to: number } | null
  readonly lossFit: LossFit
  readonly ghost?: readonly Segment[] | null
  readonly others?: readonly GhostCurve[]
  /** Steps to each side; null = as many as suit what is shown. */
  readonly smooth?: number | null
}

export function viewOf(source: ViewSource): RunView {
  const { run, decisions, zoom, lossFit, ghost = null, others = [] } = source
  // What was reported beyond the run's own step was left out as too far ahead: it is counted, and not drawn.
  const series = seriesWhere(source.series, (step) => step <= run.step)
  // A job that did not tell where its counter begins is known by its first sample.
  const first = Math.max(firstStepOf(run), zoom === null ? (series.signals.loss?.step[0] ?? 0) : 0)
  const whole = { from: first, to: lastStepOf(run) }
  const gaps = gapsOf(series.signals.loss)
  const shown = zoom ?? whole
  const smoothSteps = source.smooth ?? usualWindow(shown.to - shown.from)
  return {
    run,
    decisions,
    series,
    gaps,
    stretches: stretchesOf(run),
    first,
    from: zoom?.from ?? whole.from,
    to: zoom?.to ?? whole.to,
    lossFit,
    ghost,
    others,
    whole,
    smoothSteps,
    smoothedLoss: smoothedLossOf(series, smoothSteps, gaps),
  }
}

type Smoothed = { readonly steps: number; readonly ofServer: Columns | undefined; readonly points: Points }
/** What was smoothed last of each column: while the charts are moved it stays the same. */
const smoothedBefore = new WeakMap<Columns, Smoothed>()

/** Also where a job reports so seldom that the page has the server's smoothed course alone. */
function smoothedLossOf({ signals }: Series, steps: number, gaps: readonly Gap[]): Points {
  const { loss, lossSmoothed: ofServer } = signals
  const columns = loss ?? ofServer
  if (columns === undefined) return { step: [], value: [] }
  const before = smoothedBefore.get(columns)
  if (before?.steps === steps && before.ofServer === ofServer) return before.points
  const points = smoothed(smoothingSource(columns, ofServer, steps), steps, gaps)
  smoothedBefore.set(columns, { steps, ofServer, points })
  return points
}

export function columnsOf(view: RunView, signal: string): Columns | undefined {
  return view.series.signals[signal]
}

/**
 * A signal as a line: the last value of each bucket at the bucket's first step. Buckets without any sample of
 * it are left out; one that holds only NaN stays, and breaks the line.
 */
export function pointsOf(view: RunView, signal: string): Points {
  const columns = columnsOf(view, signal)
  if (columns === undefined) return { step: [], value: [] }
  const sampled = (i: number) => (columns.count[i] ?? 0) + (columns.nonFinite[i] ?? 0) > 0
  if (columns.step.every((_, i) => sampled(i))) return { step: columns.step, value: columns.last }
  return {
    step: columns.step.filter((_, i) => sampled(i)),
    value: columns.last.filter((_, i) => sampled(i)),
  }
}

/** The value of a line at a step: that of its newest point with a value at or before it; null = none. */
export function pointAt({ step, value }: Points, at: number): number | null {
  for (let i = indexAt(step, at); i >= 0; i--) if (value[i] != null) return value[i] as number
  return null
}

/** The points of a line inside the window. */
export function pointsWithin({ step, value }: Points, { from, to }: RunView): Points {
  const [start, end] = [indexAt(step, from - 1) + 1, indexAt(step, to) + 1]
  return { step: step.slice(start, end), value: value.slice(start, end) }
}

/** A column of a chart's table: the value that held at the row's step. */
export function tableColumn(
  title: string,
  value: (step: number) => number | null,
  format?: (value: number) => string,
): TableColumn {
  return { title, value, at: (step) => formatKnown(value(step), format) }
}

/** The table's column of one signal. */
export const signalColumn = (
  view: RunView,
  signal: string,
  title: string,
  format?: (value: number) => string,
): TableColumn => tableColumn(title, (step) => valueAt(columnsOf(view, signal), step), format)

/** Whether a signal has any value at all. */
export function hasValues(columns: Columns | undefined): columns is Columns {
  return columns?.last.some((value) => value !== null) ?? false
}

/** Values of a column from a step on, inside the window. */
export function valuesFrom(
  columns: Columns | undefined,
  name: 'min' | 'max' | 'last',
  view: RunView,
  fromStep: number,
): readonly (number | null)[] {
  if (columns === undefined) return []
  const start = indexAt(columns.step, Math.max(fromStep, view.from) - 1) + 1
  return columns[name].slice(start, indexAt(columns.step, view.to) + 1)
}

/** Every bucket of the window, for a file. */
export const fileStepsOf = (view: RunView, columns: Columns | undefined): number[] =>
  (columns?.step ?? []).filter((step) => step >= view.from && step <= view.to)

/** Steps of the table: every decision in the window, then evenly chosen buckets, in order and without repeats. */
export function tableStepsOf(view: RunView, columns: Columns | undefined): number[] {
  const steps = new Set<number>()
  for (const decision of view.decisions)
    if (decision.kind !== 'hold' && decision.step >= view.from && decision.step <= view.to)
      steps.add(decision.step)
  const inside = (columns?.step ?? []).filter((step) => step >= view.from && step <= view.to)
  const every = Math.max(1, Math.ceil(inside.length / tableRowsMax))
  for (let i = inside.length - 1; i >= 0; i -= every) steps.add(inside[i]!)
  return [...steps].sort((a, b) => a - b)
}
