// Runs and their telemetry: the routes that training jobs call.

import type { Router } from 'express'
import { changeRunSchema, createRunSchema, listRunsQuery } from '../../protocol/schemas.ts'
import { shown } from '../../protocol/shown.ts'
import { apiPrefix } from '../../protocol/version.ts'
import type { TelemetryAnswer } from '../../protocol/vocabulary.ts'
import { demandProject } from '../access/caller.ts'
import { type Clock, isoTime } from '../clock.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Forwarder } from '../replicas/forward.ts'
import { graceDays } from '../runs/retention.ts'
import { summaryAt } from '../runs/runRecord.ts'
import type { Runs } from '../runs/runs.ts'
import type { Storage } from '../storage/storage.ts'
import { callerOf } from './admission.ts'
import { parameter, requestIdOf } from './answer.ts'
import { noteAction } from './audited.ts'
import { readBody, readJson } from './body.ts'
import { removeQuery, restoreQuery } from './queries.ts'
import { route } from './routes.ts'
import { batchOf } from './telemetryText.ts'
import { runParts, type Unchanged } from './unchanged.ts'
import { parse } from './validate.ts'

/** Takes a batch as it came, and counts it. */
export const batchTaker =
  ({ runs, clock, metrics }: Pick<Parts, 'runs' | 'clock' | 'metrics'>) =>
  async (runId: string, body: Buffer): Promise<TelemetryAnswer> => {
    const batch = batchOf(body)
    const began = clock.monotonic()
    const answer = await runs.telemetry(runId, batch)
    metrics.ingested(answer.accepted, answer.duplicate, (clock.monotonic() - began) / 1_000)
    return answer
  }

type Parts = {
  readonly runs: Runs
  readonly storage: Storage
  readonly clock: Clock
  readonly metrics: Metrics
  readonly unchanged: Unchanged
  readonly basePath: string
  /** Where there are several servers. */
  readonly forwarder?: Pick<Forwarder, 'telemetry'>
}

/** A run of a token's project, where the request names none. */
function withProject(given: unknown, project: string | null): unknown {
  const isNamed = typeof given !== 'object' || given === null || Array.isArray(given) || 'project' in given
  return project === null || isNamed ? given : { ...given, project }
}

export function addRunRoutes(router: Router, parts: Parts): void {
  const { runs, storage, clock, unchanged, basePath, forwarder } = parts
  const take = batchTaker(parts)
  route(router, '/runs', {
    get: async (request, response) => {
      const { project } = callerOf(response)
      response.json(await runs.list(parse(listRunsQuery, request.query, 'query'), project))
    },
    post: async (request, response) => {
      const caller = callerOf(response)
      const body = parse(createRunSchema, withProject(await readJson(request), caller.project))
      demandProject(caller, body.project)
      const { created, answer } = await runs.create(body, caller.name, caller.project)
      response.location(`${basePath}${apiPrefix}/runs/${answer.run.id}`)
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
      const changed = Object.entries(body).filter(([name]) => name !== 'reason')
      noteAction(response, changed.map(([name, value]) => `${name} ${shown(value)}`).join(', '), body.reason)
      const caller = callerOf(response)
      if (body.project !== undefined) demandProject(caller, body.project)
      response.json(await runs.change(parameter(request, 'id'), body, caller.name))
    },
    delete: async (request, response) => {
      const { forGood } = parse(removeQuery, request.query, 'query')
      noteAction(response, forGood === 'true' ? 'for good' : '')
      await runs.remove(parameter(request, 'id'), forGood === 'true')
      response.status(204).end()
    },
  })
  route(router, '/runs/:id/restore', {
    post: async (request, response) => {
      const { removedAt } = parse(restoreQuery, request.query, 'query')
      const time = removedAt === undefined ? undefined : Date.parse(removedAt)
      noteAction(response, time === undefined ? '' : `the one deleted at ${isoTime(time)}`)
      response.json(await runs.restore(parameter(request, 'id'), callerOf(response).project, time))
    },
  })
  route(router, '/removed-runs', {
    get: async (_request, response) => {
      const removed = await storage.removedRuns(callerOf(response).project ?? undefined)
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
      const runId = parameter(request, 'id')
      const body = await readBody(request)
      const elsewhere = await forwarder?.telemetry(runId, body, requestIdOf(response))
      if (elsewhere === undefined) response.json(await take(runId, body))
      else response.status(elsewhere.status).set(elsewhere.headers).send(elsewhere.body)
    },
  })
}
