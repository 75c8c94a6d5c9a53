// Runs and their telemetry: the routes that training jobs call.

import type { Router } from 'express'
import { changeRunSchema, createRunSchema, listRunsQuery, telemetrySchema } from '../../protocol/schemas.ts'
import { apiPrefix } from '../../protocol/version.ts'
import { type Clock, isoTime } from '../clock.ts'
import { graceDays } from '../runs/retention.ts'
import { summaryAt } from '../runs/runRecord.ts'
import type { Runs } from '../runs/runs.ts'
import type { Storage } from '../storage/storage.ts'
import { parameter } from './answer.ts'
import { readJson } from './body.ts'
import { removeQuery } from './queries.ts'
import { route } from './routes.ts'
import { runParts, type Unchanged } from './unchanged.ts'
import { parse } from './validate.ts'

/** Who sent a control request: without tokens there is nobody but this computer's user. */
export const localUser = 'local'

type Parts = {
  readonly runs: Runs
  readonly storage: Storage
  readonly clock: Clock
  readonly unchanged: Unchanged
}

export function addRunRoutes(router: Router, { runs, storage, clock, unchanged }: Parts): void {
  route(router, '/runs', {
    get: async (request, response) => {
      response.json(await runs.list(parse(listRunsQuery, request.query, 'query')))
    },
    post: async (request, response) => {
      const body = parse(createRunSchema, await readJson(request))
      const { created, answer } = await runs.create(body, localUser)
      response.location(`${apiPrefix}/runs/${answer.run.id}`)
      response.status(created ? 201 : 200).json(answer)
    },
  })
  route(router, '/runs/:id', {
    get: async (request, response) => {
      const record = await runs.record(parameter(request, 'id'))
      const now = clock.now()
      if (!unchanged(request, response, runParts(record, now))) response.json(summaryAt(record, now))
    },
    patch: async (request, response) => {
      const body = parse(changeRunSchema, await readJson(request))
      response.json(await runs.change(parameter(request, 'id'), body, localUser))
    },
    delete: async (request, response) => {
      const { forGood } = parse(removeQuery, request.query, 'query')
      await runs.remove(parameter(request, 'id'), forGood === 'true')
      response.status(204).end()
    },
  })
  route(router, '/runs/:id/restore', {
    post: async (request, response) => {
      response.json(await runs.restore(parameter(request, 'id')))
    },
  })
  route(router, '/removed-runs', {
    get: async (_request, response) => {
      const removed = await storage.removedRuns()
      response.json({
        runs: removed.map(({ removedAt, record: { id, name, project } }) => ({
          ...{ id, name, project },
          removedAt: isoTime(removedAt),
          keptUntil: isoTime(removedAt + graceDays * 86_400_000),
        })),
      })
    },
  })
  route(router, '/runs/:id/telemetry', {
    post: async (request, response) => {
      const telemetry = parse(telemetrySchema, await readJson(request))
      response.json(await runs.telemetry(parameter(request, 'id'), telemetry))
    },
  })
}
