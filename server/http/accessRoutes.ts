// Tokens over HTTP, what the one of a request allows, and the audit.

import type { Router } from 'express'
import { auditQuery, createTokenSchema, rotateTokenSchema } from '../../protocol/schemas.ts'
import type { Access, AuditPage } from '../../protocol/vocabulary.ts'
import type { Audit } from '../access/audit.ts'
import type { Tokens } from '../access/tokens.ts'
import { isoTime } from '../clock.ts'
import { admissionOf } from './admission.ts'
import { parameter } from './answer.ts'
import { noteAction } from './audited.ts'
import { readJson } from './body.ts'
import { route } from './routes.ts'
import { parse } from './validate.ts'

export function addAccessRoutes(router: Router, tokens: Tokens, audit: Audit): void {
  route(router, '/access', {
    get: (_request, response) => {
      const known = admissionOf(response)!
      // Without a token it is a question; a wrong one is told what is wrong.
      if ('refusal' in known && known.refusal.code !== 'token-missing') throw known.refusal
      const access: Access = { isRequired: tokens.isRequired, caller: null }
      if ('refusal' in known) return void response.json(access)
      const { name, scopes, project, expiresAt } = known.caller
      const end = expiresAt === null ? null : isoTime(expiresAt)
      response.json({ ...access, caller: { name, scopes, project, expiresAt: end } } satisfies Access)
    },
  })
  route(router, '/tokens', {
    get: (_request, response) => void response.json({ tokens: tokens.list() }),
    post: async (request, response) => {
      const body = parse(createTokenSchema, await readJson(request))
      noteAction(response, `token "${body.name}": ${body.scopes.join(', ')}`)
      response.status(201).json(await tokens.create(body))
    },
  })
  route(router, '/audit', {
    get: async (request, response) => {
      const { before, limit, run } = parse(auditQuery, request.query, 'query')
      const found = await audit.read({
        before,
        limit: limit + 1,
        ...(run === undefined ? {} : { runId: run }),
      })
      const entries = found.slice(0, limit)
      const next = found.length > limit ? entries.at(-1)!.number : null
      response.json({ entries, next } satisfies AuditPage)
    },
  })
  route(router, '/tokens/:token', {
    delete: async (request, response) => {
      noteAction(response, tokens.named(parameter(request, 'token')))
      await tokens.revoke(parameter(request, 'token'))
      response.status(204).end()
    },
  })
  route(router, '/tokens/:token/rotate', {
    post: async (request, response) => {
      const { graceSeconds } = parse(rotateTokenSchema, await readJson(request))
      noteAction(response, tokens.named(parameter(request, 'token')))
      response.status(201).json(await tokens.rotate(parameter(request, 'token'), graceSeconds))
    },
  })
}
