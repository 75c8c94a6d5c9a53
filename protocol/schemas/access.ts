// Tokens: what lets a caller in where a server demands it. The secret is in the answer that makes a token, and in no
// other.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { scopes } from '../lists.ts'
import { name, type Parsed, runIdSchema, time } from './values.ts'

const scopeList = z.array(z.enum(scopes)).min(1).max(scopes.length)
const project = name.nullable()
const id = z.string()

/** Body of `POST /tokens`. */
export const createTokenSchema = z
  .strictObject({
    name,
    scopes: scopeList,
    /** The only project whose runs it reaches; null = all. */
    project: project.default(null),
    /** ISO 8601, UTC; null = it never expires. */
    expiresAt: z.iso.datetime().nullable().default(null),
  })
  .meta({ id: 'CreateToken' })
export type CreateToken = Parsed<typeof createTokenSchema>

/** Body of `POST /tokens/{id}/rotate`: for how long the old secret holds beside the new one. */
export const rotateTokenSchema = z
  .strictObject({ graceSeconds: z.int().min(0).max(604_800).default(0) })
  .meta({ id: 'RotateToken' })
export type RotateToken = Parsed<typeof rotateTokenSchema>

export const tokenSchema = z
  .object({
    id,
    name: z.string(),
    scopes: z.array(z.enum(scopes)),
    project: z.string().nullable(),
    state: z.enum(['active', 'expired', 'revoked']),
    createdAt: time,
    expiresAt: time.nullable(),
    /** To the minute; null = never. */
    lastUsedAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'Token' })
export type Token = Parsed<typeof tokenSchema>

export const tokenListSchema = z
  .object({ tokens: z.array(tokenSchema).max(limits.tokensMax + limits.endedTokensMax) })
  .meta({ id: 'TokenList' })
export type TokenList = Parsed<typeof tokenListSchema>

/** With its secret, this once. */
export const newTokenSchema = z.object({ token: tokenSchema, secret: z.string() }).meta({ id: 'NewToken' })
export type NewToken = Parsed<typeof newTokenSchema>

/** Answer of `GET /access`: what the one who asks may do here. */
export const accessSchema = z
  .object({
    /** Whether this server demands tokens. */
    isRequired: z.boolean(),
    /** Null = no token came with the request, and one is demanded. */
    caller: z
      .object({
        name: z.string(),
        scopes: z.array(z.enum(scopes)),
        project: z.string().nullable(),
        expiresAt: time.nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Access' })
export type Access = Parsed<typeof accessSchema>

/** Something that somebody did to a run or a token. */
export const auditEntrySchema = z
  .object({
    number: z.int().min(1),
    at: time,
    /** Name of the token, or `local`. */
    caller: z.string(),
    tokenId: z.string().nullable(),
    /** Its name in the contract. */
    operation: z.string(),
    runId: z.string().nullable(),
    /** What it was, in a few words. */
    detail: z.string(),
    reason: z.string(),
    /** Address of the caller. */
    from: z.string(),
    requestId: z.string(),
    /** Of the answer; null = none was sent. */
    status: z.int().nullable(),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = Parsed<typeof auditEntrySchema>

export const auditPageSchema = z
  .object({ entries: z.array(auditEntrySchema), next: z.int().nullable() })
  .meta({ id: 'AuditPage' })
export type AuditPage = Parsed<typeof auditPageSchema>

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)
/** Query of `GET /audit`: newest first; `before` is the `next` of the page before. */
export const auditQuery = z.strictObject({
  before: whole(1, Number.MAX_SAFE_INTEGER).default(Number.MAX_SAFE_INTEGER),
  limit: whole(1, 1_000).default(100),
  run: runIdSchema.optional(),
})
