// Schemas of the query strings that only the server reads; bodies are in protocol/schemas.ts.

import { z } from 'zod'
import { queryNumber, runIdSchema } from '../../protocol/schemas.ts'
import { decisionKinds } from '../../protocol/vocabulary.ts'
import { pythonFormats } from '../exports/frameworks.ts'

export const decisionsPageMax = 1_000

export const listDecisionsQuery = z.strictObject({
  after: queryNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: queryNumber(1, decisionsPageMax).default(200),
  /** One kind or several, separated by commas. */
  kind: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(decisionKinds)).min(1))
    .optional(),
})

export const listTransitionsQuery = listDecisionsQuery.omit({ kind: true })

export const scheduleQuery = z.strictObject({
  format: z.enum(['json', 'csv', ...pythonFormats]).default('json'),
})

/** Another id than the one in the file. */
export const importQuery = z.strictObject({ runId: runIdSchema.optional() })

/** Reason of a deletion or a hand-back; there is no body to carry it. */
export const reasonQuery = z.strictObject({ reason: z.string().max(1_000).default('') })

/** Which of several deleted runs of one id. */
export const restoreQuery = z.strictObject({ removedAt: z.iso.datetime().optional() })

/** A deletion that cannot be undone. */
export const removeQuery = z.strictObject({ forGood: z.enum(['true', 'false']).default('false') })
