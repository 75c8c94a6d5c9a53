// What a job reports: samples in columns, probes, acknowledgements, and the batch that holds them.

import { z } from 'zod'
import {
  type Acknowledgement,
  type Probe,
  type SampleColumns,
  sampleColumnNames,
  type Telemetry,
} from '../vocabulary.ts'
import { column, finite, limits, looseNumber, name, rate, seconds, step, stepColumn, text } from './values.ts'

type ColumnShape = Record<(typeof sampleColumnNames)[number], z.ZodExactOptional<typeof column>>
const columnShape = Object.fromEntries(
  sampleColumnNames.map((key) => [key, column.exactOptional()]),
) as ColumnShape

export const sampleColumnsSchema = z
  .strictObject({
    step: stepColumn,
    ...columnShape,
    metrics: z
      .record(name, column)
      .refine(
        (metrics) => Object.keys(metrics).length <= limits.metricsMax,
        `must hold at most ${limits.metricsMax} metrics`,
      )
      .exactOptional(),
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
    for (const key of sampleColumnNames) {
      check(key, columns[key], [key])
      if (columns[key]?.length === 0) delete columns[key]
    }
    for (const [key, values] of Object.entries(columns.metrics ?? {})) {
      check(`metrics.${key}`, values, ['metrics', key])
      if (values.length === 0) delete columns.metrics?.[key]
    }
    return columns
  })
  .meta({ id: 'SampleColumns' }) satisfies z.ZodType<SampleColumns>

const score = {
  loss: looseNumber,
  accuracy: z.number().min(0).max(1).nullable().exactOptional(),
  lossByPart: z.array(looseNumber).max(limits.probePartsMax).exactOptional(),
}
export const probeSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('valley'),
      step,
      set: z.enum(['held-out', 'train']),
      examples: z.int().min(1),
      seconds,
      raw: z.strictObject(score),
      averaged: z.array(z.strictObject({ windowSteps: z.int().min(1), ...score })).max(limits.windowsMax),
      checkpoints: z
        .array(z.strictObject({ checkpoint: name, ...score }))
        .max(limits.windowsMax)
        .exactOptional(),
    }),
    z.strictObject({
      kind: z.literal('line'),
      step,
      seconds,
      criticalLearningRate: z.number().positive().nullable(),
      curvature: finite.nullable(),
      noiseCurvature: finite.nullable().exactOptional(),
      examples: z.int().min(1).exactOptional(),
    }),
    z.strictObject({
      kind: z.literal('fork'),
      step,
      seconds,
      learningRate: rate,
      stepCount: z.int().min(1),
      raw: z.strictObject(score),
    }),
  ])
  .meta({ id: 'Probe' }) satisfies z.ZodType<Probe>

export const acknowledgementSchema = z
  .strictObject({
    actionId: name,
    status: z.enum(['done', 'failed', 'unsupported']),
    step,
    detail: text().default(''),
  })
  .meta({ id: 'Acknowledgement' }) satisfies z.ZodType<Acknowledgement>

export const telemetrySchema = z
  .strictObject({
    clientId: name,
    sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    steps: sampleColumnsSchema.exactOptional(),
    probes: z.array(probeSchema).max(limits.batchProbesMax).exactOptional(),
    acknowledgements: z.array(acknowledgementSchema).max(limits.batchAcknowledgementsMax).exactOptional(),
  })
  .meta({ id: 'Telemetry' }) satisfies z.ZodType<Telemetry>

/** A parsed batch is a batch of the vocabulary: compiles without a cast, or the schema has drifted. */
export const parsedTelemetry = (value: z.infer<typeof telemetrySchema>): Telemetry => value
