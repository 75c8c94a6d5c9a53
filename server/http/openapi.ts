// /openapi.json: bodies and queries from the same schemas that parse them, so the contract cannot drift from
// the server. Answers are described by the names of their fields; their types are in protocol/vocabulary.ts.

import { z } from 'zod'
import { limits, seriesQuerySchema } from '../../protocol/schemas.ts'
import { apiPrefix } from '../../protocol/version.ts'
import { type ProblemCode, problemKinds } from '../errors.ts'
import { listDecisionsQuery, listRunsQuery, reasonQuery, scheduleQuery } from './queries.ts'

type Json = Record<string, unknown>
type Operation = {
  readonly summary: string
  readonly body?: string
  readonly query?: z.ZodType
  readonly status?: number
  /** Name of the answer's schema; absent = no content. */
  readonly answer?: string
  readonly media?: string
  readonly problems?: readonly ProblemCode[]
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const object = (required: string[], properties: Json, optional: Json = {}): Json => ({
  type: 'object',
  required,
  properties: { ...properties, ...optional },
})
const any = {}
const fields = (...names: string[]): Json =>
  object(names, Object.fromEntries(names.map((name) => [name, any])))
const listOf = (name: string) => ({ type: 'array', items: ref(name) })
const controlParts = { run: ref('RunSummary'), plan: ref('Plan'), actions: listOf('Action') }

const answerSchemas: Json = {
  RunSummary: fields(
    ...['id', 'options', 'state', 'mode', 'phase', 'regime', 'step', 'budgetSteps', 'headline', 'loss'],
    ...['learningRate', 'largeLearningRate', 'switchStep', 'plan', 'phases', 'override', 'decisionCount'],
    'awaitingDecision',
    ...['signalShare', 'probeShare', 'stepsPerSecond', 'spark', 'badSamples', 'createdAt', 'lastSeenAt'],
  ),
  RunList: object(['runs', 'next'], { runs: listOf('RunSummary'), next: { type: ['string', 'null'] } }),
  RunAnswer: object(['run', 'plan', 'actions', 'nextSequence'], {
    ...controlParts,
    nextSequence: { type: 'object', additionalProperties: { type: 'integer', minimum: 1 } },
  }),
  ControlAnswer: object(['run', 'plan', 'actions', 'decisions'], {
    ...controlParts,
    decisions: listOf('Decision'),
  }),
  TelemetryAnswer: object(
    ['accepted', 'duplicate', 'nextSequence', 'phase', 'regime', 'plan', 'actions'],
    {
      accepted: { type: 'integer', minimum: 0 },
      duplicate: { type: 'boolean' },
      nextSequence: { type: 'integer', minimum: 1 },
      phase: any,
      regime: any,
      plan: ref('Plan'),
      actions: listOf('Action'),
    },
    { decision: ref('Decision') },
  ),
  Decision: fields(
    ...['number', 'runId', 'step', 'kind', 'summary', 'phase', 'regime', 'plan', 'evidence', 'alternatives'],
    ...['counterfactuals', 'rule', 'mode', 'status', 'cause', 'madeAt'],
  ),
  DecisionList: object(['decisions', 'next'], {
    decisions: listOf('Decision'),
    next: { type: ['integer', 'null'] },
  }),
  Series: fields('runId', 'fromStep', 'toStep', 'stored', 'shown', 'signals'),
  Recommendation: fields(
    ...[
      'runId',
      'step',
      'learningRate',
      'momentum',
      'plan',
      'phase',
      'regime',
      'confidence',
      'reason',
      'status',
    ],
  ),
  Schedule: fields('runId', 'budgetSteps', 'step', 'applied', 'planned'),
  State: fields('status'),
  Version: fields('version', 'protocol', 'tuner', 'node'),
  Problem: object(
    ['type', 'title', 'status', 'detail', 'code'],
    {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { enum: Object.keys(problemKinds) },
    },
    {
      errors: { type: 'array', items: fields('pointer', 'detail') },
      requestId: { type: 'string' },
      expectedSequence: { type: 'integer', minimum: 1 },
    },
  ),
}

const bodyProblems: ProblemCode[] = [
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
  'invalid-request',
  'disk-full',
  'storage-failed',
]
const runs = `${apiPrefix}/runs`
const one = `${runs}/{id}`
const missing: ProblemCode[] = ['run-not-found']

const answering = (summary: string): Operation => ({
  summary,
  body: 'ApprovalRequest',
  answer: 'ControlAnswer',
  problems: ['run-not-found', 'decision-not-found', 'decision-not-awaiting', 'run-finished'],
})

const operations: Record<string, Record<string, Operation>> = {
  [runs]: {
    get: { summary: 'List runs, newest first', query: listRunsQuery, answer: 'RunList' },
    post: {
      summary: 'Create a run, or resume one',
      body: 'CreateRun',
      status: 201,
      answer: 'RunAnswer',
      problems: ['run-not-found', 'run-exists'],
    },
  },
  [one]: {
    get: { summary: 'Read a run', answer: 'RunSummary', problems: missing },
    patch: {
      summary: 'Rename, tag, or change mode or budget',
      body: 'ChangeRun',
      answer: 'RunSummary',
      problems: ['run-not-found'],
    },
    delete: { summary: 'Delete a run for good', status: 204, problems: missing },
  },
  [`${one}/telemetry`]: {
    post: {
      summary: 'Report samples, probes and acknowledgements; answered with the plan',
      body: 'Telemetry',
      answer: 'TelemetryAnswer',
      problems: ['run-not-found', 'sequence-gap', 'too-many-clients', 'too-many-metrics', 'run-busy'],
    },
  },
  [`${one}/series`]: {
    get: {
      summary: 'Charts: buckets of steps',
      query: seriesQuerySchema,
      answer: 'Series',
      problems: missing,
    },
  },
  [`${one}/decisions`]: {
    get: {
      summary: 'Decisions in order',
      query: listDecisionsQuery,
      answer: 'DecisionList',
      problems: missing,
    },
  },
  [`${one}/decisions/{number}`]: {
    get: { summary: 'One decision', answer: 'Decision', problems: ['run-not-found', 'decision-not-found'] },
  },
  [`${one}/decisions/{number}/approve`]: { post: answering('Approve a decision that waits') },
  [`${one}/decisions/{number}/reject`]: { post: answering('Reject a decision that waits') },
  [`${one}/recommendation`]: {
    get: { summary: 'What to do now', answer: 'Recommendation', problems: missing },
  },
  [`${one}/schedule`]: {
    get: {
      summary: 'The schedule, applied and planned',
      query: scheduleQuery,
      answer: 'Schedule',
      problems: missing,
    },
  },
  [`${one}/overrides`]: {
    post: {
      summary: 'Take over the learning rate',
      body: 'OverrideRequest',
      status: 201,
      answer: 'ControlAnswer',
      problems: ['run-not-found', 'run-finished'],
    },
  },
  [`${one}/overrides/current`]: {
    delete: {
      summary: 'Hand back',
      query: reasonQuery,
      answer: 'ControlAnswer',
      problems: ['run-not-found', 'override-not-found'],
    },
  },
  [`${one}/commands`]: {
    post: {
      summary: 'Pause, resume, switch now, undo the switch, finish',
      body: 'CommandRequest',
      answer: 'ControlAnswer',
      problems: ['run-not-found', 'run-finished'],
    },
  },
  '/healthz': { get: { summary: 'Is the process alive', answer: 'State' } },
  '/readyz': {
    get: { summary: 'Is the storage writable', answer: 'State', problems: ['storage-failed', 'disk-full'] },
  },
  '/version': { get: { summary: 'Versions', answer: 'Version' } },
}

function queryParameters(query: z.ZodType): Json[] {
  // `output`: what a coerced number is, not that any text may be tried.
  const schema = z.toJSONSchema(query, { io: 'output', unrepresentable: 'any' }) as { properties?: Json }
  const loose = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }) as { properties?: Json }
  return Object.entries(schema.properties ?? {}).map(([name, described]) => {
    const text = name === 'kind' ? loose.properties?.[name] : described
    return { name, in: 'query', required: false, schema: text ?? described }
  })
}

