// What each address of the HTTP API takes and answers, as data: the schemas that parse requests are those named here, and
// so are the answers' (a test holds every answer to them). openapi.ts makes the contract from it.

import type { z } from 'zod'
import {
  accessSchema,
  approvalSchema,
  auditPageSchema,
  auditQuery,
  changeRunSchema,
  commandRequestSchema,
  compactSeriesQuerySchema,
  compactSeriesSchema,
  controlAnswerSchema,
  createRunSchema,
  createTokenSchema,
  decisionListSchema,
  decisionSchema,
  forecastCalibrationSchema,
  healthSchema,
  importAnswerSchema,
  listRunsQuery,
  logLineSchema,
  newTokenSchema,
  overrideSchema,
  recommendationSchema,
  recommendRequestSchema,
  removedRunsSchema,
  rotateTokenSchema,
  runAnswerSchema,
  runListSchema,
  runSummarySchema,
  scheduleRecommendationSchema,
  scheduleSchema,
  seriesQuerySchema,
  seriesSchema,
  telemetryAnswerSchema,
  telemetrySchema,
  tokenListSchema,
  transitionListSchema,
  versionSchema,
  whatIfAnswerSchema,
  whatIfRequestSchema,
} from '../../protocol/schemas.ts'
import { apiPrefix } from '../../protocol/version.ts'
import type { Scope } from '../../protocol/vocabulary.ts'
import type { ProblemCode } from '../errors.ts'
import { readsAtOnceMax, readsWaitingMax, streamsAtOnceMax } from '../runs/readGate.ts'
import { logMedia } from './body.ts'
import {
  importQuery,
  listDecisionsQuery,
  listTransitionsQuery,
  reasonQuery,
  removeQuery,
  scheduleQuery,
} from './queries.ts'

export type Method = 'get' | 'post' | 'patch' | 'delete'
export type Operation = {
  readonly id: string
  readonly summary: string
  /** What a token must allow, one of them; `open` = nothing. Absent: `read` for what is read with GET, else `admin`. */
  readonly scope?: Scope | readonly Scope[] | 'open'
  /** The run in the path is a deleted one: whether it is the caller's is asked where it is found. */
  readonly isOfRemoved?: true
  readonly body?: z.ZodType
  /** The body is no JSON document, but lines of this type, each as the schema says. */
  readonly bodyLines?: typeof logMedia
  readonly query?: z.ZodType
  /** That it names no run, and tells a token of one project of that project alone. Absent: such a token is refused. */
  readonly keepsToProject?: true
  /** What is answered with each status of success; null = no content. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>
  /** The answer's other forms, beside JSON: text. */
  readonly otherMedia?: readonly string[]
  /** The answer is no JSON document, but lines of this type, each as the schema says. */
  readonly answerLines?: typeof logMedia
  /** A read that answers 304 to who has the answer already (`If-None-Match`). */
  readonly isConditional?: true
  /** Besides those that every operation of its kind may meet. */
  readonly problems?: readonly ProblemCode[]
}

const everyCall: readonly ProblemCode[] = [
  'host-not-allowed',
  'malformed-request',
  'origin-not-allowed',
  'request-timeout',
  'headers-too-large',
  'internal',
]
const everyBody: readonly ProblemCode[] = [
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
  'unsupported-encoding',
  'invalid-request',
  'server-busy',
]
/** A run that another version of the tuner folded is refolded, and stored, by whoever reads it. */
const everyRun: readonly ProblemCode[] = [
  'run-not-found',
  'run-busy',
  'storage-failed',
  'storage-damaged',
  'disk-full',
]

const everyToken: readonly ProblemCode[] = [
  'token-missing',
  'token-invalid',
  'token-expired',
  'token-revoked',
  'scope-missing',
  'project-not-allowed',
  'too-many-attempts',
]

/** One of these a token must have. */
export const scopesOf = (method: Method, { scope }: Pick<Operation, 'scope'>): readonly Scope[] | 'open' =>
  scope === 'open' ? 'open' : [scope ?? (method === 'get' ? 'read' : 'admin')].flat()

/** All the problems that an operation may answer with. */
export function problemsOf(path: string, method: Method, operation: Operation): readonly ProblemCode[] {
  return [
    ...new Set([
      ...everyCall,
      ...(scopesOf(method, operation) === 'open' ? [] : everyToken),
      ...(operation.query === undefined ? [] : (['invalid-request'] as const)),
      ...(operation.body === undefined ? [] : everyBody),
      ...(path.includes('{id}') ? everyRun : []),
      ...(operation.problems ?? []),
    ]),
  ]
}

const runs = `${apiPrefix}/runs`
const one = `${runs}/{id}`

const boundOfReads = `${readsAtOnceMax} such reads are made at once and ${readsWaitingMax} wait; beyond them 503 with Retry-After`
const boundOfFiles = `${streamsAtOnceMax} such files are sent at once; beyond them 503 with Retry-After`

