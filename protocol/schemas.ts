// Schemas of everything on the wire, told by subject in schemas/: the one source of its types (vocabulary.ts names them),
// of what the server refuses and of /openapi.json. Requests are strict: an unknown field is an error that names it,
// because a misspelt column would otherwise be lost in silence. Answers are not: a client leaves out what it does not
// know, so that a newer server may say more. Optional fields are exact: there or not there, but never `undefined`.

export { limits } from './limits.ts'
export { encodeNumber } from './nonFinite.ts'
export {
  accessSchema,
  auditPageSchema,
  auditQuery,
  createTokenSchema,
  newTokenSchema,
  rotateTokenSchema,
  type Token,
  tokenListSchema,
  tokenSchema,
} from './schemas/access.ts'
export {
  decisionListSchema,
  decisionSchema,
  regimeReadingSchema,
  transitionListSchema,
} from './schemas/decisions.ts'
export { type ForecastCalibration, forecastCalibrationSchema } from './schemas/forecasts.ts'
export {
  compactSeriesSchema,
  liveSamplesSchema,
  seriesSchema,
  subscribeAnswerSchema,
  subscribeSchema,
} from './schemas/live.ts'
export { commandSchema, observationSchema } from './schemas/log.ts'
export {
  currentOptions,
  decisionHashCharacters,
  type ImportAnswer,
  importAnswerSchema,
  type LogEnd,
  type LogHeader,
  logEndSchema,
  logFileVersion,
  logHeaderSchema,
  logLineSchema,
  objectivesOf,
  observationLineSchema,
} from './schemas/logFile.ts'
export { acknowledgementSchema, actionSchema, planSchema, segmentSchema } from './schemas/plan.ts'
export {
  type Learned,
  type RecommendRequest,
  recommendRequestSchema,
  type ScheduleRecommendation,
  scheduleRecommendationSchema,
} from './schemas/recommend.ts'
export {
  approvalSchema,
  type ChangeRun,
  type CreateRun,
  changeRunSchema,
  commandOf,
  commandRequestSchema,
  compactSeriesQuerySchema,
  createRunSchema,
  learningRateSchema,
  overrideSchema,
  runOptions,
  seriesQuerySchema,
} from './schemas/requests.ts'
export {
  listRunsQuery,
  type RunListQuery,
  removedRunsSchema,
  runListSchema,
  runsPageMax,
  subscribeRunsSchema,
} from './schemas/runList.ts'
export {
  controlAnswerSchema,
  recommendationSchema,
  runAnswerSchema,
  runSummarySchema,
  scheduleSchema,
  telemetryAnswerSchema,
} from './schemas/runs.ts'
export { healthSchema, problemSchema, versionSchema } from './schemas/service.ts'
export { probeSchema, sampleColumnsSchema, telemetrySchema } from './schemas/telemetry.ts'
export { queryNumber, runIdSchema } from './schemas/values.ts'
export {
  createWebhookSchema,
  deliveriesQuery,
  deliveryPageSchema,
  deliverySchema,
  newWebhookSchema,
  webhookListSchema,
  webhookSchema,
  webhookTestSchema,
} from './schemas/webhooks.ts'
export {
  type DecisionHead,
  type WhatIfAnswer,
  type WhatIfRequest,
  whatIfAnswerSchema,
  whatIfRequestSchema,
} from './schemas/whatIf.ts'
