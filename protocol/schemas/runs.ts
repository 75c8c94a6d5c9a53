// What the server says of runs: options, the summary that lists and heads of pages show, and the answers to jobs and
// people.

import { z } from 'zod'
import { branchStates, capabilities, modes, optimizerFamilies, phases, runStates } from '../lists.ts'
import { decisionSchema, evidenceSchema, forecastSchema, regimeReadingSchema } from './decisions.ts'
import { actionSchema, planSchema, segmentSchema } from './plan.ts'
import {
  count,
  finite,
  type Parsed,
  rate,
  recordOf,
  runIdSchema,
  share,
  step,
  time,
  toldStep,
} from './values.ts'

export const optimizerSchema = z
  .object({
    name: z.string(),
    family: z.enum(optimizerFamilies),
    /** Momentum coefficient in [0, 1): of SGD, or β₁ of Adam; null = not known. */
    momentum: finite.nullable(),
    /** null = not known. */
    weightDecay: finite.nullable(),
  })
  .meta({ id: 'Optimizer' })
export type OptimizerInfo = Parsed<typeof optimizerSchema>

/** What is fixed (or first known) about a run when it starts. */
export const runOptionsSchema = z
  .object({
    name: z.string(),
    project: z.string(),
    tags: z.array(z.string()),
    framework: z.string(),
    optimizer: optimizerSchema,
    /** Where the job's counter ends, if above its first step; else steps to take; null = until the tuner ends it. */
    budgetSteps: step.nullable(),
    /** Steps over which the job's own warm-up raises the rate; null = it has none, and the tuner makes one. */
    warmupSteps: step.nullable(),
    /** The number that the job's first step will have; null = not told, so the first reported one is the first. */
    firstStep: step.nullable(),
    /** Tokens that are one step of the run; absent = a step is an update. */
    tokensPerStep: z.int().min(1).exactOptional(),
    mode: z.enum(modes),
    capabilities: z.array(z.enum(capabilities)),
    /** `initial` null = let the tuner find it. Bounds of every rate that the tuner may set. */
    learningRate: z.object({ initial: finite.nullable(), min: finite.nullable(), max: finite.nullable() }),
    /** The job's own facts, shown and kept, never interpreted. */
    settings: recordOf(z.union([z.string(), finite, z.boolean(), z.null()])),
  })
  .meta({ id: 'RunOptions' })
export type RunOptions = Parsed<typeof runOptionsSchema>

/** A stretch of the run in one phase; `toStep` null = still in it. */
export const phaseSpanSchema = z
  .object({ phase: z.enum(phases), fromStep: toldStep, toStep: toldStep.nullable() })
  .meta({ id: 'PhaseSpan' })
export type PhaseSpan = Parsed<typeof phaseSpanSchema>

/** A copy that is annealed beside the run, on a person's word. */
export const branchSchema = z
  .object({
    /** Of the decision that told of it. */
    number: z.int().min(1),
    fromStep: toldStep,
    steps: z.int().min(1),
    state: z.enum(branchStates),
    /** Held-out loss that it ended at; null = not measured, or not yet. */
    loss: finite.nullable(),
    promised: forecastSchema.nullable(),
  })
  .meta({ id: 'Branch' })
export type Branch = Parsed<typeof branchSchema>

