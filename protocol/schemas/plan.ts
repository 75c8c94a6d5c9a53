// What the training side is asked to do: the plan, with the limits that it keeps by itself, and actions with their
// acknowledgements. plan.ts evaluates a plan. Parts of answers: a field that a job does not know is left out, not refused.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { acknowledgementStatuses, phases, segmentShapes } from '../lists.ts'
import { planProblem } from '../plan.ts'
import { finite, looseNumber, name, type Parsed, rate, step, text, toldStep } from './values.ts'

/** The rate over steps fromStep ≤ step < toStep. `from` and `to` are learning rates (≥ 0; > 0 for `exponential`). */
export const segmentSchema = z
  .object({
    fromStep: toldStep,
    toStep: toldStep,
    shape: z.enum(segmentShapes),
    from: rate,
    to: rate,
    /** Momentum coefficient in [0, 1) during the segment; absent or null = the job's own. */
    momentum: z.number().min(0).lt(1).nullable().exactOptional(),
    /** The phase that the segment belongs to, for the page's colours. */
    phase: z.enum(phases).exactOptional(),
  })
  .meta({ id: 'Segment' })
export type Segment = Parsed<typeof segmentSchema>

/** Obeyed by the client alone between two answers: beyond a limit it takes `thenLearningRate` and reports at once. */
export const tripwireSchema = z
  .object({
    /** A smoothed training loss above this trips; non-finite loss at 5 steps in a row always trips. */
    lossAbove: finite.nullable(),
    /** Euclidean norm (not squared) of the full batch gradient above which the wire trips. */
    gradientNormAbove: finite.nullable(),
    thenLearningRate: rate,
  })
  .meta({ id: 'Tripwire' })
export type Tripwire = Parsed<typeof tripwireSchema>

const every = z.int().min(1)
/** How often the job measures, in steps; null = not asked for. */
export const cadenceSchema = z
  .object({
    /** Length of an averaging block: the device keeps one mean of the weights per block. */
    blockSteps: every,
    valleySteps: every.nullable(),
    lineSteps: every.nullable(),
    microBatchSteps: every.nullable(),
  })
  .meta({ id: 'Cadence' })
export type Cadence = Parsed<typeof cadenceSchema>

/** The learning rate ahead. Any client evaluates it by itself, so a lost server never stalls a job. */
export const planSchema = z
  .object({
    /** Grows by one with each change. */
    version: z.int().min(0),
    /** In order, without gaps; after the last one its `to` holds. */
    segments: z.array(segmentSchema).min(1).max(limits.segmentsMax),
    tripwire: tripwireSchema.nullable().exactOptional(),
    cadence: cadenceSchema.nullable().exactOptional(),
    /** A client that can afford it waits here (before this step) for an answer, for a bounded time; null = never. */
    awaitAtStep: toldStep.nullable().exactOptional(),
  })
  .superRefine((plan, context) => {
    const problem = planProblem(plan)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })
  .meta({ id: 'Plan' })
export type Plan = Parsed<typeof planSchema>

const actionHead = { id: name, atStep: toldStep }
/** What the training side is asked to do before step `atStep` is taken (at once, if that step is past). */
export const actionSchema = z
  .discriminatedUnion('kind', [
    z.object({
      ...actionHead,
      kind: z.literal('checkpoint'),
      checkpoint: name,
      /** The mean over the longest window of averaged weights in place of the present ones; absent = the present ones. */
      weights: z.literal('averaged').exactOptional(),
    }),
    z.object({ ...actionHead, kind: z.literal('drop'), checkpoint: name }),
    z.object({
      ...actionHead,
      kind: z.literal('restore'),
      checkpoint: name,
      /** true: the data order and the random state go back as well, so the same batches come again. */
      rewindData: z.boolean(),
      /** Batches to leave out after the restore (a bad batch may be what diverged). */
      skipBatches: z.int().min(0),
    }),
    z.object({
      ...actionHead,
      kind: z.literal('probe'),
      probe: z.enum(['valley', 'line']),
      /** Of a valley probe: these checkpoints' weights are scored as well, all of them over every held-out example there is. */
      checkpoints: z.array(name).max(limits.windowsMax).exactOptional(),
    }),
    z.object({ ...actionHead, kind: z.literal('pause') }),
    z.object({ ...actionHead, kind: z.literal('resume') }),
    z.object({
      ...actionHead,
      kind: z.literal('finish'),
      /** A named checkpoint, the last weights, or the averaged weights of the last block. */
      keep: z.union([z.enum(['last', 'averaged']), z.object({ checkpoint: name })]),
    }),
    z.object({
      ...actionHead,
      kind: z.literal('branch'),
      /** A copy of the state takes so many steps, its rate falling from that of `atStep` to 0. */
      steps: z.int().min(2),
      shape: z.enum(segmentShapes),
    }),
  ])
  .meta({ id: 'Action' })
export type Action = Parsed<typeof actionSchema>

export const acknowledgementSchema = z
  .strictObject({
    actionId: name,
    status: z.enum(acknowledgementStatuses),
    step,
    detail: text().default(''),
    /** Of a branch that is done: where it left the run, its steps, and its held-out loss; null = not measured. */
    branch: z
      .strictObject({
        fromStep: step,
        steps: z.int().min(1).max(limits.stepMax),
        loss: looseNumber.nullable(),
      })
      .exactOptional(),
  })
  .meta({ id: 'Acknowledgement' })
export type Acknowledgement = Parsed<typeof acknowledgementSchema>
