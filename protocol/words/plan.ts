// What the training side is asked to do: the plan, with the limits that it keeps by itself, and actions with their
// acknowledgements. plan.ts evaluates it.

import type { Phase } from './lists.ts'

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
      /** Of a valley probe: these checkpoints' weights are scored as well, all of them over every held-out example there is. */
      readonly checkpoints?: readonly string[]
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
