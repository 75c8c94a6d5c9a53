// Schemas of everything on the wire. Unknown input is parsed here once, into the types of vocabulary.ts, and
// the server's /openapi.json is generated from these same schemas. Objects are strict: an unknown field is
// an error that names it, because a misspelt column would otherwise be lost in silence.
//
// JSON has no NaN, and a diverging loss is exactly what must not be lost: non-finite numbers travel as the
// strings "NaN", "Infinity" and "-Infinity", and `null` means "not known".
//
// `satisfies z.ZodType<T>` holds each schema to the vocabulary's type T: a field that is missing here or has
// another type does not compile (schemas.test.ts asserts the other direction). Optional fields are exact, so
// that a parsed field is there or it is not, but never there as `undefined`.

import { z } from 'zod'
import { planProblem } from './plan.ts'
import {
  type Acknowledgement,
  type Action,
  actionKinds,
  type Command,
  capabilities,
  modes,
  type Plan,
  type Probe,
  phases,
  type RunOptions,
  type SampleColumns,
  type Segment,
  type SubscribeRequest,
  sampleColumnNames,
  segmentShapes,
  type Telemetry,
} from './vocabulary.ts'

/** Bounds of the wire, published in the contract. */
export const limits = {
  bodyBytesMax: 8 * 1024 * 1024,
  batchStepsMax: 10_000,
  batchProbesMax: 1_000,
  batchAcknowledgementsMax: 1_000,
  windowsMax: 16,
  probePartsMax: 32,
  metricsMax: 200,
  nameCharactersMax: 128,
  textCharactersMax: 1_000,
  settingsMax: 100,
  tagsMax: 32,
  segmentsMax: 1_000,
  seriesPointsMax: 4_000,
  /** 10¹², so that every step and every difference of steps is exact in a double. */
  stepMax: 1e12,
} as const

const text = (max: number = limits.textCharactersMax) => z.string().max(max)
const name = z.string().min(1).max(limits.nameCharactersMax)
const step = z.int().min(0).max(limits.stepMax)
const finite = z.number()
const rate = z.number().min(0)

/** A run's id: 1 to 128 characters of letters, digits, dot, underscore, hyphen. */
export const runIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'must be 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit',
  )
  .meta({ id: 'RunId' })

const specialNumbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** A number for the wire: finite numbers as they are, the others as their names. */
export function encodeNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** The number behind a wire value; undefined = it is none. */
function decodeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && Object.hasOwn(specialNumbers, value) ? specialNumbers[value] : undefined
}

/** A wire number that may be non-finite. */
const looseNumber = z
  .union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])
  .transform((value) => decodeNumber(value) as number)

/** A column: numbers, the three names, or null. One loop instead of a union per element: this is the hot path. */
const column = z
  .array(z.unknown())
  .max(limits.batchStepsMax)
  .transform((values, context) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value === 'number' || value === null) continue
      const decoded = decodeNumber(value)
      if (decoded === undefined) {
        context.addIssue({
          code: 'custom',
          path: [i],
          message: `must be a number, null, "NaN", "Infinity" or "-Infinity", got ${JSON.stringify(value)?.slice(0, 60)}`,
        })
        return z.NEVER
      }
      values[i] = decoded
    }
    return values as (number | null)[]
  })
  .meta({
    id: 'Column',
    description: 'One entry per step; null = not known. An empty or absent column = not known throughout.',
    items: { anyOf: [{ type: 'number' }, { type: 'null' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] },
  })

const stepColumn = z
  .array(z.unknown())
  .max(limits.batchStepsMax)
  .transform((values, context) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > limits.stepMax) {
        context.addIssue({
          code: 'custom',
          path: [i],
          message: `must be a whole number from 0 to ${limits.stepMax}, got ${JSON.stringify(value)?.slice(0, 60)}`,
        })
        return z.NEVER
      }
    }
    return values as number[]
  })
  .meta({ id: 'StepColumn', items: { type: 'integer', minimum: 0, maximum: limits.stepMax } })

type ColumnShape = Record<(typeof sampleColumnNames)[number], z.ZodExactOptional<typeof column>>
const columnShape = Object.fromEntries(
  sampleColumnNames.map((key) => [key, column.exactOptional()]),
) as ColumnShape

