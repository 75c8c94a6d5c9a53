// Small readings of a `RunView` that several charts share: points of a signal, the part after warm-up, the
// rows of a chart's table.

import type { Decision, Evidence, RunSummary, Segment } from '../../protocol/vocabulary.ts'
import { type Columns, gapsOf, indexAt, type Series, seriesWhere } from '../state/series.ts'
import { firstStepOf, lastStepOf, stretchesOf } from './phases.ts'
import type { LossFit, Points, RunView } from './spec.ts'

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
}

export function viewOf(source: ViewSource): RunView {
  const { run, decisions, zoom, lossFit, ghost = null } = source
  // What was reported beyond the run's own step was left out as too far ahead: it is counted, and not drawn.
  const series = seriesWhere(source.series, (step) => step <= run.step)
  // A job that did not tell where its counter begins is known by its first sample.
  const first = Math.max(firstStepOf(run), zoom === null ? (series.signals.loss?.step[0] ?? 0) : 0)
  return {
    run,
    decisions,
    series,
    gaps: gapsOf(series.signals.loss),
    stretches: stretchesOf(run),
    first,
    from: zoom?.from ?? first,
    to: zoom?.to ?? lastStepOf(run),
    lossFit,
    ghost,
  }
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

/** The newest decision at or before a step that carries this signal as evidence. */
export function evidenceAt(view: RunView, signal: string, step: number): Evidence | undefined {
  for (let i = view.decisions.length - 1; i >= 0; i--) {
    const decision = view.decisions[i] as Decision
    if (decision.step > step) continue
    const found = decision.evidence.find((entry) => entry.signal === signal)
    if (found !== undefined) return found
  }
  return undefined
}

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
