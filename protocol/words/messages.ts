// What the server says of runs and takes from jobs: summaries, series, problems, telemetry and the live events.

import type { Decision, RegimeReading } from './decisions.ts'
import type { Mode, Phase, RunState } from './lists.ts'
import type { Probe, RunOptions, SampleColumns } from './observations.ts'
import type { Acknowledgement, Action, Plan } from './plan.ts'

/** A stretch of the run in one phase; `toStep` null = still in it. */
export type PhaseSpan = { readonly phase: Phase; readonly fromStep: number; readonly toStep: number | null }

/** What the run list and the head of the run page show. Made by the server from the tuner's state. */
export type RunSummary = {
  readonly id: string
  readonly options: RunOptions
  readonly state: RunState
  readonly mode: Mode
  readonly phase: Phase
  readonly regime: RegimeReading
  /** Steps reported so far (the next step's number). */
  readonly step: number
  readonly budgetSteps: number | null
  /** The sentence: what, where, why, what next. */
  readonly headline: string
  readonly loss: number | null
  readonly learningRate: number | null
  readonly largeLearningRate: number | null
  readonly switchStep: number | null
  readonly plan: Plan
  readonly phases: readonly PhaseSpan[]
  readonly override: {
    readonly learningRate: number
    readonly untilStep: number
    readonly reason: string
  } | null
  readonly decisionCount: number
  /** Number of the decision that awaits approval; null = none does. */
  readonly awaitingDecision: number | null
  /** Shares of the run's time in [0, 1]; null while unknown. */
  readonly signalShare: number | null
  readonly probeShare: number | null
  readonly stepsPerSecond: number | null
  /** Up to 40 smoothed losses over the run, oldest first, for the list's small curve. */
  readonly spark: readonly number[]
  readonly badSamples: { readonly nonFinite: number; readonly outOfOrder: number; readonly repeated: number }
  readonly createdAt: string
  readonly lastSeenAt: string
}

/** One signal over a range of steps, one entry per bucket of steps that holds samples. */
export type SeriesColumns = {
  /** First step of the bucket. */
  readonly step: readonly number[]
  readonly first: readonly (number | null)[]
  readonly min: readonly (number | null)[]
  readonly max: readonly (number | null)[]
  readonly last: readonly (number | null)[]
  /** Finite samples in the bucket. */
  readonly count: readonly number[]
  /** NaN and infinite samples in the bucket. */
  readonly nonFinite: readonly number[]
}

export type Series = {
  readonly runId: string
  readonly fromStep: number
  readonly toStep: number
  /** Samples stored in the range, and how many entries are shown for them. */
  readonly stored: number
  readonly shown: number
  readonly signals: Readonly<Record<string, SeriesColumns>>
}

/** RFC 9457 problem details; `code` is from the list in server/errors.ts. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
  readonly requestId?: string
}

/** The answer to a telemetry batch. */
export type TelemetryAnswer = {
  readonly accepted: number
  readonly duplicate: boolean
  readonly nextSequence: number
  readonly phase: Phase
  readonly regime: RegimeReading
  readonly plan: Plan
  readonly actions: readonly Action[]
  /** The newest decision, if this batch made one. */
  readonly decision?: Decision
}

/** One telemetry batch as parsed from the wire. */
export type Telemetry = {
  readonly clientId: string
  /** 1, 2, 3, … per client of the run. */
  readonly sequence: number
  readonly steps?: SampleColumns
  readonly probes?: readonly Probe[]
  readonly acknowledgements?: readonly Acknowledgement[]
}

/** socket.io, namespace /live: what the browser sends (each acknowledged) … */
export type SubscribeRequest = {
  readonly runId: string
  /** Decisions after this number are sent; 0 = all. */
  readonly afterDecision: number
  /** Samples from this step on; 0 = all. */
  readonly afterStep: number
  /** Buckets per series, 50 to 4,000. */
  readonly points: number
}
export type SubscribeAnswer =
  | {
      readonly ok: true
      readonly run: RunSummary
      readonly decisions: readonly Decision[]
      readonly series: Series
    }
  | { readonly ok: false; readonly problem: Problem }

/** … and what the server sends. */
export type LiveSamples = { readonly runId: string; readonly thinned: boolean; readonly series: Series }
export type ServerEvents = {
  decision: (message: { runId: string; decision: Decision }) => void
  samples: (message: LiveSamples) => void
  run: (message: { run: RunSummary }) => void
  removed: (message: { runId: string }) => void
  problem: (message: Problem) => void
}
export type ClientEvents = {
  subscribe: (request: SubscribeRequest, answer: (answer: SubscribeAnswer) => void) => void
  unsubscribe: (request: { runId: string }) => void
  'subscribe-runs': (
    request: Record<string, never>,
    answer: (answer: { runs: readonly RunSummary[] }) => void,
  ) => void
}
