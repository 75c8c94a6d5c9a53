// What a person or a job asks for: bodies and queries of the HTTP API, and the words of the vocabulary that they become.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { capabilities, modes, optimizerFamilies } from '../lists.ts'
import { familyOf } from '../optimizers.ts'
import { type Command, plainCommandSchema } from './log.ts'
import type { RunOptions } from './runs.ts'
import { finite, name, type Parsed, queryNumber, rate, recordOf, runIdSchema, step, text } from './values.ts'

export const learningRateSchema = z
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

export const budget = z.int().min(20).max(limits.stepMax)

export const optimizerSchema = z.strictObject({
  name,
  /** Default: by the name. */
  family: z.enum(optimizerFamilies).optional(),
  momentum: z.number().min(0).lt(1).nullish(),
  weightDecay: z.number().min(0).nullish(),
})

/** Body of `POST /runs`: everything has a default, so `{}` starts a run that only reports its loss. */
export const createRunSchema = z
  .strictObject({
    runId: runIdSchema.optional(),
    resume: z.enum(['never', 'allow', 'must']).default('never'),
    name: name.optional(),
    project: name.default('default'),
    tags: z.array(name).max(limits.tagsMax).default([]),
    framework: text(limits.nameCharactersMax).default('unknown'),
    optimizer: optimizerSchema.default({ name: 'unknown' }),
    /** null = until the tuner ends it, which is the default of a new run. Of a resumed one, absent = as it was. */
    budgetSteps: budget.nullable().optional(),
    warmupSteps: step.nullable().default(null),
    /** The number that the job's first step will have, where its counter does not begin at 0. */
    firstStep: step.nullable().default(null),
    /** A step of the run is so many tokens, whatever an update takes; null = it is an update. */
    tokensPerStep: z.int().min(1).max(limits.stepMax).nullable().default(null),
    mode: z.enum(modes).default('auto'),
    capabilities: z.array(z.enum(capabilities)).max(capabilities.length).default([]),
    learningRate: learningRateSchema.default({ initial: null, min: null, max: null }),
    settings: recordOf(z.union([text(), finite, z.boolean(), z.null()]), {
      entriesMax: limits.settingsMax,
    }).default({}),
  })
  .meta({ id: 'CreateRun' })
export type CreateRun = Parsed<typeof createRunSchema>

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
export type ChangeRun = Parsed<typeof changeRunSchema>

/** Body of `POST /runs/{id}/commands`. */
export const commandRequestSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: plainCommandSchema, reason: text().default('') }),
    z.strictObject({
      kind: z.literal('branch'),
      /** Of the copy's anneal; null = as many as one would take now. */
      steps: z.int().min(2).max(limits.stepMax).nullable().default(null),
      reason: text().default(''),
    }),
  ])
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

/** One name, several separated by commas, or the parameter once for each. */
const signalsGiven = z.union([text(), z.array(text()).max(limits.metricsMax)]).optional()

/** Query of `GET /runs/{id}/series`. */
export const seriesQuerySchema = z.strictObject({
  /** Absent = all. */
  signals: signalsGiven,
  from: queryNumber(0, limits.stepMax).default(0),
  to: queryNumber(0, limits.stepMax).default(limits.stepMax),
  points: queryNumber(50, limits.seriesPointsMax).default(1_000),
})

/** Query of `GET /runs/{id}/series/compact`. */
export const compactSeriesQuerySchema = seriesQuerySchema.extend({
  /** Signals of which least, most and counts are told as well; absent = none. */
  extremes: signalsGiven,
  /** Significant digits of values. */
  digits: queryNumber(3, 17).default(6),
})

/** The run's options from its creation request. `name` defaults to the run's id. */
export function runOptions(request: CreateRun, runId: string): RunOptions {
  const { name: givenName, project, tags, framework, optimizer, mode, learningRate, settings } = request
  return {
    name: givenName ?? runId,
    project,
    tags,
    framework,
    optimizer: {
      name: optimizer.name,
      family: optimizer.family ?? familyOf(optimizer.name),
      momentum: optimizer.momentum ?? null,
      weightDecay: optimizer.weightDecay ?? null,
    },
    budgetSteps: request.budgetSteps ?? null,
    warmupSteps: request.warmupSteps,
    firstStep: request.firstStep,
    ...(request.tokensPerStep === null ? {} : { tokensPerStep: request.tokensPerStep }),
    mode,
    capabilities: [...new Set(request.capabilities)],
    learningRate,
    settings,
  }
}

/** A command's body together with who sent it. */
export function commandOf(request: Parsed<typeof commandRequestSchema>, by: string): Command {
  return { ...request, by }
}