function responsesOf({ status = 200, answer, problems = [], body, query }: Operation): Json {
  const codes: ProblemCode[] = [
    ...problems,
    ...(body === undefined ? [] : bodyProblems),
    ...(query === undefined ? [] : (['invalid-request'] as const)),
    'host-not-allowed',
  ]
  const responses: Json = {
    [status]: {
      description: answer === undefined ? 'Done' : answer,
      ...(answer === undefined ? {} : { content: { 'application/json': { schema: ref(answer) } } }),
    },
  }
  if (answer === 'RunAnswer') responses['200'] = { ...(responses[201] as Json), description: 'Resumed' }
  for (const code of codes) {
    const { status: problemStatus, title } = problemKinds[code]
    const described = responses[problemStatus] as { description: string } | undefined
    responses[problemStatus] = {
      description: described === undefined ? title : `${described.description}; ${title}`,
      content: { 'application/problem+json': { schema: ref('Problem') } },
    }
  }
  return responses
}

function operationOf(path: string, operation: Operation): Json {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'number' ? { type: 'integer', minimum: 1 } : ref('RunId'),
  }))
  return {
    summary: operation.summary,
    parameters: [...parameters, ...(operation.query === undefined ? [] : queryParameters(operation.query))],
    ...(operation.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: `At most ${limits.bodyBytesMax} bytes after inflating; gzip is accepted.`,
            content: { 'application/json': { schema: ref(operation.body) } },
          },
        }),
    responses: responsesOf(operation),
  }
}

let cached: Json | undefined

/** The OpenAPI 3.1 document; made once. */
export function openApiDocument(version: string): Json {
  if (cached !== undefined) return cached
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => ref(id).$ref,
  })
  const inputs = Object.fromEntries(
    Object.entries(schemas)
      .filter(([id]) => !id.endsWith('Query'))
      .map(([id, { $id: _id, $schema: _schema, ...schema }]) => [id, schema]),
  )
  const paths = Object.fromEntries(
    Object.entries(operations).map(([path, methods]) => [
      path,
      Object.fromEntries(
        Object.entries(methods).map(([method, operation]) => [method, operationOf(path, operation)]),
      ),
    ]),
  )
  cached = {
    openapi: '3.1.0',
    info: { title: 'Twostep', version, description: 'Learning-rate autopilot.', license: { name: 'MIT' } },
    paths,
    components: { schemas: { ...inputs, ...answerSchemas } },
  }
  return cached
}
