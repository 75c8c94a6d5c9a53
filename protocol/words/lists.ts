// The closed lists of words that all programs share: phases, regimes, modes, states, kinds. Each list and its type
// are one thing, so that a check at the edge and the compiler never differ.

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
