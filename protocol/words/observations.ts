// What goes into a run's log: its start, samples, probes, acknowledgements and commands, in the order in which they
// came. The log is the truth; all else follows from it.

import type { Capability, Mode } from './lists.ts'
import type { Acknowledgement } from './plan.ts'

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
  /** Scores of the checkpoints that were asked for, on the same examples; such a probe is compared with no other. */
  readonly checkpoints?: readonly (ProbeScore & { readonly checkpoint: string })[]
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
