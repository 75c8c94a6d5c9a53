// Webhooks: addresses that hear of what happens to runs. The secret that signs is in the answer that makes one, and in no
// other.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { deliveryStates, webhookEvents, webhookShapes } from '../lists.ts'
import { count, name, type Parsed, queryNumber, runIdSchema, time } from './values.ts'

/** Body of `POST /webhooks`. */
export const createWebhookSchema = z
  .strictObject({
    /** http or https, without a user in it. */
    url: z.string().min(1).max(limits.urlCharactersMax),
    events: z.array(z.enum(webhookEvents)).min(1).max(webhookEvents.length),
    /** The only project whose runs it hears of; null = all. */
    project: name.nullable().default(null),
    shape: z.enum(webhookShapes).default('generic'),
  })
  .meta({ id: 'CreateWebhook' })
export type CreateWebhook = Parsed<typeof createWebhookSchema>

export const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.enum(webhookEvents)),
    project: z.string().nullable(),
    shape: z.enum(webhookShapes),
    /** `failing`: the last try failed; `disabled`: it failed for days and hears of nothing until a test is taken. */
    state: z.enum(['active', 'failing', 'disabled']),
    createdAt: time,
    /** Since when nothing was taken; null = the last delivery was, or there was none. */
    failingSince: time.nullable(),
    disabledAt: time.nullable(),
  })
  .meta({ id: 'Webhook' })
export type Webhook = Parsed<typeof webhookSchema>

export const webhookListSchema = z
  .object({ webhooks: z.array(webhookSchema).max(limits.webhooksMax) })
  .meta({ id: 'WebhookList' })
export type WebhookList = Parsed<typeof webhookListSchema>

/** With its secret, this once. */
export const newWebhookSchema = z
  .object({ webhook: webhookSchema, secret: z.string() })
  .meta({ id: 'NewWebhook' })
export type NewWebhook = Parsed<typeof newWebhookSchema>

/** Answer of `POST /webhooks/{webhook}/test`: what came of it. */
export const webhookTestSchema = z
  .object({
    taken: z.boolean(),
    /** What the receiver answered; null = nothing. */
    status: z.int().nullable(),
    /** Why it was not taken; empty = it was. */
    error: z.string(),
    webhook: webhookSchema,
  })
  .meta({ id: 'WebhookTest' })
export type WebhookTest = Parsed<typeof webhookTestSchema>

/** Something that a webhook is told, or was. */
export const deliverySchema = z
  .object({
    number: z.int().min(1),
    event: z.enum(webhookEvents),
    runId: runIdSchema,
    /** When it happened. */
    at: time,
    /** `failed`: given up; `dropped`: too many waited. */
    state: z.enum(deliveryStates),
    /** How often it was tried. */
    attempts: count,
    lastAt: time.nullable(),
    status: z.int().nullable(),
    error: z.string(),
    /** When it is tried next; null = not any more. */
    nextAt: time.nullable(),
  })
  .meta({ id: 'Delivery' })
export type Delivery = Parsed<typeof deliverySchema>

export const deliveryPageSchema = z
  .object({
    deliveries: z.array(deliverySchema),
    /** The `before` of the next page; null = there is none. */
    next: z.int().nullable(),
  })
  .meta({ id: 'DeliveryPage' })
export type DeliveryPage = Parsed<typeof deliveryPageSchema>

/** Query of `GET /webhooks/{webhook}/deliveries`: newest first. */
export const deliveriesQuery = z.strictObject({
  before: queryNumber(1, Number.MAX_SAFE_INTEGER).default(Number.MAX_SAFE_INTEGER),
  limit: queryNumber(1, 500).default(50),
})
