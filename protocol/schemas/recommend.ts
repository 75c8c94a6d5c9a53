// A schedule for a job that reports to nobody: asked for once, from what the asker knows.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { phases } from '../lists.ts'
import { regimeReadingSchema } from './decisions.ts'
import { planSchema } from './plan.ts'
import { budget, createRunSchema } from './requests.ts'
import { probeSchema, sampleColumnsSchema } from './telemetry.ts'
import { count, finite, name, type Parsed, rate, runIdSchema, share, toldStep } from './values.ts'

/** Body of `POST /schedules/recommend`: what a run is created with, and what such a run would have reported by now. */
export const recommendRequestSchema = createRunSchema
  .pick({ optimizer: true, warmupSteps: true, firstStep: true, learningRate: true })
  .extend({
    budgetSteps: budget,
    /** As in telemetry: `step` with `loss`, `learningRate` or whatever else is known. */
    steps: sampleColumnsSchema.exactOptional(),
    probes: z.array(probeSchema).max(limits.batchProbesMax).exactOptional(),
    /** Learn from its finished runs. */
    project: name.exactOptional(),
  })
  .meta({ id: 'RecommendRequest' })
export type RecommendRequest = Parsed<typeof recommendRequestSchema>

/** What finished runs of a project say of the next one. */
export const learnedSchema = z
  .object({
    project: z.string(),
    /** Finished runs that were looked at, the newest. */
    finished: count,
    /** Those with the same optimizer family that ended better than they began, with a rate and a switch of their own. */
    runs: z.array(runIdSchema),
    /** Medians of them; null = there was none. */
    learningRate: rate.nullable(),
    /** Of the steps, in [0, 1]: where the anneal began. */
    switchShare: share.nullable(),
  })
  .meta({ id: 'Learned' })
export type Learned = Parsed<typeof learnedSchema>

export const confidenceLevels = ['assumed', 'learned', 'measured'] as const
export const basisKinds = ['given-rate', 'usual-rate', 'project', 'steps', 'probes', 'fallback-plan'] as const

export const scheduleRecommendationSchema = z
  .object({
    /** The step that the rate holds for: the next one. */
    step: toldStep,
    learningRate: rate,
    momentum: finite.nullable(),
    plan: planSchema,
    phase: z.enum(phases),
    regime: regimeReadingSchema,
    confidence: z.object({
      level: z.enum(confidenceLevels),
      /** Probability behind the newest decision's test; null if it had none. */
      probability: share.nullable(),
      why: z.string(),
    }),
    reason: z.string(),
    status: z.enum(['recommended', 'insufficient-evidence']),
    /** What it rests on, and how many of them there are. */
    basis: z.array(z.object({ kind: z.enum(basisKinds), count, text: z.string() })),
    /** null = no project was named. */
    learned: learnedSchema.nullable(),
  })
  .meta({ id: 'ScheduleRecommendation' })
export type ScheduleRecommendation = Parsed<typeof scheduleRecommendationSchema>
