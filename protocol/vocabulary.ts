// The words that all programs share, as types and as closed lists. It imports nothing, so that the tuner
// (no Node, no DOM), the server, the page and the trainer can all speak them. Numbers here are already
// parsed: a NaN that travels as the string "NaN" (see schemas.ts) is the number NaN in these types.
// Where a number may be missing, it is null: 0 never stands for "not known".

declare const runIdBrand: unique symbol
/** Identifies a run: 1 to 128 characters of [A-Za-z0-9._-]. */
export type RunId = string & { readonly [runIdBrand]: true }

/** What the tuner is doing. */
export const phases = ['warmup', 'large', 'anneal', 'done'] as const
export type Phase = (typeof phases)[number]

/** The measured condition of the run. */
export const regimeNames = ['large-step', 'small-step', 'unstable', 'unknown'] as const
export type RegimeName = (typeof regimeNames)[number]

/** How far decisions reach: `auto` changes the plan, `advisory` only says so, `approve` waits for a person, `off` records signals only. */
export const modes = ['auto', 'advisory', 'approve', 'off'] as const
export type Mode = (typeof modes)[number]

export const capabilities = [
  'checkpoint',
  'microBatchNorms',
  'heldOutLoss',
  'averagedWeights',
  'lineProbe',
  'fork',
  'momentum',
] as const
/** What a training job can do for the tuner; only what is offered is asked for. */
export type Capability = (typeof capabilities)[number]

/** The state of a run as people see it. `stale` means no telemetry for a while: never "crashed", we cannot know. */
export const runStates = ['running', 'paused', 'waiting', 'stale', 'diverged', 'finished'] as const
export type RunState = (typeof runStates)[number]

export const decisionKinds = [
  'start',
  'hold',
  'raise',
  'lower',
  'switch',
  'undo',
  'guard',
  'override',
  'hand-back',
  'finish',
] as const
export type DecisionKind = (typeof decisionKinds)[number]

export const decisionStatuses = [
  'applied',
  'awaiting-approval',
  'approved',
  'rejected',
  'expired',
  'superseded',
  'advisory',
] as const
export type DecisionStatus = (typeof decisionStatuses)[number]

// ---------------------------------------------------------------------------------------------- the plan

export const segmentShapes = ['constant', 'linear', 'cosine', 'oneMinusSqrt', 'exponential'] as const
export type SegmentShape = (typeof segmentShapes)[number]

/** The rate over steps fromStep ≤ step < toStep. `from` and `to` are learning rates (≥ 0; > 0 for `exponential`). */
export type Segment = {
  readonly fromStep: number
  readonly toStep: number
  readonly shape: SegmentShape
  readonly from: number
  readonly to: number
  /** Momentum coefficient in [0, 1) during the segment; absent or null = the job's own. */
  readonly momentum?: number | null
  /** The phase that the segment belongs to, for the page's colours. */
  readonly phase?: Phase
}

/** Obeyed by the client alone between two answers: beyond a limit it takes `thenLearningRate` and reports at once. */
export type Tripwire = {
  /** A smoothed training loss above this trips; non-finite loss at 5 steps in a row always trips. */
  readonly lossAbove: number | null
  /** Euclidean norm (not squared) of the full batch gradient above which the wire trips. */
  readonly gradientNormAbove: number | null
  readonly thenLearningRate: number
}

/** How often the job measures, in steps; null = not asked for. */
export type Cadence = {
  /** Length of an averaging block: the device keeps one mean of the weights per block. */
  readonly blockSteps: number
  readonly valleySteps: number | null
  readonly lineSteps: number | null
  readonly microBatchSteps: number | null
}

/** The learning rate ahead. Any client evaluates it by itself, so a lost server never stalls a job. */
export type Plan = {
  /** Grows by one with each change. */
  readonly version: number
  /** In order, without gaps; after the last one its `to` holds. */
  readonly segments: readonly Segment[]
  readonly tripwire?: Tripwire | null
  readonly cadence?: Cadence | null
  /** A client that can afford it waits here (before this step) for an answer, for a bounded time; null = never. */
  readonly awaitAtStep?: number | null
}

