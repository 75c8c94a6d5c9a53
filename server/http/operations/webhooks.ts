// Webhooks, and what they were told.

import {
  createWebhookSchema,
  deliveriesQuery,
  deliveryPageSchema,
  deliverySchema,
  newWebhookSchema,
  webhookListSchema,
  webhookTestSchema,
} from '../../../protocol/schemas.ts'
import { apiPrefix } from '../../../protocol/version.ts'
import type { Operations } from './operation.ts'

const all = `${apiPrefix}/webhooks`
const one = `${all}/{webhook}`

export const webhookOperations: Operations = {
  [all]: {
    get: {
      id: 'listWebhooks',
      summary: 'Webhooks, the oldest first',
      scope: 'admin',
      answers: { 200: webhookListSchema },
    },
    post: {
      id: 'createWebhook',
      summary: 'Make a webhook; the secret that signs its messages is in this answer alone',
      scope: 'admin',
      body: createWebhookSchema,
      answers: { 201: newWebhookSchema },
      problems: ['too-many-webhooks', 'storage-failed', 'disk-full'],
    },
  },
  [one]: {
    delete: {
      id: 'deleteWebhook',
      summary: 'Delete a webhook, with what it was not told yet',
      scope: 'admin',
      answers: { 204: null },
      problems: ['webhook-not-found', 'storage-failed', 'disk-full'],
    },
  },
  [`${one}/test`]: {
    post: {
      id: 'testWebhook',
      summary:
        'Send a test now and tell what came of it; one that is taken brings back a webhook that was switched off',
      scope: 'admin',
      answers: { 200: webhookTestSchema },
      problems: ['webhook-not-found', 'server-busy', 'storage-failed', 'disk-full'],
    },
  },
  [`${one}/deliveries`]: {
    get: {
      id: 'listDeliveries',
      summary: 'What a webhook is and was told, newest first',
      scope: 'admin',
      query: deliveriesQuery,
      answers: { 200: deliveryPageSchema },
      problems: ['webhook-not-found', 'storage-failed', 'storage-damaged'],
    },
  },
  [`${one}/deliveries/{number}/redeliver`]: {
    post: {
      id: 'redeliver',
      summary: 'Send one again, under the same id',
      scope: 'admin',
      answers: { 200: deliverySchema },
      problems: ['webhook-not-found', 'delivery-not-found', 'storage-failed', 'disk-full'],
    },
  },
}
