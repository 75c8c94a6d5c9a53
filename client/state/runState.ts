// What the run page knows: the summary, all decisions, the series of the whole run and of the zoomed range.
// It is a value; each message gives the next one. Decisions are kept in order without gaps or doubles, and
// the series stay bounded: `tooLong` says when the server is to be asked for a thinned one.

import type { Decision, Problem, RunSummary } from '../../protocol/vocabulary.ts'
import { entriesMax, longestSignal, mergeSeries, type Series, seriesWhere } from './series.ts'

export type RunState = {
  readonly runId: string
  readonly run: RunSummary | null
  readonly decisions: readonly Decision[]
  /** Decisions up to this number are on their way; 0 = none are. */
  readonly awaitedUpTo: number
  readonly series: Series
  readonly zoomed: Series | null
  /** All signals of the run, as far as the server has told them. */
  readonly signalNames: readonly string[]
  readonly problem: Problem | null
  readonly removed: boolean
  /** Whether the first answer has come. */
  readonly loaded: boolean
}

export function emptySeries(runId: string): Series {
  return { runId, fromStep: 0, toStep: 0, stored: 0, shown: 0, signals: {} }
}

export function emptyRunState(runId: string): RunState {
  return {
    runId,
    run: null,
    decisions: [],
    awaitedUpTo: 0,
    series: emptySeries(runId),
    zoomed: null,
    signalNames: [],
    problem: null,
    removed: false,
    loaded: false,
  }
}

/** Decisions by number, each once; a repeated number takes the newer record (its status may have changed). */
export function mergeDecisions(have: readonly Decision[], more: readonly Decision[]): readonly Decision[] {
  if (more.length === 0) return have
  const last = have.at(-1)?.number ?? 0
  const inOrder = more.every((decision, i) => decision.number > (i === 0 ? last : more[i - 1]!.number))
  if (inOrder) return have.concat(more)
  const byNumber = new Map<number, Decision>()
  for (const decision of [...have, ...more]) byNumber.set(decision.number, decision)
  return [...byNumber.values()].sort((a, b) => a.number - b.number)
}

/** The highest number up to which no decision is missing, but for those on their way: from there the server is asked to go on. */
export function knownUpTo({ decisions, awaitedUpTo }: Pick<RunState, 'decisions' | 'awaitedUpTo'>): number {
  let known = awaitedUpTo
  for (const { number } of decisions) {
    if (number <= known) continue
    if (number !== known + 1) break
    known = number
  }
  return known
}

export function withSeries(state: RunState, more: Series): RunState {
  const series = mergeSeries(state.series, more)
  const zoomed = state.zoomed === null ? null : mergeSeries(state.zoomed, within(more, state.zoomed))
  return { ...state, series, zoomed }
}

/** The part of a series inside the range of another. */
function within(more: Series, { fromStep, toStep }: Series): Series {
  return { ...seriesWhere(more, (step) => step >= fromStep && step <= toStep), fromStep, toStep }
}

/** Whether a signal has grown beyond what the page keeps. */
export function tooLong(state: RunState): boolean {
  return (
    longestSignal(state.series) > entriesMax ||
    (state.zoomed !== null && longestSignal(state.zoomed) > entriesMax)
  )
}
