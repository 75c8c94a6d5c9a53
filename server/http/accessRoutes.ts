// Tokens over HTTP, and what the one of a request allows.

import type { Router } from 'express'
import { createTokenSchema, rotateTokenSchema } from '../../protocol/schemas.ts'
import type { Access } from '../../protocol/vocabulary.ts'
import type { Tokens } from '../access/tokens.ts'
import { isoTime } from '../clock.ts'
import { admissionOf } from './admission.ts'
import { parameter } from './answer.ts'
import { readJson } from './body.ts'
import { route } from './routes.ts'
import { parse } from './validate.ts'

export function addAccessRoutes(router: Router, tokens: Tokens): void {
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
      response.status(201).json(await tokens.create(body))
    },
  })
  route(router, '/tokens/:token', {
    delete: async (request, response) => {
      await tokens.revoke(parameter(request, 'token'))
      response.status(204).end()
    },
  })
  route(router, '/tokens/:token/rotate', {
    post: async (request, response) => {
      const { graceSeconds } = parse(rotateTokenSchema, await readJson(request))
      response.status(201).json(await tokens.rotate(parameter(request, 'token'), graceSeconds))
    },
  })
}