export const sampleColumnsSchema = z
  .strictObject({
    step: stepColumn,
    ...columnShape,
    metrics: z
      .record(name, column)
      .refine(
        (metrics) => Object.keys(metrics).length <= limits.metricsMax,
        `must hold at most ${limits.metricsMax} metrics`,
      )
      .exactOptional(),
  })
  .transform((columns, context) => {
    const rows = columns.step.length
    const check = (key: string, values: unknown[] | undefined, path: string[]) => {
      if (values === undefined || values.length === 0 || values.length === rows) return
      context.addIssue({
        code: 'custom',
        path,
        message: `column ${key} has ${values.length} entries, step has ${rows}: a column must be as long as step, empty or absent`,
      })
    }
    for (const key of sampleColumnNames) {
      check(key, columns[key], [key])
      if (columns[key]?.length === 0) delete columns[key]
    }
    for (const [key, values] of Object.entries(columns.metrics ?? {})) {
      check(`metrics.${key}`, values, ['metrics', key])
      if (values.length === 0) delete columns.metrics?.[key]
    }
    return columns
  })
  .meta({ id: 'SampleColumns' }) satisfies z.ZodType<SampleColumns>

const score = {
  loss: looseNumber,
  accuracy: z.number().min(0).max(1).nullable().exactOptional(),
  lossByPart: z.array(looseNumber).max(limits.probePartsMax).exactOptional(),
}
const seconds = z.number().min(0)

export const probeSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('valley'),
      step,
      set: z.enum(['held-out', 'train']),
      examples: z.int().min(1),
      seconds,
      raw: z.strictObject(score),
      averaged: z.array(z.strictObject({ windowSteps: z.int().min(1), ...score })).max(limits.windowsMax),
    }),
    z.strictObject({
      kind: z.literal('line'),
      step,
      seconds,
      criticalLearningRate: z.number().positive().nullable(),
      curvature: finite.nullable(),
      noiseCurvature: finite.nullable().exactOptional(),
      examples: z.int().min(1).exactOptional(),
    }),
    z.strictObject({
      kind: z.literal('fork'),
      step,
      seconds,
      learningRate: rate,
      stepCount: z.int().min(1),
      raw: z.strictObject(score),
    }),
  ])
  .meta({ id: 'Probe' }) satisfies z.ZodType<Probe>

export const acknowledgementSchema = z
  .strictObject({
    actionId: name,
    status: z.enum(['done', 'failed', 'unsupported']),
    step,
    detail: text().default(''),
  })
  .meta({ id: 'Acknowledgement' }) satisfies z.ZodType<Acknowledgement>

export const telemetrySchema = z
  .strictObject({
    clientId: name,
    sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    steps: sampleColumnsSchema.exactOptional(),
    probes: z.array(probeSchema).max(limits.batchProbesMax).exactOptional(),
    acknowledgements: z.array(acknowledgementSchema).max(limits.batchAcknowledgementsMax).exactOptional(),
  })
  .meta({ id: 'Telemetry' }) satisfies z.ZodType<Telemetry>

export const segmentSchema = z
  .strictObject({
    fromStep: step,
    toStep: step,
    shape: z.enum(segmentShapes),
    from: rate,
    to: rate,
    momentum: z.number().min(0).lt(1).nullable().exactOptional(),
    phase: z.enum(phases).exactOptional(),
  })
  .meta({ id: 'Segment' }) satisfies z.ZodType<Segment>

export const planSchema = z
  .strictObject({
    version: z.int().min(0),
    segments: z.array(segmentSchema).min(1).max(limits.segmentsMax),
    tripwire: z
      .strictObject({
        lossAbove: finite.nullable(),
        gradientNormAbove: finite.nullable(),
        thenLearningRate: rate,
      })
      .nullable()
      .exactOptional(),
    cadence: z
      .strictObject({
        blockSteps: z.int().min(1),
        valleySteps: z.int().min(1).nullable(),
        lineSteps: z.int().min(1).nullable(),
        microBatchSteps: z.int().min(1).nullable(),
      })
      .nullable()
      .exactOptional(),
    awaitAtStep: step.nullable().exactOptional(),
  })
  .superRefine((plan, context) => {
    const problem = planProblem(plan)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })
  .meta({ id: 'Plan' }) satisfies z.ZodType<Plan>

const actionHead = { id: name, atStep: step }
export const actionSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...actionHead,
      kind: z.literal('checkpoint'),
      checkpoint: name,
      weights: z.literal('averaged').exactOptional(),
    }),
    z.strictObject({ ...actionHead, kind: z.literal('drop'), checkpoint: name }),
    z.strictObject({
      ...actionHead,
      kind: z.literal('restore'),
      checkpoint: name,
      rewindData: z.boolean(),
      skipBatches: z.int().min(0),
    }),
    z.strictObject({ ...actionHead, kind: z.literal('probe'), probe: z.enum(['valley', 'line']) }),
    z.strictObject({ ...actionHead, kind: z.enum(['pause', 'resume']) }),
    z.strictObject({
      ...actionHead,
      kind: z.literal('finish'),
      keep: z.union([z.enum(['last', 'averaged']), z.strictObject({ checkpoint: name })]),
    }),
  ])
  .meta({ id: 'Action', description: `One of ${actionKinds.join(', ')}` }) satisfies z.ZodType<Action>