/** What the run list and the head of the run page show. Made by the server from the tuner's state. */
export const runSummarySchema = z
  .object({
    id: runIdSchema,
    options: runOptionsSchema,
    state: z.enum(runStates),
    mode: z.enum(modes),
    phase: z.enum(phases),
    regime: regimeReadingSchema,
    /** Steps reported so far (the next step's number). */
    step: toldStep,
    budgetSteps: step.nullable(),
    /** The sentence: what, where, why, what next. */
    headline: z.string(),
    loss: finite.nullable(),
    learningRate: rate.nullable(),
    largeLearningRate: rate.nullable(),
    /** What was measured on held-out examples after the search, by the better of present and averaged weights at each
     *  probe: the newest, and the best so far. Absent = nothing was. */
    heldOut: z
      .object({
        loss: finite,
        lossBest: finite,
        /** null = the job reports none. */
        accuracy: finite.nullable(),
        accuracyBest: finite.nullable(),
      })
      .meta({ id: 'HeldOut' })
      .exactOptional(),
    /** Where the job was steered into the anneal; advice alone never sets it. */
    switchStep: toldStep.nullable(),
    /** While the search goes on: its arms so far, slowest rate first, as the record of its end will have them. */
    race: z.array(evidenceSchema).exactOptional(),
    plan: planSchema,
    phases: z.array(phaseSpanSchema),
    override: z.object({ learningRate: rate, untilStep: toldStep, reason: z.string() }).nullable(),
    decisionCount: count,
    /** Number of the decision that awaits approval; null = none does. */
    awaitingDecision: z.int().nullable(),
    /** Shares of the run's time in [0, 1]; null while unknown. */
    signalShare: finite.nullable(),
    probeShare: finite.nullable(),
    stepsPerSecond: finite.nullable(),
    /** Up to 40 smoothed losses over the run, oldest first, for the list's small curve. */
    spark: z.array(finite),
    /** Samples that were left out of the signals, by what was wrong with them. */
    badSamples: z.object({
      nonFinite: count,
      nonFiniteNorms: count,
      skipped: count,
      outOfOrder: count,
      repeated: count,
      farAhead: count,
    }),
    /** The job's rate is not the planned one since a step; null = it is. */
    drift: z.object({ sinceStep: toldStep, applied: rate, planned: rate }).nullable(),
    /** Of an ended run: the loss at its start and of the weights kept. `isBetter` null = not measured. */
    outcome: z
      .object({
        firstLoss: finite.nullable(),
        keptLoss: finite.nullable(),
        isBetter: z.boolean().nullable(),
        /** Whether `keptLoss` is a held-out loss; else it is the mean of the last training losses. `firstLoss` is of training. */
        isHeldOut: z.boolean().exactOptional(),
      })
      .nullable(),
    /** The final loss that was promised when the anneal began, and, once ended, the one that was reached on the same
     *  examples, and whether it lies within the interval; null = nothing was promised. */
    forecast: forecastSchema
      .extend({ reached: finite.nullable(), isInside: z.boolean().nullable() })
      .meta({ id: 'KeptForecast' })
      .nullable(),
    /** In advisory mode: what is advised and not done. */
    advice: z.object({ step: toldStep, kind: z.enum(['switch', 'finish']) }).nullable(),
    /** Copies that were annealed beside it, oldest first, at most 16. */
    branches: z.array(branchSchema),
    createdAt: time,
    lastSeenAt: time,
  })
  .meta({ id: 'RunSummary' })
export type RunSummary = Parsed<typeof runSummarySchema>
export type HeldOut = NonNullable<RunSummary['heldOut']>

const steering = { run: runSummarySchema, plan: planSchema, actions: z.array(actionSchema) }

/** What a job gets when it creates or resumes a run. */
export const runAnswerSchema = z
  .object({
    ...steering,
    /** The next sequence number per client that has reported; 1 for any other. */
    nextSequence: recordOf(z.int().min(1)),
  })
  .meta({ id: 'RunAnswer' })
export type RunAnswer = Parsed<typeof runAnswerSchema>

/** What a person gets who takes over, commands or approves. */
export const controlAnswerSchema = z
  .object({ ...steering, decisions: z.array(decisionSchema) })
  .meta({ id: 'ControlAnswer' })
export type ControlAnswer = Parsed<typeof controlAnswerSchema>

/** The answer to a telemetry batch. */
export const telemetryAnswerSchema = z
  .object({
    accepted: count,
    duplicate: z.boolean(),
    nextSequence: z.int().min(1),
    phase: z.enum(phases),
    regime: regimeReadingSchema,
    plan: planSchema,
    actions: z.array(actionSchema),
    /** The newest decision, if this batch made one. */
    decision: decisionSchema.exactOptional(),
  })
  .meta({ id: 'TelemetryAnswer' })
export type TelemetryAnswer = Parsed<typeof telemetryAnswerSchema>

/** What to do now, for a job or a person that only asks: the plan evaluated at the run's step. */
export const recommendationSchema = z
  .object({
    runId: runIdSchema,
    step: toldStep,
    learningRate: rate,
    momentum: finite.nullable(),
    plan: planSchema,
    phase: z.enum(phases),
    regime: regimeReadingSchema,
    /** Probability behind the newest decision's test; null if it had none. */
    confidence: share.nullable(),
    reason: z.string(),
    status: z.enum(['recommended', 'insufficient-evidence']),
  })
  .meta({ id: 'Recommendation' })
export type Recommendation = Parsed<typeof recommendationSchema>

/** Steps taken at one rate; `toStep` is one past the last. */
const appliedSpanSchema = z.object({
  fromStep: toldStep,
  toStep: toldStep,
  learningRate: finite,
  momentum: finite.nullable(),
})
export type AppliedSpan = Parsed<typeof appliedSpanSchema>

/** The rates that were applied and those that are planned. */
export const scheduleSchema = z
  .object({
    runId: runIdSchema,
    budgetSteps: step.nullable(),
    /** Steps reported so far; `planned` holds from here on. */
    step: toldStep,
    applied: z.array(appliedSpanSchema),
    planned: z.array(segmentSchema),
  })
  .meta({ id: 'Schedule' })
export type Schedule = Parsed<typeof scheduleSchema>
