// What a job is answered: the plan and the actions.

import { z } from 'zod'
import { planProblem } from '../plan.ts'
import { type Action, actionKinds, type Plan, phases, type Segment, segmentShapes } from '../vocabulary.ts'
import { finite, limits, name, rate, step } from './values.ts'

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
    z.strictObject({
      ...actionHead,
      kind: z.literal('probe'),
      probe: z.enum(['valley', 'line']),
      checkpoints: z.array(name).max(limits.windowsMax).exactOptional(),
    }),
    z.strictObject({ ...actionHead, kind: z.enum(['pause', 'resume']) }),
    z.strictObject({
      ...actionHead,
      kind: z.literal('finish'),
      keep: z.union([z.enum(['last', 'averaged']), z.strictObject({ checkpoint: name })]),
    }),
  ])
  .meta({ id: 'Action', description: `One of ${actionKinds.join(', ')}` }) satisfies z.ZodType<Action>