// ---------------------------------------------------------------------------------------------- actions

/** What the training side is asked to do before step `atStep` is taken (at once, if that step is past). */
export type Action =
  | {
      readonly id: string
      readonly kind: 'checkpoint'
      readonly atStep: number
      readonly checkpoint: string
      /** The mean over the longest window of averaged weights in place of the present ones; absent = the present ones. */
      readonly weights?: 'averaged'
    }
  | {
      readonly id: string
      readonly kind: 'restore'
      readonly atStep: number
      readonly checkpoint: string
      /** true: the data order and the random state go back as well, so the same batches come again. */
      readonly rewindData: boolean
      /** Batches to leave out after the restore (a bad batch may be what diverged). */
      readonly skipBatches: number
    }
  | { readonly id: string; readonly kind: 'drop'; readonly atStep: number; readonly checkpoint: string }
  | {
      readonly id: string
      readonly kind: 'probe'
      readonly atStep: number
      readonly probe: 'valley' | 'line'
    }
  | { readonly id: string; readonly kind: 'pause'; readonly atStep: number }
  | { readonly id: string; readonly kind: 'resume'; readonly atStep: number }
  | {
      readonly id: string
      readonly kind: 'finish'
      readonly atStep: number
      /** A named checkpoint, the last weights, or the averaged weights of the last block. */
      readonly keep: 'last' | 'averaged' | { readonly checkpoint: string }
    }
export const actionKinds = ['checkpoint', 'restore', 'drop', 'probe', 'pause', 'resume', 'finish'] as const

export type Acknowledgement = {
  readonly actionId: string
  readonly status: 'done' | 'failed' | 'unsupported'
  readonly step: number
  readonly detail: string
}

// ------------------------------------------------------------------------------------------ observations

/**
 * Samples in columns of one length; a column that is absent is unknown throughout. Units: `loss` in nats (or
 * the task's own), squared Euclidean norms of the gradient before clipping, `gradientDotUpdate` = ⟨g, u⟩ with
 * Δw = −η·u, `stepSeconds` and `signalSeconds` in seconds of wall time (the second is the share of the step
 * spent on measuring signals).
 */
export type SampleColumns = {
  readonly step: readonly number[]
  readonly loss?: readonly (number | null)[]
  readonly learningRate?: readonly (number | null)[]
  readonly momentum?: readonly (number | null)[]
  readonly gradientNormSquared?: readonly (number | null)[]
  readonly microGradientNormSquared?: readonly (number | null)[]
  readonly batchSize?: readonly (number | null)[]
  readonly microBatchSize?: readonly (number | null)[]
  readonly gradientDotUpdate?: readonly (number | null)[]
  readonly updateNormSquared?: readonly (number | null)[]
  readonly weightNormSquared?: readonly (number | null)[]
  readonly preconditionedGradientNormSquared?: readonly (number | null)[]
  readonly preconditionedMicroGradientNormSquared?: readonly (number | null)[]
  readonly clipped?: readonly (number | null)[]
  readonly skipped?: readonly (number | null)[]
  readonly stepSeconds?: readonly (number | null)[]
  readonly signalSeconds?: readonly (number | null)[]
  readonly metrics?: Readonly<Record<string, readonly (number | null)[]>>
}

/** The numeric columns of `SampleColumns` besides `step` and `metrics`, in the order in which they are stored. */
export const sampleColumnNames = [
  'loss',
  'learningRate',
  'momentum',
  'gradientNormSquared',
  'microGradientNormSquared',
  'batchSize',
  'microBatchSize',
  'gradientDotUpdate',
  'updateNormSquared',
  'weightNormSquared',
  'preconditionedGradientNormSquared',
  'preconditionedMicroGradientNormSquared',
  'clipped',
  'skipped',
  'stepSeconds',
  'signalSeconds',
] as const
export type SampleColumnName = (typeof sampleColumnNames)[number]

