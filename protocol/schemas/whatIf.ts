// What a run would have been told under other settings: its log, folded again. Settings that the tuner does not read are no
// part of it, nor are facts of what the job did, such as its optimizer and its first step, which no wish changes.

import { z } from 'zod'
import { capabilities, decisionKinds, decisionStatuses, modes } from '../lists.ts'
import { planSchema } from './plan.ts'
import { budget } from './requests.ts'
import { runSummarySchema } from './runs.ts'
import { count, type Parsed, rate, runIdSchema, step, toldStep } from './values.ts'

/** Body of `POST /runs/{id}/what-if`: what is not named stays as it was. */
export const whatIfRequestSchema = z
  .strictObject({
    mode: z.enum(modes).optional(),
    budgetSteps: budget.nullable().optional(),
    /** Of those that the run has: the log holds nothing that was not measured. */
    capabilities: z.array(z.enum(capabilities)).max(capabilities.length).optional(),
    learningRate: z
      .strictObject({
        initial: z.number().positive().nullable().optional(),
        min: rate.nullable().optional(),
        max: z.number().positive().nullable().optional(),
      })
      .optional(),
    warmupSteps: step.nullable().optional(),
    /** What was known before this step was taken: the log is folded up to there; absent = all of it. */
    untilStep: step.optional(),
  })
  .meta({ id: 'WhatIfRequest' })
export type WhatIfRequest = Parsed<typeof whatIfRequestSchema>

const headSchema = z
  .object({
    step: toldStep,
    kind: z.enum(decisionKinds),
    status: z.enum(decisionStatuses),
    summary: z.string(),
  })
  .meta({ id: 'DecisionHead' })

export const whatIfAnswerSchema = z
  .object({
    /** The run as it would be shown. */
    run: runSummarySchema,
    plan: z.object({ real: planSchema, whatIf: planSchema }),
    /** By their number, from 1 on; null = that side has none of it. Up to 1,000: the counts say how many there are. */
    decisions: z.array(
      z.object({ number: z.int().min(1), real: headSchema.nullable(), whatIf: headSchema.nullable() }),
    ),
    decisionCount: z.object({ real: count, whatIf: count }),
    /** Number of the first decision that is not the same byte for byte; null = none differs. */
    differsFrom: z.int().min(1).nullable(),
    observations: z.int().min(1),
    /** Commands of the log that were left out, because they set what this asks for. */
    commandsLeftOut: count,
    runId: runIdSchema,
    note: z.string(),
  })
  .meta({ id: 'WhatIfAnswer' })
export type WhatIfAnswer = Parsed<typeof whatIfAnswerSchema>
export type DecisionHead = Parsed<typeof headSchema>