const answering = (id: string, summary: string): Operation => ({
  id,
  summary,
  scope: 'control',
  body: approvalSchema,
  answers: { 200: controlAnswerSchema },
  problems: ['decision-not-found', 'decision-not-awaiting', 'run-finished'],
})

export const operations: Readonly<Record<string, Partial<Record<Method, Operation>>>> = {
  [runs]: {
    get: {
      id: 'listRuns',
      summary: 'List runs in an order, those that match, page by page',
      keepsToProject: true,
      query: listRunsQuery,
      answers: { 200: runListSchema },
      problems: ['storage-failed', 'storage-damaged'],
    },
    post: {
      id: 'createRun',
      summary: 'Create a run, or resume one (200)',
      keepsToProject: true,
      scope: 'write',
      body: createRunSchema,
      answers: { 200: runAnswerSchema, 201: runAnswerSchema },
      problems: [
        'project-not-allowed',
        'run-not-found',
        'run-exists',
        'run-finished',
        'run-busy',
        'storage-failed',
        'storage-damaged',
        'disk-full',
      ],
    },
  },
  [one]: {
    get: { id: 'readRun', isConditional: true, summary: 'Read a run', answers: { 200: runSummarySchema } },
    patch: {
      id: 'changeRun',
      summary: 'Rename, tag, or change mode or budget',
      scope: 'control',
      body: changeRunSchema,
      answers: { 200: runSummarySchema },
      problems: ['run-finished', 'project-not-allowed'],
    },
    delete: {
      id: 'deleteRun',
      scope: 'control',
      summary: 'Delete a run; for 7 days it can be restored, unless it is deleted for good',
      query: removeQuery,
      answers: { 204: null },
    },
  },
  [`${one}/restore`]: {
    post: {
      id: 'restoreRun',
      scope: 'control',
      isOfRemoved: true,
      summary: 'Bring a deleted run back',
      answers: { 200: runSummarySchema },
      problems: ['run-exists'],
    },
  },
  [`${apiPrefix}/removed-runs`]: {
    get: {
      id: 'listRemovedRuns',
      scope: 'admin',
      summary: 'Deleted runs that can be restored, the last one first',
      answers: { 200: removedRunsSchema },
      problems: ['storage-failed', 'storage-damaged'],
    },
  },
  [`${one}/export`]: {
    get: {
      id: 'exportRun',
      summary: `The log of a run as a file: a header, its observations, an end. ${boundOfFiles}`,
      answers: { 200: logLineSchema },
      answerLines: logMedia,
      problems: ['server-busy'],
    },
  },
  [`${runs}/import`]: {
    post: {
      id: 'importRun',
      summary: 'Make a run of an exported log',
      keepsToProject: true,
      scope: 'write',
      query: importQuery,
      body: logLineSchema,
      bodyLines: logMedia,
      answers: { 201: importAnswerSchema },
      problems: [
        'project-not-allowed',
        'run-exists',
        'run-busy',
        'server-busy',
        'too-many-metrics',
        'storage-failed',
        'storage-damaged',
        'disk-full',
      ],
    },
  },
  [`${one}/telemetry`]: {
    post: {
      id: 'sendTelemetry',
      summary: 'Report samples, probes and acknowledgements; answered with the plan',
      scope: 'write',
      body: telemetrySchema,
      answers: { 200: telemetryAnswerSchema },
      problems: ['sequence-gap', 'sequence-reused', 'too-many-metrics'],
    },
  },
  [`${one}/series`]: {
    get: {
      id: 'readSeries',
      isConditional: true,
      summary: `Charts: buckets of steps. ${boundOfReads}`,
      query: seriesQuerySchema,
      answers: { 200: seriesSchema },
      problems: ['signal-not-found', 'server-busy'],
    },
  },
  [`${one}/series/compact`]: {
    get: {
      id: 'readCompactSeries',
      isConditional: true,
      summary: 'The same in a fifth of the bytes, as the page loads it',
      query: compactSeriesQuerySchema,
      answers: { 200: compactSeriesSchema },
      problems: ['signal-not-found', 'server-busy'],
    },
  },
  [`${one}/decisions`]: {
    get: {
      id: 'listDecisions',
      isConditional: true,
      summary: 'Decisions in order',
      query: listDecisionsQuery,
      answers: { 200: decisionListSchema },
    },
  },
  [`${one}/transitions`]: {
    get: {
      id: 'listTransitions',
      isConditional: true,
      summary: 'Changes of the measured regime in order, each a decision with its test',
      query: listTransitionsQuery,
      answers: { 200: transitionListSchema },
    },
  },
  [`${one}/decisions/{number}`]: {
    get: {
      id: 'readDecision',
      summary: 'One decision',
      answers: { 200: decisionSchema },
      problems: ['decision-not-found'],
    },
  },
  [`${one}/decisions/{number}/approve`]: {
    post: answering('approveDecision', 'Approve a decision that waits'),
  },
  [`${one}/decisions/{number}/reject`]: { post: answering('rejectDecision', 'Reject a decision that waits') },
  [`${one}/recommendation`]: {
    get: { id: 'readRecommendation', summary: 'What to do now', answers: { 200: recommendationSchema } },
  },
  [`${one}/schedule`]: {
    get: {
      id: 'readSchedule',
      isConditional: true,
      summary: `The schedule, applied and planned; each step once, the first report of it. Named after a framework: a Python file. ${boundOfReads}`,
      query: scheduleQuery,
      answers: { 200: scheduleSchema },
      otherMedia: ['text/csv', 'text/x-python'],
      problems: ['server-busy'],
    },
  },
  [`${one}/overrides`]: {
    post: {
      id: 'override',
      summary: 'Take over the learning rate',
      scope: 'control',
      body: overrideSchema,
      answers: { 201: controlAnswerSchema },
      problems: ['run-finished'],
    },
  },
  [`${one}/overrides/current`]: {
    delete: {
      id: 'handBack',
      summary: 'Hand back',
      scope: 'control',
      query: reasonQuery,
      answers: { 200: controlAnswerSchema },
      problems: ['override-not-found'],
    },
  },
  [`${one}/commands`]: {
    post: {
      id: 'command',
      summary: 'Pause, resume, switch now, undo the switch, finish, or anneal a copy beside the run',
      // A job ends its own run.
      scope: ['control', 'write'],
      body: commandRequestSchema,
      answers: { 200: controlAnswerSchema },
      problems: ['run-finished'],
    },
  },
  [`${one}/what-if`]: {
    post: {
      id: 'askWhatIf',
      summary: 'Fold the log under other settings; nothing is written',
      scope: 'read',
      body: whatIfRequestSchema,
      answers: { 200: whatIfAnswerSchema },
      problems: ['run-too-long', 'server-busy'],
    },
  },
  [`${apiPrefix}/schedules/recommend`]: {
    post: {
      id: 'recommendSchedule',
      summary: 'A schedule for a job that is no run here, from what is told of it',
      keepsToProject: true,
      scope: 'read',
      body: recommendRequestSchema,
      answers: { 200: scheduleRecommendationSchema },
      problems: ['storage-failed', 'storage-damaged', 'project-not-allowed'],
    },
  },
  [`${apiPrefix}/forecasts/calibration`]: {
    get: {
      id: 'readForecastCalibration',
      summary: 'How often what finished runs were promised came true',
      keepsToProject: true,
      answers: { 200: forecastCalibrationSchema },
      problems: ['storage-failed', 'storage-damaged'],
    },
  },
  [`${apiPrefix}/access`]: {
    get: {
      id: 'readAccess',
      summary: 'Whether tokens are demanded here, and what the one that comes with this request allows',
      scope: 'open',
      answers: { 200: accessSchema },
      problems: ['token-invalid', 'token-expired', 'token-revoked', 'too-many-attempts'],
    },
  },
  [`${apiPrefix}/audit`]: {
    get: {
      id: 'readAudit',
      summary: 'Who did what to runs and tokens, newest first',
      scope: 'admin',
      query: auditQuery,
      answers: { 200: auditPageSchema },
      problems: ['storage-failed'],
    },
  },
  [`${apiPrefix}/tokens`]: {
    get: {
      id: 'listTokens',
      scope: 'admin',
      summary: 'Tokens, newest first',
      answers: { 200: tokenListSchema },
    },
    post: {
      id: 'createToken',
      summary: 'Make a token; its secret is in this answer alone',
      scope: 'admin',
      body: createTokenSchema,
      answers: { 201: newTokenSchema },
      problems: ['token-exists', 'too-many-tokens', 'storage-failed', 'disk-full'],
    },
  },
  [`${apiPrefix}/tokens/{token}`]: {
    delete: {
      id: 'revokeToken',
      summary: 'Revoke a token, at once',
      scope: 'admin',
      answers: { 204: null },
      problems: ['malformed-request', 'token-not-found', 'token-needed', 'storage-failed', 'disk-full'],
    },
  },
  [`${apiPrefix}/tokens/{token}/rotate`]: {
    post: {
      id: 'rotateToken',
      summary: 'A new secret for the same rights; the old one holds for the grace that is given',
      scope: 'admin',
      body: rotateTokenSchema,
      answers: { 201: newTokenSchema },
      problems: ['token-not-found', 'storage-failed', 'disk-full'],
    },
  },
  '/healthz': {
    get: { id: 'readHealth', scope: 'open', summary: 'Is the process alive', answers: { 200: healthSchema } },
  },
  '/readyz': {
    get: {
      id: 'readReadiness',
      scope: 'open',
      summary: 'Is the storage writable',
      answers: { 200: healthSchema },
      problems: ['not-ready', 'server-ending'],
    },
  },
  '/version': {
    get: { id: 'readVersion', keepsToProject: true, summary: 'Versions', answers: { 200: versionSchema } },
  },
}
