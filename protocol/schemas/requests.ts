// What a person or a job asks for: bodies and queries of the HTTP API, subscriptions, and the words of the vocabulary
// that they become.

import { z } from 'zod'
import { type Command, capabilities, modes, type RunOptions, type SubscribeRequest } from '../vocabulary.ts'
import { finite, limits, name, rate, runIdSchema, step, text } from './values.ts'

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
