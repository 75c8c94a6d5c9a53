// A run's log as a file: NDJSON, one line for what is known of the run beside its log, one line an observation, and a
// last line without which the file was cut. Decisions are not in it, as they follow from the log; their hashes are, so
// that whoever imports it can say whether they came out the same.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { capabilities } from '../lists.ts'
import { familyOf } from '../optimizers.ts'
import { observationBodies } from './log.ts'
import { type RunOptions, runOptionsSchema, runSummarySchema } from './runs.ts'
import { probeSchema, sampleColumnsSchema } from './telemetry.ts'
import { count, name, type Parsed, runIdSchema, seconds, text } from './values.ts'

export const logFileVersion = 1

/** ISO 8601, UTC, with milliseconds. */
const moment = z.iso.datetime({
  precision: 3,
  error: ({ input }) =>
    typeof input === 'string' ? 'must be a time such as "2025-01-31T12:00:00.000Z"' : undefined,
})

export const logHeaderSchema = z
  .strictObject({
    format: z.literal('twostep-log'),
    version: z.literal(logFileVersion),
    run: z.strictObject({
      id: runIdSchema,
      /** As a person may have changed them since the start. */
      name,
      project: name,
      tags: z.array(name).max(limits.tagsMax),
      createdAt: moment,
      lastSeenAt: moment,
      /** Smoothed time between two batches; null before the second. */
      flushSecondsMean: seconds.nullable(),
      stepsPerSecond: z.number().min(0).nullable(),
    }),
    /** Of the tuner whose decisions are hashed in the last line. */
    tunerVersion: text(limits.nameCharactersMax),
    observationCount: z.int().min(1),
    decisionCount: count,
    clients: z
      .array(z.strictObject({ clientId: name, lastSequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER) }))
      .max(limits.clientsMax),
  })
  .meta({ id: 'LogHeader' })
export type LogHeader = Parsed<typeof logHeaderSchema>

/** Options as they are today, from those of any version. */
export function currentOptions(stored: RunOptions): RunOptions {
  const { optimizer } = stored
  return {
    ...stored,
    optimizer: {
      ...optimizer,
      family: optimizer.family ?? familyOf(optimizer.name),
      momentum: optimizer.momentum ?? null,
      weightDecay: optimizer.weightDecay ?? null,
    },
    warmupSteps: stored.warmupSteps ?? null,
    firstStep: stored.firstStep ?? null,
    capabilities: stored.capabilities.filter((capability) => capabilities.includes(capability)),
  }
}

/** An objective of all rows is stored as one name. */
export const objectivesOf = (
  stored: readonly (string | null)[] | string | null,
  rows: number,
): readonly (string | null)[] =>
  Array.isArray(stored) ? stored : Array<string | null>(rows).fill(stored as string | null)

/** What is not of the right shape is left for the schema to refuse. */
const optionsOfAnyVersion = z.preprocess((given) => {
  const { optimizer, capabilities: offered } = (given ?? {}) as Partial<RunOptions>
  const isReadable = typeof optimizer?.name === 'string' && Array.isArray(offered)
  return isReadable ? currentOptions(given as RunOptions) : given
}, runOptionsSchema)
const storedColumns = z.preprocess((given) => {
  const { step, objective } = (given ?? {}) as { step?: unknown; objective?: unknown }
  const isOne = typeof objective === 'string' || objective === null
  return isOne && Array.isArray(step)
    ? { ...(given as object), objective: objectivesOf(objective, step.length) }
    : given
}, sampleColumnsSchema)
/** Of version 0.1.0: kept, and nothing reads it. */
const goneProbe = z.object({ kind: z.literal('fork') })

const head = { number: z.int().min(1), receivedAt: moment }
const { start, samples, probe, acknowledgement, command, resumed } = observationBodies
const bodies = {
  start: z.strictObject({ ...start, options: optionsOfAnyVersion }),
  samples: z.strictObject({ ...samples, columns: storedColumns }),
  probe: z.strictObject({ ...probe, probe: z.discriminatedUnion('kind', [probeSchema, goneProbe]) }),
}

/** An observation as it is stored: non-finite numbers by their names, an objective of all rows as one name. */
export const observationLineSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...head, kind: z.literal('start'), body: bodies.start }),
    z.strictObject({ ...head, kind: z.literal('samples'), body: bodies.samples }),
    z.strictObject({ ...head, kind: z.literal('probe'), body: bodies.probe }),
    z.strictObject({ ...head, kind: z.literal('acknowledgement'), body: z.strictObject(acknowledgement) }),
    z.strictObject({ ...head, kind: z.literal('command'), body: z.strictObject(command) }),
    z.strictObject({ ...head, kind: z.literal('resumed'), body: z.strictObject(resumed) }),
  ])
  .meta({ id: 'LogObservation' })

/** Characters of a decision's SHA-256 in hexadecimal: enough to tell an accident from agreement. */
export const decisionHashCharacters = 12

export const logEndSchema = z
  .strictObject({
    end: z.literal(true),
    observations: z.int().min(1),
    decisions: count,
    /** Of each decision in order: the beginning of the SHA-256 of its JSON. */
    decisionHashes: z.array(
      z.string().regex(/^[0-9a-f]{12}$/, `must be ${decisionHashCharacters} hexadecimal digits`),
    ),
  })
  .meta({ id: 'LogEnd' })
export type LogEnd = Parsed<typeof logEndSchema>

export const logLineSchema = z
  .union([logHeaderSchema, observationLineSchema, logEndSchema])
  .meta({ id: 'LogLine' })

/** What came of an import. */
export const importAnswerSchema = z
  .object({
    run: runSummarySchema,
    observations: z.int().min(1),
    decisions: z.object({
      /** As this server's tuner makes them from the log. */
      made: count,
      exported: count,
      /** How many are the same byte for byte, but for the run's id; null = another version of the tuner made them. */
      identical: count.nullable(),
      /** Number of the first that is not the same; null = none, or not compared. */
      firstDifferent: z.int().min(1).nullable(),
    }),
    tunerVersion: z.object({ made: z.string(), exported: z.string() }),
  })
  .meta({ id: 'ImportAnswer' })
export type ImportAnswer = Parsed<typeof importAnswerSchema>
