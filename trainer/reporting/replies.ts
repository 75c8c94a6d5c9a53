// What the reporter reads of the server's answers: the fields that it uses, held to the schemas of the wire. Others are
// left alone.

import type { z } from 'zod'
import { runAnswerSchema, runSummarySchema, telemetryAnswerSchema } from '../../protocol/schemas.ts'
import type { Decision, RunAnswer, TelemetryAnswer } from '../../protocol/vocabulary.ts'

export type StartAnswer = Omit<RunAnswer, 'run'> & {
  readonly run: { readonly id: string; readonly step: number }
}
export type PlanAnswer = Pick<TelemetryAnswer, 'plan' | 'actions'> & { readonly decision?: Decision }

const startSchema = runAnswerSchema.extend({ run: runSummarySchema.pick({ id: true, step: true }) })
const planSchema = telemetryAnswerSchema.pick({ plan: true, actions: true, decision: true })

/** The answer, or what is wrong with it: an answer that cannot be read comes again for ever. */
function parsed<T>(schema: z.ZodType<T>, body: unknown): T | TypeError {
  const { data, error } = schema.safeParse(body)
  if (error === undefined) return data
  const [first] = error.issues
  return new TypeError(`its answer is not of this protocol: ${first?.path.join('.')}: ${first?.message}`)
}

export const parseStart = (body: unknown): StartAnswer | TypeError => parsed(startSchema, body)
export const parsePlanAnswer = (body: unknown): PlanAnswer | TypeError => parsed(planSchema, body)

/** The number that a reply 409 names as the next one; undefined = the conflict is of another kind. */
export function expectedSequence(body: unknown): number | undefined {
  const { expectedSequence: expected } = (body ?? {}) as { expectedSequence?: unknown }
  return typeof expected === 'number' ? expected : undefined
}
