// Webhooks over HTTP.

import type { Router } from 'express'
import { createWebhookSchema, deliveriesQuery } from '../../protocol/schemas.ts'
import type { DeliveryPage, WebhookList } from '../../protocol/vocabulary.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import { parameter } from './answer.ts'
import { noteAction } from './audited.ts'
import { readJson } from './body.ts'
import { route } from './routes.ts'
import { parse } from './validate.ts'

/** Of a path; 0 = it is no number, and no delivery has that. */
const numberOf = (text: string): number => (/^\d{1,15}$/.test(text) ? Number(text) : 0)

export function addWebhookRoutes(router: Router, webhooks: Webhooks): void {
  route(router, '/webhooks', {
    get: (_request, response) => void response.json({ webhooks: webhooks.list() } satisfies WebhookList),
    post: async (request, response) => {
      const body = parse(createWebhookSchema, await readJson(request))
      const host = URL.canParse(body.url) ? new URL(body.url).host : 'no address'
      noteAction(response, `webhook to ${host}: ${body.events.join(', ')}`)
      response.status(201).json(await webhooks.create(body))
    },
  })
  route(router, '/webhooks/:webhook', {
    delete: async (request, response) => {
      const id = parameter(request, 'webhook')
      noteAction(response, webhooks.named(id))
      await webhooks.delete(id)
      response.status(204).end()
    },
  })
  route(router, '/webhooks/:webhook/test', {
    post: async (request, response) => {
      const id = parameter(request, 'webhook')
      noteAction(response, webhooks.named(id))
      response.json(await webhooks.test(id))
    },
  })
  route(router, '/webhooks/:webhook/deliveries', {
    get: async (request, response) => {
      const { before, limit } = parse(deliveriesQuery, request.query, 'query')
      const found = await webhooks.log(parameter(request, 'webhook'), { before, limit: limit + 1 })
      const deliveries = found.slice(0, limit)
      const next = found.length > limit ? deliveries.at(-1)!.number : null
      response.json({ deliveries, next } satisfies DeliveryPage)
    },
  })
  route(router, '/webhooks/:webhook/deliveries/:number/redeliver', {
    post: async (request, response) => {
      const id = parameter(request, 'webhook')
      const number = numberOf(parameter(request, 'number'))
      noteAction(response, `delivery ${number}, ${webhooks.named(id)}`)
      response.json(await webhooks.redeliver(id, number))
    },
  })
}
