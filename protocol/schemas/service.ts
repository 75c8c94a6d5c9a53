// What the server says of itself, and the problem document of everything that fails.

import { z } from 'zod'
import { type Parsed, time } from './values.ts'

/** RFC 9457 problem details; `code` is from the list in server/errors.ts. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    /** JSON pointers into the body, or `?name` for a query parameter, each with its sentence. */
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).exactOptional(),
    /** Of `sequence-gap` and `sequence-reused`: the sequence number that was expected. */
    expectedSequence: z.int().min(1).exactOptional(),
    requestId: z.string().exactOptional(),
  })
  .meta({ id: 'Problem' })
export type Problem = Parsed<typeof problemSchema>

/** `storage` says which database answers, where that was asked; `notices` what was noticed about the data. */
export const healthSchema = z
  .object({
    status: z.literal('ok'),
    storage: z.string().exactOptional(),
    notices: z
      .array(
        z.object({
          at: time,
          kind: z.enum(['went-back', 'damage', 'removed', 'webhook']),
          detail: z.string(),
        }),
      )
      .exactOptional(),
  })
  .meta({ id: 'Health' })
export type Health = Parsed<typeof healthSchema>

/** `node` is told to those who may read all runs. */
export const versionSchema = z
  .object({
    version: z.string(),
    protocol: z.string(),
    tuner: z.string(),
    node: z.string().exactOptional(),
  })
  .meta({ id: 'Version' })
export type Version = Parsed<typeof versionSchema>
