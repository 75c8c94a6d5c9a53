// Decisions with everything they rest on, and the signals that the tuner derives. Records are keys and numbers; the two
// sentences (`summary`, `whyNotYet`) are made from them by the tuner, for people, and no program reads them.

import { z } from 'zod'
import { decisionKinds, decisionStatuses, modes, phases, regimeNames, signalNames } from '../lists.ts'
import { planSchema } from './plan.ts'
import { count, finite, key, type Parsed, rate, runIdSchema, share, time, toldStep } from './values.ts'

/** A value with its standard error (same unit). */
const sideSchema = z.object({ value: finite, standardError: finite.nullable() })
export type Side = Parsed<typeof sideSchema>

/** A final loss that is expected, with its 95 % interval; `standardError`: half of that over 1.96. */
export const forecastSchema = z
  .object({ value: finite, standardError: finite, low: finite, high: finite })
  .meta({ id: 'Forecast' })
export type Forecast = Parsed<typeof forecastSchema>

/** A measured number: value with its standard error (same unit) and the count behind it. */
export type Measured = {
  readonly value: number | null
  readonly standardError: number | null
  readonly count: number
}

export const regimeReadingSchema = z
  .object({
    name: z.enum(regimeNames),
    /** In [0, 1], 1 = large-step; null while unknown. */
    index: finite.nullable(),
    /** 95 % interval of the index. */
    low: finite.nullable(),
    high: finite.nullable(),
    /** What is missing, while unknown: `no-probes`, `too-few-probes`, `no-gain-measured`, `undecided` (the interval holds ½). */
    reason: key.exactOptional(),
  })
  .meta({ id: 'RegimeReading' })
export type RegimeReading = Parsed<typeof regimeReadingSchema>

/** Why, as a key of a closed list and the numbers that its sentence needs. */
const reasonSchema = z
  .object({
    key,
    values: z.record(z.string(), finite.nullable()),
    /** Words of a person or of the job, as they are. */
    text: z.string().exactOptional(),
  })
  .meta({ id: 'Reason' })
export type Reason = Parsed<typeof reasonSchema>

const testSchema = z
  .object({
    /** `marginal-cost`, `diminishing-returns`, `memorising`, `rise`, `comparison`, `longer-budget`, `regime` or `race`. */
    key,
    left: sideSchema,
    relation: z.enum(['<=', '>=', '<', '>']),
    right: sideSchema,
    satisfied: z.boolean(),
    /** Of the last `of` readings, `met` satisfied the relation. */
    hits: z.object({ met: count, of: count }),
    /** P(relation holds), from both standard errors; null where one is unknown. */
    probability: share.nullable(),
  })
  .meta({ id: 'DecisionTest' })
export type DecisionTest = Parsed<typeof testSchema>

export const evidenceSchema = z
  .object({
    signal: z.string(),
    value: finite.nullable(),
    standardError: finite.nullable(),
    unit: z.string(),
    count,
    /** A key: where the value comes from. */
    source: z.string(),
    /** The rate of a race's arm (signal `arm`). */
    learningRate: rate.exactOptional(),
    /** Of an arm: its first step, and one past its last; without that it still runs, or was left in the middle. */
    fromStep: toldStep.exactOptional(),
    toStep: toldStep.exactOptional(),
  })
  .meta({ id: 'Evidence' })
export type Evidence = Parsed<typeof evidenceSchema>

/** A course that was weighed, and the loss it is expected to end at. */
const alternativeSchema = z
  .object({
    kind: z.enum(['now', 'at', 'never', 'merge']),
    switchStep: toldStep.nullable(),
    finalLoss: finite,
    standardError: finite,
    /** 95 % interval of the final loss. */
    low: finite,
    high: finite,
  })
  .meta({ id: 'Alternative' })
export type Alternative = Parsed<typeof alternativeSchema>

/** When another rule would have switched; null = not yet. */
const counterfactualSchema = z
  .object({
    rule: z.string(),
    step: toldStep.nullable(),
    /** Where a fixed anneal will begin, while that lies ahead. */
    plannedStep: toldStep.exactOptional(),
    /** The loss that an anneal from there to the end is expected to reach; told while the large step holds. */
    finalLoss: finite.exactOptional(),
  })
  .meta({ id: 'Counterfactual' })
export type Counterfactual = Parsed<typeof counterfactualSchema>

/** An immutable record of what changed, from what evidence, or why not yet. */
export const decisionSchema = z
  .object({
    number: z.int().min(1),
    runId: runIdSchema,
    step: toldStep,
    kind: z.enum(decisionKinds),
    /** One sentence that an engineer without the theory understands. */
    summary: z.string(),
    phase: z.object({ from: z.enum(phases), to: z.enum(phases) }),
    regime: regimeReadingSchema,
    /** Of a transition: the regime that was known before, and the one that is known now. */
    transition: z.object({ from: z.enum(regimeNames), to: z.enum(regimeNames) }).exactOptional(),
    plan: planSchema,
    reason: reasonSchema,
    test: testSchema.exactOptional(),
    evidence: z.array(evidenceSchema),
    whyNotYet: z.string().exactOptional(),
    earliestStep: toldStep.nullable().exactOptional(),
    alternatives: z.array(alternativeSchema),
    counterfactuals: z.array(counterfactualSchema),
    rule: z.object({ id: z.string(), version: z.int() }),
    mode: z.enum(modes),
    status: z.enum(decisionStatuses),
    /** Of a record that ends the wait of an earlier decision for approval: that decision's number. */
    answers: z.int().min(1).exactOptional(),
    /** Who asked for it, and why; absent = nobody did. */
    person: z.object({ by: z.string(), reason: z.string() }).exactOptional(),
    /** The final loss that was promised when the anneal began. */
    promised: forecastSchema.nullable().exactOptional(),
    /** Of a finish: the loss that was reached. */
    reached: finite.nullable().exactOptional(),
    /** Of a finish: what was reached lies within the interval that was promised. */
    isInside: z.boolean().exactOptional(),
    /** Number of the observation that caused it. */
    cause: z.int().min(1),
    /** When that observation was received. */
    madeAt: time,
  })
  .meta({ id: 'Decision' })
export type Decision = Parsed<typeof decisionSchema>

/** A signal's value as charted: at a step, with its uncertainty. Stored as a series beside the raw columns. */
export const signalReadingSchema = z.object({
  signal: z.enum(signalNames),
  step: toldStep,
  value: finite,
  standardError: finite.nullable(),
})
export type SignalReading = Parsed<typeof signalReadingSchema>

export const decisionListSchema = z
  .object({
    decisions: z.array(decisionSchema),
    /** The `after` of the next page; null = there is none. */
    next: z.int().nullable(),
  })
  .meta({ id: 'DecisionList' })
export type DecisionList = Parsed<typeof decisionListSchema>

export const transitionListSchema = z
  .object({
    /** Decisions of kind `transition`. */
    transitions: z.array(decisionSchema),
    /** The `after` of the next page; null = there is none. */
    next: z.int().nullable(),
  })
  .meta({ id: 'TransitionList' })
export type TransitionList = Parsed<typeof transitionListSchema>
