// A list of runs: what it is asked for, over HTTP and over the live socket alike, and what is answered.

import { z } from 'zod'
import { runSorts, runStates } from '../lists.ts'
import { runSummarySchema } from './runs.ts'
import { count, finite, name, type Parsed, queryNumber, time } from './values.ts'

export const runsPageMax = 200

/** Query of `GET /runs`, and what a page says when it follows the list. */
export const listRunsQuery = z.strictObject({
  project: name.exactOptional(),
  tag: name.exactOptional(),
  state: z.enum(runStates).exactOptional(),
  /** Words that must all be found in name, id, project, tags, framework, optimizer or settings (`lr=0.1`), any case. */
  q: name.exactOptional(),
  sort: z.enum(runSorts).default('created'),
  /** Runs without a value come last either way. */
  order: z.enum(['asc', 'desc']).default('desc'),
  /** Runs that wait for a person come first, whatever the order. */
  first: z.enum(['waiting']).exactOptional(),
  /** How many runs there are by state, project and tag, of all runs. */
  counts: z.enum(['true']).exactOptional(),
  /** The runs that match by project or by tag, and how far apart what they reached lies. */
  group: z.enum(['project', 'tag']).exactOptional(),
  after: z
    .string()
    .regex(/^[\w-]{1,2000}$/, 'must be the "next" of an earlier answer')
    .exactOptional(),
  limit: queryNumber(1, runsPageMax).default(50),
})
export type RunListQuery = z.output<typeof listRunsQuery>
/** As it is sent: what is not named is as usual. */
export type RunListRequest = { readonly [Key in keyof RunListQuery]?: RunListQuery[Key] }

/** Without words the newest runs, a whole page of them. */
export const subscribeRunsSchema = listRunsQuery.extend({
  limit: listRunsQuery.shape.limit.default(runsPageMax),
})

const named = z.array(z.object({ name: z.string(), count }))
export const runCountsSchema = z
  .object({
    states: z.array(z.object({ name: z.enum(runStates), count })),
    /** The largest first, at most 100. */
    projects: named,
    tags: named,
  })
  .meta({ id: 'RunCounts' })
export type RunCounts = Parsed<typeof runCountsSchema>

/** Of `count` runs in which it is known; null = in none. */
const spread = z.object({ count, mean: finite, min: finite, max: finite }).nullable()
export const runGroupSchema = z
  .object({ name: z.string(), count, loss: spread, heldOutBest: spread, accuracyBest: spread })
  .meta({ id: 'RunGroup' })
export type RunGroup = Parsed<typeof runGroupSchema>

export const runListSchema = z
  .object({
    runs: z.array(runSummarySchema),
    /** The `after` of the next page; null = there is none. */
    next: z.string().nullable(),
    /** Runs that match, on all pages, and runs that there are. */
    total: count,
    all: count,
    counts: runCountsSchema.exactOptional(),
    /** The largest first, at most 200. A run of several tags is in several groups. */
    groups: z.array(runGroupSchema).exactOptional(),
  })
  .meta({ id: 'RunList' })
export type RunList = Parsed<typeof runListSchema>

/** Runs that were deleted and can be restored until `keptUntil`, the last one first. */
export const removedRunsSchema = z
  .object({
    runs: z.array(
      z.object({ id: z.string(), name: z.string(), project: z.string(), removedAt: time, keptUntil: time }),
    ),
  })
  .meta({ id: 'RemovedRuns' })
export type RemovedRuns = Parsed<typeof removedRunsSchema>
