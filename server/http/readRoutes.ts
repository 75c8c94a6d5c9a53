// What pages and people read of a run: series, decisions, recommendation, schedule.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response, Router } from 'express'
import type { z } from 'zod'
import { compactSeriesQuerySchema, seriesQuerySchema } from '../../protocol/schemas.ts'
import type { Clock } from '../clock.ts'
import { exportPython } from '../exports/pythonSchedule.ts'
import { recommendationOf } from '../runs/recommendation.ts'
import { decisionNotFound } from '../runs/runErrors.ts'
import { summaryAt } from '../runs/runRecord.ts'
import type { Runs } from '../runs/runs.ts'
import { scheduleJson, scheduleRows } from '../runs/schedule.ts'
import type { SeriesReader } from '../runs/seriesReader.ts'
import type { Storage } from '../storage/storage.ts'
import { parameter } from './answer.ts'
import { listDecisionsQuery, listTransitionsQuery, scheduleQuery } from './queries.ts'
import { route } from './routes.ts'
import { decisionParts, logParts, runParts, type Unchanged } from './unchanged.ts'
import { parse } from './validate.ts'

type Parts = {
  readonly runs: Runs
  readonly reader: SeriesReader
  readonly storage: Storage
  readonly clock: Clock
  readonly unchanged: Unchanged
}

function addDecisionRoutes(router: Router, parts: Parts): void {
  const { runs, storage } = parts
  route(router, '/runs/:id/decisions', {
    get: (request, response) =>
      listDecisions(parts, 'decisions', request, response, parse(listDecisionsQuery, request.query, 'query')),
  })
  route(router, '/runs/:id/transitions', {
    get: (request, response) => {
      const query = parse(listTransitionsQuery, request.query, 'query')
      return listDecisions(parts, 'transitions', request, response, { ...query, kind: ['transition'] })
    },
  })
  route(router, '/runs/:id/decisions/:number', {
    get: async (request, response) => {
      const record = await runs.record(parameter(request, 'id'))
      const { id, decisionCount } = record
      const number = parameter(request, 'number')
      const found = /^\d{1,15}$/.test(number) ? await storage.decision(id, Number(number)) : undefined
      if (found === undefined) throw decisionNotFound(id, number, decisionCount)
      response.type('json').send(found.body)
    },
  })
}

/** A page of the run's decisions, of all kinds or of some, under a name. */
async function listDecisions(
  { runs, storage, unchanged }: Parts,
  name: 'decisions' | 'transitions',
  request: Request,
  response: Response,
  { after, limit, kind }: z.infer<typeof listDecisionsQuery>,
): Promise<void> {
  const record = await runs.record(parameter(request, 'id'))
  if (unchanged(request, response, decisionParts(record))) return
  const query = { after, limit: limit + 1, ...(kind === undefined ? {} : { kinds: kind }) }
  const found = await storage.decisions(record.id, query)
  const page = found.slice(0, limit)
  const next = found.length > limit ? page.at(-1)!.number : null
  // The stored texts are sent as they are: byte for byte what was decided.
  response.type('json').send(`{"${name}":[${page.map(({ body }) => body).join(',')}],"next":${next}}`)
}

function addSeriesRoutes(router: Router, { runs, reader, unchanged }: Parts): void {
  route(router, '/runs/:id/series', {
    get: async (request, response) => {
      const query = parse(seriesQuerySchema, request.query, 'query')
      const runId = parameter(request, 'id')
      const state = logParts(await runs.record(runId))
      if (unchanged(request, response, state)) return
      response.type('json').send(await reader.json(runId, JSON.stringify(state), query))
    },
  })
  route(router, '/runs/:id/series/compact', {
    get: async (request, response) => {
      const { extremes = [], digits, ...query } = parse(compactSeriesQuerySchema, request.query, 'query')
      const runId = parameter(request, 'id')
      const state = logParts(await runs.record(runId))
      if (unchanged(request, response, state)) return
      const named = [extremes].flat().flatMap((text) => [text, ...text.split(',')])
      const how = { digits, extremes: new Set(named) }
      const key = JSON.stringify([state, digits, named])
      response.type('json').send(await reader.compact(runId, key, query, how))
    },
  })
}

export function addReadRoutes(router: Router, parts: Parts): void {
  const { runs, reader, storage, clock, unchanged } = parts
  addDecisionRoutes(router, parts)
  addSeriesRoutes(router, parts)
  route(router, '/runs/:id/recommendation', {
    get: async (request, response) => {
      const run = await runs.summary(parameter(request, 'id'))
      const last = await storage.decision(run.id, run.decisionCount)
      response.json(recommendationOf(run, last?.body))
    },
  })
  route(router, '/runs/:id/schedule', {
    get: async (request, response) => {
      const { format } = parse(scheduleQuery, request.query, 'query')
      const record = await runs.record(parameter(request, 'id'))
      const now = clock.now()
      if (unchanged(request, response, runParts(record, now))) return
      const run = summaryAt(record, now)
      if (format === 'json') {
        response.json(await reader.made((source) => scheduleJson(source, run)))
        return
      }
      if (format === 'csv') {
        response.type('text/csv')
        response.set('Content-Disposition', `attachment; filename="${run.id}-schedule.csv"`)
        await reader.streamed((source) => pipeline(Readable.from(scheduleRows(source, run)), response))
        return
      }
      const text = await reader.made((source) => exportPython(source, run, format))
      response.type('text/x-python; charset=utf-8')
      // The name that it is imported by.
      response.set('Content-Disposition', 'attachment; filename="schedule.py"')
      response.send(text)
    },
  })
}
