// What the study of forecasts is made from: of each run the probes that were made of it, as the tuner folded them, and the
// loss that it ended at. One line of JSON a run; all predictors and intervals are computed from these lines.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A valley probe as the signals hold it: S, and held-out losses of present and averaged weights. */
export type ProbeRow = {
  readonly step: number
  readonly runLength: number
  readonly raw: number
  readonly averaged: number
  readonly phase: 'large' | 'anneal'
}

/** Loss after an anneal to the end of the budget from that step on, of a run that went on without it. */
export type AnnealedFrom = { readonly step: number; readonly loss: number }

/** Both sides of the rule at the last probe before a checkpoint, less each other, in their standard errors. */
export type Verdict = { readonly step: number; readonly deviations: number }

export type ForecastRow = {
  /** `built-in` and `development`: constants may be chosen on them; `judging`: looked at last. */
  readonly set: 'built-in' | 'development' | 'judging'
  readonly task: string
  /** Which of the task's runs: rate, seed, length. */
  readonly run: string
  readonly origin: number
  readonly end: number
  readonly probes: readonly ProbeRow[]
  /** Of a steered run: its anneal, why it began, what was promised then, and the loss of the weights that it kept, on the examples of
   *  the probes. */
  readonly steered: {
    readonly switchStep: number
    readonly toStep: number
    readonly reason: string
    /** By the engine that steered it; null = nothing was, or it was today's. */
    readonly promised: { readonly value: number; readonly standardError: number | null } | null
    readonly reached: number
  } | null
  /** Of a run at a constant rate. */
  readonly forked: {
    readonly anneals: readonly AnnealedFrom[]
    /** At the end, without an anneal. */
    readonly never: number | null
    /** What the rule said at the last probe before each checkpoint. */
    readonly verdicts: readonly Verdict[]
  } | null
}

export function readRows(file: string): ForecastRow[] {
  const bytes = readFileSync(file)
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ForecastRow)
}
