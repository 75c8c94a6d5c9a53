// What goes into a run's log: its start, samples, probes, acknowledgements and commands, in the order in which they
// came. The log is the truth; all else follows from it.

import { z } from 'zod'
import { modes } from '../lists.ts'
import { acknowledgementSchema } from './plan.ts'
import { runOptionsSchema } from './runs.ts'
import { probeSchema, sampleColumnsSchema } from './telemetry.ts'
import { type Parsed, rate, runIdSchema, step, time } from './values.ts'

/** The commands that need nothing but their name. */
export const plainCommandSchema = z.enum(['pause', 'resume', 'switch-now', 'undo-switch', 'finish'])

const byWhom = { reason: z.string(), by: z.string() }
export const commandSchema = z.discriminatedUnion('kind', [
  z.object({ kind: plainCommandSchema, ...byWhom }),
  z.object({ kind: z.literal('override'), learningRate: rate, untilStep: step, ...byWhom }),
  z.object({ kind: z.literal('hand-back'), ...byWhom }),
  /** `decision` is the number of the one that awaits approval. */
  z.object({ kind: z.enum(['approve', 'reject']), decision: z.int().min(1), ...byWhom }),
  z.object({ kind: z.literal('set-budget'), budgetSteps: step.nullable(), ...byWhom }),
  z.object({ kind: z.literal('set-mode'), mode: z.enum(modes), ...byWhom }),
  /** A copy is annealed beside the run; `steps` null = as many as an anneal would take now. */
  z.object({ kind: z.literal('branch'), steps: z.int().min(2).nullable(), ...byWhom }),
])
/** A person's wish, as it stands in the log. */
export type Command = Parsed<typeof commandSchema>

/** What each kind of observation holds, besides its number, the time at which it came, and its kind. */
export const observationBodies = {
  start: { runId: runIdSchema, options: runOptionsSchema },
  samples: {
    columns: sampleColumnsSchema,
    /** The plan that these steps followed; absent = the job did not say. */
    planVersion: z.int().min(0).exactOptional(),
  },
  probe: { probe: probeSchema },
  acknowledgement: { acknowledgement: acknowledgementSchema },
  command: { command: commandSchema },
  /** The job has asked for the run again: its next steps may be earlier ones, from a checkpoint of its own. */
  resumed: {},
} as const

const head = {
  /** 1, 2, 3, … within the run, without gaps. */
  number: z.int().min(1),
  /** When the server received it. The tuner copies it, and never computes with it. */
  receivedAt: time,
}
const { start, samples, probe, acknowledgement, command, resumed } = observationBodies
export const observationSchema = z.discriminatedUnion('kind', [
  z.object({ ...head, kind: z.literal('start'), ...start }),
  z.object({ ...head, kind: z.literal('samples'), ...samples }),
  z.object({ ...head, kind: z.literal('probe'), ...probe }),
  z.object({ ...head, kind: z.literal('acknowledgement'), ...acknowledgement }),
  z.object({ ...head, kind: z.literal('command'), ...command }),
  z.object({ ...head, kind: z.literal('resumed'), ...resumed }),
])
/** One entry of a run's ordered log. The first is always `start`. */
export type Observation = Parsed<typeof observationSchema>
