// The words that all programs share. Types are those of the schemas (schemas/), and types alone: whoever imports this
// file at run time gets the closed lists and nothing else, so that the tuner (no Node, no DOM) and the page never load
// the schema library. Numbers here are already parsed: a NaN that travels as the string "NaN" (nonFinite.ts) is the
// number NaN in these types. Where a number may be missing, it is null: 0 never stands for "not known".

export {
  acknowledgementStatuses,
  actionKinds,
  type Capability,
  capabilities,
  type DecisionKind,
  type DecisionStatus,
  type DeliveryState,
  decisionKinds,
  decisionStatuses,
  deliveryStates,
  type Mode,
  modes,
  type OptimizerFamily,
  observationKinds,
  optimizerFamilies,
  type Phase,
  phases,
  probeKinds,
  type RegimeName,
  type RunSort,
  type RunState,
  regimeNames,
  runSorts,
  runStates,
  type SampleColumnName,
  type Scope,
  type SegmentShape,
  type SignalName,
  sampleColumnNames,
  scopes,
  segmentShapes,
  signalNames,
  type WebhookEvent,
  type WebhookShape,
  webhookEvents,
  webhookShapes,
} from './lists.ts'
export type {
  Access,
  AuditEntry,
  AuditPage,
  CreateToken,
  NewToken,
  RotateToken,
  Token,
  TokenList,
} from './schemas/access.ts'
export type {
  Alternative,
  Counterfactual,
  Decision,
  DecisionList,
  DecisionTest,
  Evidence,
  Forecast,
  Measured,
  Reason,
  RegimeReading,
  Side,
  SignalReading,
  TransitionList,
} from './schemas/decisions.ts'
export type { ForecastCalibration } from './schemas/forecasts.ts'
export type {
  ClientEvents,
  CompactColumns,
  CompactSeries,
  LiveSamples,
  Series,
  SeriesColumns,
  ServerEvents,
  SubscribeAnswer,
  SubscribeRequest,
} from './schemas/live.ts'
export type { Command, Observation } from './schemas/log.ts'
export type {
  Acknowledgement,
  Action,
  Cadence,
  Plan,
  Segment,
  Tripwire,
} from './schemas/plan.ts'
export type { RemovedRuns, RunCounts, RunGroup, RunList, RunListRequest } from './schemas/runList.ts'
export type {
  AppliedSpan,
  Branch,
  ControlAnswer,
  HeldOut,
  OptimizerInfo,
  PhaseSpan,
  Recommendation,
  RunAnswer,
  RunOptions,
  RunSummary,
  Schedule,
  TelemetryAnswer,
} from './schemas/runs.ts'
export type { Health, Problem, Version } from './schemas/service.ts'
export type {
  LineProbe,
  Probe,
  ProbeScore,
  SampleColumns,
  Telemetry,
  ValleyProbe,
} from './schemas/telemetry.ts'
export type {
  CreateWebhook,
  Delivery,
  DeliveryPage,
  NewWebhook,
  Webhook,
  WebhookList,
  WebhookTest,
} from './schemas/webhooks.ts'
export type { DecisionHead, WhatIfAnswer, WhatIfRequest } from './schemas/whatIf.ts'