/** Loss (mean over the probe's examples) and accuracy in [0, 1] of the present weights or of averaged ones. */
export type ProbeScore = {
  readonly loss: number
  readonly accuracy?: number | null
  /**
   * Mean losses of fixed, equal parts of the probe's examples, the same parts in the same order at every probe: so
   * two probes can be compared example by example, without the scatter between examples that they share.
   */
  readonly lossByPart?: readonly number[]
}

export type ValleyProbe = {
  readonly kind: 'valley'
  /** The number of steps taken so far: measured before step `step`. */
  readonly step: number
  readonly set: 'held-out' | 'train'
  readonly examples: number
  readonly seconds: number
  readonly raw: ProbeScore
  /** One entry per window of averaged weights, shortest first; the windows end at `step`. */
  readonly averaged: readonly (ProbeScore & { readonly windowSteps: number })[]
}

export type LineProbe = {
  readonly kind: 'line'
  readonly step: number
  readonly seconds: number
  /** η_c: the smallest step along −u that raises the loss; null = not found in the range tried. */
  readonly criticalLearningRate: number | null
  /** h along u: second difference of the loss over ε² (u as it is, not normalised). */
  readonly curvature: number | null
  /** h_n: curvature along the difference of two independent micro-batch gradients, per squared norm. */
  readonly noiseCurvature?: number | null
  readonly examples?: number
}

export type ForkProbe = {
  readonly kind: 'fork'
  readonly step: number
  readonly seconds: number
  readonly learningRate: number
  readonly stepCount: number
  readonly raw: ProbeScore
}

export type Probe = ValleyProbe | LineProbe | ForkProbe
export const probeKinds = ['valley', 'line', 'fork'] as const

export type OptimizerInfo = {
  readonly name: string
  /** Momentum coefficient in [0, 1): of SGD, or β₁ of Adam. */
  readonly momentum?: number | null
}

/** What is fixed (or first known) about a run when it starts. */
export type RunOptions = {
  readonly name: string
  readonly project: string
  readonly tags: readonly string[]
  readonly framework: string
  readonly optimizer: OptimizerInfo
  /** Number of optimizer steps the run may take; null = until the tuner ends it. */
  readonly budgetSteps: number | null
  readonly mode: Mode
  readonly capabilities: readonly Capability[]
  /** `initial` null = let the tuner find it. Bounds of every rate that the tuner may set. */
  readonly learningRate: {
    readonly initial: number | null
    readonly min: number | null
    readonly max: number | null
  }
  /** The job's own facts, shown and kept, never interpreted. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>
}

export type Command =
  | {
      readonly kind: 'pause' | 'resume' | 'switch-now' | 'undo-switch' | 'finish'
      readonly reason: string
      readonly by: string
    }
  | {
      readonly kind: 'override'
      readonly learningRate: number
      readonly untilStep: number
      readonly reason: string
      readonly by: string
    }
  | { readonly kind: 'hand-back'; readonly reason: string; readonly by: string }
  | {
      readonly kind: 'approve' | 'reject'
      /** Number of the decision that awaits approval. */
      readonly decision: number
      readonly reason: string
      readonly by: string
    }
  | {
      readonly kind: 'set-budget'
      readonly budgetSteps: number | null
      readonly reason: string
      readonly by: string
    }
  | { readonly kind: 'set-mode'; readonly mode: Mode; readonly reason: string; readonly by: string }

type ObservationHead = {
  /** 1, 2, 3, … within the run, without gaps. */
  readonly number: number
  /** ISO 8601, UTC: when the server received it. The tuner copies it, and never computes with it. */
  readonly receivedAt: string
}

