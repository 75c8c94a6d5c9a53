// What a job reports: samples in columns, probes, acknowledgements, and the batch that holds them.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { type SampleColumnName, sampleColumnNames } from '../lists.ts'
import { acknowledgementSchema } from './plan.ts'
import {
  column,
  countColumn,
  finite,
  looseNumber,
  name,
  nameColumn,
  type Parsed,
  recordOf,
  seconds,
  share,
  step,
  stepColumn,
} from './values.ts'

type ColumnShape = Record<SampleColumnName, z.ZodExactOptional<typeof column>>
const columnShape = Object.fromEntries(
  sampleColumnNames.map((key) => [key, column.exactOptional()]),
) as ColumnShape

const metrics = recordOf(column, { entriesMax: limits.metricsMax, called: 'metrics' })

/**
 * Samples in columns of one length; a column that is absent is unknown throughout. Units: `loss` in nats (or the
 * task's own), squared Euclidean norms of the gradient before clipping, `gradientDotUpdate` = ⟨g, u⟩ with Δw = −η·u,
 * `stepSeconds` and `signalSeconds` in seconds of wall time (the second is the share of the step spent on measuring
 * signals), `tokens` tokens or examples seen so far. `objective` names what the loss measures: where it changes, losses
 * before and after are not compared.
 */
export const sampleColumnsSchema = z
  .strictObject({
    step: stepColumn,
    ...columnShape,
    tokens: countColumn.exactOptional(),
    objective: nameColumn.exactOptional(),
    metrics: metrics.exactOptional(),
  })
  .transform((columns, context) => {
    const rows = columns.step.length
    const check = (key: string, values: unknown[] | undefined, path: string[]) => {
      if (values === undefined || values.length === 0 || values.length === rows) return
      context.addIssue({
        code: 'custom',
        path,
        message: `column ${key} has ${values.length} entries, step has ${rows}: a column must be as long as step, empty or absent`,
      })
    }
    for (const key of [...sampleColumnNames, 'objective'] as const) {
      check(key, columns[key], [key])
      if (columns[key]?.length === 0) delete columns[key]
    }
    for (const [key, values] of Object.entries(columns.metrics ?? {})) {
      check(`metrics.${key}`, values, ['metrics', key])
      if (values.length === 0) delete columns.metrics?.[key]
    }
    if (Object.keys(columns.metrics ?? {}).length === 0) delete columns.metrics
    return columns
  })
  .meta({ id: 'SampleColumns' })
export type SampleColumns = Parsed<typeof sampleColumnsSchema>

/** Loss (mean over the probe's examples) and accuracy in [0, 1] of the present weights or of averaged ones. */
const score = {
  loss: looseNumber,
  accuracy: share.nullable().exactOptional(),
  /**
   * Mean losses of fixed, equal parts of the probe's examples, the same parts in the same order at every probe: so
   * two probes can be compared example by example, without the scatter between examples that they share.
   */
  lossByPart: z.array(looseNumber).max(limits.probePartsMax).exactOptional(),
}
const scoreSchema = z.strictObject(score)
export type ProbeScore = Parsed<typeof scoreSchema>

const valleyProbeSchema = z.strictObject({
  kind: z.literal('valley'),
  /** The number of steps taken so far: measured before step `step`. */
  step,
  set: z.enum(['held-out', 'train']),
  examples: z.int().min(1),
  seconds,
  raw: scoreSchema,
  /** One entry per window of averaged weights, shortest first; the windows end at `step`. */
  averaged: z.array(z.strictObject({ windowSteps: z.int().min(1), ...score })).max(limits.windowsMax),
  /** Scores of the checkpoints that were asked for, on the same examples; such a probe is compared with no other. */
  checkpoints: z
    .array(z.strictObject({ checkpoint: name, ...score }))
    .max(limits.windowsMax)
    .exactOptional(),
})
export type ValleyProbe = Parsed<typeof valleyProbeSchema>

const lineProbeSchema = z.strictObject({
  kind: z.literal('line'),
  step,
  seconds,
  /** η_c: the smallest step along −u that raises the loss; null = not found in the range tried. */
  criticalLearningRate: z.number().positive().nullable(),
  /** h along u: second difference of the loss over ε² (u as it is, not normalised). */
  curvature: finite.nullable(),
  /** h_n: curvature along the difference of two independent micro-batch gradients, per squared norm. */
  noiseCurvature: finite.nullable().exactOptional(),
  examples: z.int().min(1).exactOptional(),
})
export type LineProbe = Parsed<typeof lineProbeSchema>

export const probeSchema = z
  .discriminatedUnion('kind', [valleyProbeSchema, lineProbeSchema])
  .meta({ id: 'Probe' })
export type Probe = Parsed<typeof probeSchema>

/** One telemetry batch. */
export const telemetrySchema = z
  .strictObject({
    clientId: name,
    /** 1, 2, 3, … per client of the run. */
    sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    /** Version of the plan that the steps of this batch followed; absent = not known. */
    planVersion: z.int().min(0).max(Number.MAX_SAFE_INTEGER).exactOptional(),
    /** What the loss of every step measures; a column of `steps` wins over it. */
    objective: name.exactOptional(),
    steps: sampleColumnsSchema.exactOptional(),
    probes: z.array(probeSchema).max(limits.batchProbesMax).exactOptional(),
    acknowledgements: z.array(acknowledgementSchema).max(limits.batchAcknowledgementsMax).exactOptional(),
  })
  .meta({ id: 'Telemetry' })
export type Telemetry = Parsed<typeof telemetrySchema>
