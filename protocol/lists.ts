// The closed lists of words that all programs share: phases, modes, states, kinds, columns. Each list and its type are
// one thing, so that a check at the edge and the compiler never differ. This file imports nothing: the tuner and the
// page use the lists as values, and must not load the schema library for them.

/** What the tuner is doing. */
export const phases = ['warmup', 'large', 'anneal', 'done'] as const
export type Phase = (typeof phases)[number]

/** The measured condition of the run. */
export const regimeNames = ['large-step', 'small-step', 'unstable', 'unknown'] as const
export type RegimeName = (typeof regimeNames)[number]

/** How far decisions reach: `auto` changes the plan, `advisory` only says so, `approve` waits for a person, `off` records signals only. */
export const modes = ['auto', 'advisory', 'approve', 'off'] as const
export type Mode = (typeof modes)[number]

/** What a training job can do for the tuner; only what is offered is asked for. `rewind`: it can take the data order back; `branch`: it anneals copies. */
export const capabilities = [
  'checkpoint',
  'rewind',
  'heldOutLoss',
  'averagedWeights',
  'microBatchNorms',
  'lineProbe',
  'momentum',
  'branch',
] as const
export type Capability = (typeof capabilities)[number]

/** Which family of update rules an optimizer belongs to; see optimizers.ts. */
export const optimizerFamilies = ['sgd', 'adam', 'muon', 'other'] as const
export type OptimizerFamily = (typeof optimizerFamilies)[number]

/** The state of a run as people see it. `stale` means no telemetry for a while: never "crashed", we cannot know. */
export const runStates = ['running', 'paused', 'waiting', 'stale', 'diverged', 'finished'] as const
export type RunState = (typeof runStates)[number]

/** What a list of runs can be ordered by. */
export const runSorts = [
  'seen',
  'created',
  'name',
  'state',
  'step',
  'loss',
  'heldOut',
  'heldOutBest',
  'accuracy',
  'accuracyBest',
  'duration',
] as const
export type RunSort = (typeof runSorts)[number]

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
  'drift',
  'transition',
  'branch',
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
  'annealingGainError',
  'stayingGain',
  'stayingGainError',
  'noiseScale',
  'noiseScaleError',
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
  'forecastLoss',
  'forecastLossLow',
  'forecastLossHigh',
] as const
export type SignalName = (typeof signalNames)[number]

/** The numeric columns of samples besides `step` and `metrics`, in the order in which they are stored. */
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
  'tokens',
] as const
export type SampleColumnName = (typeof sampleColumnNames)[number]

export const probeKinds = ['valley', 'line'] as const

export const observationKinds = [
  'start',
  'samples',
  'probe',
  'acknowledgement',
  'command',
  'resumed',
] as const

export const segmentShapes = ['constant', 'linear', 'cosine', 'oneMinusSqrt', 'exponential'] as const
export type SegmentShape = (typeof segmentShapes)[number]

export const actionKinds = [
  'checkpoint',
  'restore',
  'drop',
  'probe',
  'pause',
  'resume',
  'finish',
  'branch',
] as const

/** What has become of a copy that is annealed beside its run. */
export const branchStates = ['asked', 'done', 'failed'] as const

export const acknowledgementStatuses = ['done', 'failed', 'unsupported'] as const

/** What a token allows: to read runs, to report them, to steer them, and everything, tokens among it. */
export const scopes = ['read', 'write', 'control', 'admin'] as const
export type Scope = (typeof scopes)[number]

/**
 * What a webhook may hear of: `decision` any record, `switch` one that changes the phase to the anneal or is advised to, `transition` the measured
 * regime changed, `waiting` a decision waits for approval, `drift` the job's rate is not the planned one; and of the run
 * itself that it `diverged`, `finished`, or fell silent (`stale`).
 */
export const webhookEvents = [
  'decision',
  'switch',
  'transition',
  'waiting',
  'drift',
  'diverged',
  'finished',
  'stale',
] as const
export type WebhookEvent = (typeof webhookEvents)[number]

/** How a webhook is written to: as JSON with everything, or as Slack takes messages. */
export const webhookShapes = ['generic', 'slack'] as const
export type WebhookShape = (typeof webhookShapes)[number]

/** What became of a delivery: `failed` = given up after its last try, `dropped` = too many waited. */
export const deliveryStates = ['waiting', 'delivered', 'failed', 'dropped'] as const
export type DeliveryState = (typeof deliveryStates)[number]
