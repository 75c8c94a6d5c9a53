// Charts, and the live socket (socket.io, namespace /live).

import { z } from 'zod'
import { limits } from '../limits.ts'
import { type Decision, decisionSchema } from './decisions.ts'
import type { RunList, RunListRequest } from './runList.ts'
import { type RunSummary, runSummarySchema } from './runs.ts'
import { type Problem, problemSchema } from './service.ts'
import { count, finite, type Parsed, runIdSchema, step, text } from './values.ts'

const known = z.array(finite.nullable())
/** One signal over a range of steps, one entry per bucket of steps that holds samples. */
export const seriesColumnsSchema = z
  .object({
    /** First step of the bucket. */
    step: z.array(step),
    first: known,
    min: known,
    max: known,
    last: known,
    /** Finite samples in the bucket. */
    count: z.array(count),
    /** NaN and infinite samples in the bucket. */
    nonFinite: z.array(count),
  })
  .meta({ id: 'SeriesColumns' })
export type SeriesColumns = Parsed<typeof seriesColumnsSchema>

export const seriesSchema = z
  .object({
    runId: runIdSchema,
    fromStep: step,
    toStep: z.int(),
    /** Samples stored in the range, and how many entries are shown for them. */
    stored: count,
    shown: count,
    signals: z.record(z.string(), seriesColumnsSchema),
    /** Names that were asked for beside these, and that the run does not have; absent = none. */
    unknown: z.array(z.string()).exactOptional(),
  })
  .meta({ id: 'Series' })
export type Series = Parsed<typeof seriesSchema>

/** One signal of a compact series (protocol/compactSeries.ts). */
const compactColumnsSchema = z
  .object({
    /** Which of the columns of steps is this signal's. */
    at: count,
    last: known,
    /** Absent = as `last`; of signals that were not asked for with extremes they are not told. */
    min: known.exactOptional(),
    max: known.exactOptional(),
    /** Absent = one where there is a value, none where there is none; or not told, as above. */
    count: z.array(count).exactOptional(),
    /** Absent = none. */
    nonFinite: z.array(count).exactOptional(),
  })
  .meta({ id: 'CompactColumns' })
export type CompactColumns = Parsed<typeof compactColumnsSchema>

export const compactSeriesSchema = seriesSchema
  .extend({
    /** Columns of steps: the first step, then the distance from each to the next. */
    steps: z.array(z.array(step)),
    signals: z.record(z.string(), compactColumnsSchema),
  })
  .meta({ id: 'CompactSeries' })
export type CompactSeries = Parsed<typeof compactSeriesSchema>

/** What the browser sends, each acknowledged … */
export const subscribeSchema = z
  .strictObject({
    runId: runIdSchema,
    /** Decisions after this number are sent; 0 = all. */
    afterDecision: z.int().min(0),
    /** Samples from this step on; 0 = all. */
    afterStep: step,
    /** Buckets per series. */
    points: z.int().min(50).max(limits.seriesPointsMax),
    /** The signals whose samples are sent, also those that come later; absent = all. */
    signals: z.array(text()).max(limits.signalsAskedMax).exactOptional(),
    /** Whether a new summary and new decisions come with the samples of their steps, as one message, where there are some. */
    together: z.boolean().exactOptional(),
  })
  .meta({ id: 'Subscribe' })
export type SubscribeRequest = Parsed<typeof subscribeSchema>

export const subscribeAnswerSchema = z
  .discriminatedUnion('ok', [
    z.object({
      ok: z.literal(true),
      run: runSummarySchema,
      decisions: z.array(decisionSchema),
      series: seriesSchema,
      /** All signals that the run has by now, whichever were asked for. */
      signalNames: z.array(z.string()).exactOptional(),
    }),
    z.object({ ok: z.literal(false), problem: problemSchema }),
  ])
  .meta({ id: 'SubscribeAnswer' })
export type SubscribeAnswer = Parsed<typeof subscribeAnswerSchema>

/** … and what the server sends. `thinned`: some samples were left out for this browser's sake. */
export const liveSamplesSchema = z
  .object({
    runId: runIdSchema,
    thinned: z.boolean(),
    series: seriesSchema,
    /** The newest summary and the decisions since the last frame, for who asked for all together. */
    run: runSummarySchema.exactOptional(),
    decisions: z.array(decisionSchema).exactOptional(),
  })
  .meta({ id: 'LiveSamples' })
export type LiveSamples = Parsed<typeof liveSamplesSchema>

export type ServerEvents = {
  decision: (message: { runId: string; decision: Decision }) => void
  /** Beside `decision`, where that is a change of the measured regime. */
  transition: (message: { runId: string; decision: Decision }) => void
  samples: (message: LiveSamples) => void
  run: (message: { run: RunSummary }) => void
  removed: (message: { runId: string }) => void
  problem: (message: Problem) => void
}
export type ClientEvents = {
  subscribe: (request: SubscribeRequest, answer: (answer: SubscribeAnswer) => void) => void
  unsubscribe: (request: { runId: string }) => void
  'subscribe-runs': (request: RunListRequest, answer: (answer: RunList) => void) => void
}
