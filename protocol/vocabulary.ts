// The words that all programs share, as types and as closed lists, told by subject in words/. They import nothing of
// ours or others', so that the tuner (no Node, no DOM), the server, the page and the trainer can all speak them. Numbers
// here are already parsed: a NaN that travels as the string "NaN" (see schemas.ts) is the number NaN in these types.
// Where a number may be missing, it is null: 0 never stands for "not known".

export {
  type Alternative,
  type Counterfactual,
  type Decision,
  type DecisionTest,
  type Evidence,
  type Measured,
  type RegimeReading,
  type SignalName,
  type SignalReading,
  signalNames,
} from './words/decisions.ts'
export {
  type Capability,
  capabilities,
  type DecisionKind,
  type DecisionStatus,
  decisionKinds,
  decisionStatuses,
  type Mode,
  modes,
  type Phase,
  phases,
  type RegimeName,
  type RunId,
  type RunState,
  regimeNames,
  runStates,
} from './words/lists.ts'
export type {
  ClientEvents,
  LiveSamples,
  PhaseSpan,
  Problem,
  RunSummary,
  Series,
  SeriesColumns,
  ServerEvents,
  SubscribeAnswer,
  SubscribeRequest,
  Telemetry,
  TelemetryAnswer,
} from './words/messages.ts'
export {
  type Command,
  type ForkProbe,
  type LineProbe,
  type Observation,
  type OptimizerInfo,
  observationKinds,
  type Probe,
  type ProbeScore,
  probeKinds,
  type RunOptions,
  type SampleColumnName,
  type SampleColumns,
  sampleColumnNames,
  type ValleyProbe,
} from './words/observations.ts'
export {
  type Acknowledgement,
  type Action,
  actionKinds,
  type Cadence,
  type Plan,
  type Segment,
  type SegmentShape,
  segmentShapes,
  type Tripwire,
} from './words/plan.ts'