/** One entry of a run's ordered log. The first is always `start`. The log is the truth; decisions follow from it. */
export type Observation = ObservationHead &
  (
    | { readonly kind: 'start'; readonly runId: string; readonly options: RunOptions }
    | { readonly kind: 'samples'; readonly columns: SampleColumns }
    | { readonly kind: 'probe'; readonly probe: Probe }
    | { readonly kind: 'acknowledgement'; readonly acknowledgement: Acknowledgement }
    | { readonly kind: 'command'; readonly command: Command }
  )
export const observationKinds = ['start', 'samples', 'probe', 'acknowledgement', 'command'] as const

// -------------------------------------------------------------------------------------------- decisions

/** A measured number: value with its standard error (same unit) and the count behind it. */
export type Measured = {
  readonly value: number | null
  readonly standardError: number | null
  readonly count: number
}

export type RegimeReading = {
  readonly name: RegimeName
  /** In [0, 1], 1 = large-step; null while unknown. */
  readonly index: number | null
  /** 95 % interval of the index. */
  readonly low: number | null
  readonly high: number | null
  /** What is missing, while unknown. */
  readonly reason?: string
}

export type DecisionTest = {
  readonly left: { readonly name: string; readonly value: number; readonly standardError: number | null }
  readonly relation: '<=' | '>=' | '<' | '>'
  readonly right: { readonly name: string; readonly value: number; readonly standardError: number | null }
  readonly satisfied: boolean
  /** Such as "2 of 3". */
  readonly consecutive: string
  /** P(relation holds), from both standard errors; null where one is unknown. */
  readonly probability: number | null
}

export type Evidence = {
  readonly signal: string
  readonly value: number | null
  readonly standardError: number | null
  readonly unit: string
  readonly count: number
  readonly source: string
}

export type Alternative = {
  readonly name: string
  readonly finalLoss: number
  readonly standardError: number | null
}
export type Counterfactual = { readonly rule: string; readonly step: number | null }

/** An immutable record of what changed, from what evidence, or why not yet. */
export type Decision = {
  readonly number: number
  readonly runId: string
  readonly step: number
  readonly kind: DecisionKind
  /** One sentence that an engineer without the theory understands. */
  readonly summary: string
  readonly phase: { readonly from: Phase; readonly to: Phase }
  readonly regime: RegimeReading
  readonly plan: Plan
  readonly test?: DecisionTest
  readonly evidence: readonly Evidence[]
  readonly whyNotYet?: string
  readonly earliestStep?: number | null
  readonly alternatives: readonly Alternative[]
  readonly counterfactuals: readonly Counterfactual[]
  readonly rule: { readonly id: string; readonly version: number }
  readonly mode: Mode
  readonly status: DecisionStatus
  /** Of a record that ends the wait of an earlier decision for approval: that decision's number. */
  readonly answers?: number
  /** Number of the observation that caused it. */
  readonly cause: number
  /** When that observation was received (ISO 8601, UTC). */
  readonly madeAt: string
}

// ---------------------------------------------------------------------------------------------- signals

/** A signal's value as charted: at a step, with its uncertainty. Stored as a series beside the raw columns. */
export type SignalReading = {
  readonly signal: SignalName
  readonly step: number
  readonly value: number
  readonly standardError: number | null
}

/** Signals that the tuner derives. Raw columns keep their own names (`loss`, `learningRate`, …). */
export const signalNames = [
  'lossSmoothed',
  'probeLoss',
  'probeAccuracy',
  'averagedLoss',
  'averagedAccuracy',
  'averagedGap',
  'valleySlope',
  'annealingGain',
  'stayingGain',
  'noiseScale',
  'traceSigma',
  'curvature',
  'noiseCurvature',
  'criticalLearningRate',
  'rateRatio',
  'regimeIndex',
  'regimeIndexLow',
  'regimeIndexHigh',
  'signalShare',
  'probeShare',
] as const
export type SignalName = (typeof signalNames)[number]

// ------------------------------------------------------------------------------------------ run summary

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

// ------------------------------------------------------------------------------------------------- live

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