const learningRateSchema = z
  .strictObject({
    initial: z.number().positive().nullable().default(null),
    min: rate.nullable().default(null),
    max: z.number().positive().nullable().default(null),
  })
  .superRefine(({ initial, min, max }, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (min !== null && max !== null && min > max) issue('min', `must be at most max ${max}, got ${min}`)
    if (initial !== null && max !== null && initial > max)
      issue('initial', `must be at most max ${max}, got ${initial}`)
    if (initial !== null && min !== null && initial < min)
      issue('initial', `must be at least min ${min}, got ${initial}`)
  })

const budget = z.int().min(20).max(limits.stepMax)

/** Body of `POST /runs`: everything has a default, so `{}` starts a run that only reports its loss. */
export const createRunSchema = z
  .strictObject({
    runId: runIdSchema.optional(),
    resume: z.enum(['never', 'allow', 'must']).default('never'),
    name: name.optional(),
    project: name.default('default'),
    tags: z.array(name).max(limits.tagsMax).default([]),
    framework: text(limits.nameCharactersMax).default('unknown'),
    optimizer: z
      .strictObject({ name, momentum: z.number().min(0).lt(1).nullish() })
      .default({ name: 'unknown', momentum: null }),
    budgetSteps: budget.nullable().default(null),
    mode: z.enum(modes).default('auto'),
    capabilities: z.array(z.enum(capabilities)).max(capabilities.length).default([]),
    learningRate: learningRateSchema.default({ initial: null, min: null, max: null }),
    settings: z
      .record(name, z.union([text(), finite, z.boolean(), z.null()]))
      .refine(
        (settings) => Object.keys(settings).length <= limits.settingsMax,
        `must hold at most ${limits.settingsMax} entries`,
      )
      .default({}),
  })
  .meta({ id: 'CreateRun' })
export type CreateRun = z.infer<typeof createRunSchema>

/** Body of `PATCH /runs/{id}`. */
export const changeRunSchema = z
  .strictObject({
    name: name.optional(),
    project: name.optional(),
    tags: z.array(name).max(limits.tagsMax).optional(),
    mode: z.enum(modes).optional(),
    budgetSteps: budget.nullable().optional(),
    reason: text().default(''),
  })
  .meta({ id: 'ChangeRun' })
export type ChangeRun = z.infer<typeof changeRunSchema>

/** Body of `POST /runs/{id}/commands`. */
export const commandSchema = z
  .strictObject({
    kind: z.enum(['pause', 'resume', 'switch-now', 'undo-switch', 'finish']),
    reason: text().default(''),
  })
  .meta({ id: 'CommandRequest' })

/** Body of `POST /runs/{id}/decisions/{number}/approve` and `…/reject`. */
export const approvalSchema = z.strictObject({ reason: text().default('') }).meta({ id: 'ApprovalRequest' })

/** Body of `POST /runs/{id}/overrides`. */
export const overrideSchema = z
  .strictObject({
    learningRate: rate,
    untilStep: step,
    reason: z.string().min(1).max(limits.textCharactersMax),
  })
  .meta({ id: 'OverrideRequest' })

/** Query of `GET /runs/{id}/series`. */
export const seriesQuerySchema = z
  .strictObject({
    signals: text().optional(),
    from: z.coerce.number().int().min(0).max(limits.stepMax).default(0),
    to: z.coerce.number().int().min(0).max(limits.stepMax).default(limits.stepMax),
    points: z.coerce.number().int().min(50).max(limits.seriesPointsMax).default(1_000),
  })
  .meta({ id: 'SeriesQuery' })

export const subscribeSchema = z
  .strictObject({
    runId: runIdSchema,
    afterDecision: z.int().min(0),
    afterStep: step,
    points: z.int().min(50).max(limits.seriesPointsMax),
  })
  .meta({ id: 'Subscribe' }) satisfies z.ZodType<SubscribeRequest>

/** A parsed batch is a batch of the vocabulary: compiles without a cast, or the schema has drifted. */
export const parsedTelemetry = (value: z.infer<typeof telemetrySchema>): Telemetry => value

/** The run's options from its creation request. `name` defaults to the run's id. */
export function runOptions(request: CreateRun, runId: string): RunOptions {
  const {
    name: givenName,
    project,
    tags,
    framework,
    optimizer,
    budgetSteps,
    mode,
    learningRate,
    settings,
  } = request
  return {
    name: givenName ?? runId,
    project,
    tags,
    framework,
    optimizer: { name: optimizer.name, momentum: optimizer.momentum ?? null },
    budgetSteps,
    mode,
    capabilities: [...new Set(request.capabilities)],
    learningRate,
    settings,
  }
}

/** A command's body together with who sent it. */
export function commandOf(request: z.infer<typeof commandSchema>, by: string): Command {
  return { kind: request.kind, reason: request.reason, by }
}
