// A run's log out and in: `…/export` streams it, `import` makes a run of it.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Router } from 'express'
import type { LogHeader } from '../../protocol/schemas.ts'
import { apiPrefix } from '../../protocol/version.ts'
import { demandProject } from '../access/caller.ts'
import type { Runs } from '../runs/runs.ts'
import type { SeriesReader } from '../runs/seriesReader.ts'
import type { Storage } from '../storage/storage.ts'
import { exportedLog } from '../transfer/exportLog.ts'
import type { Imports } from '../transfer/importLog.ts'
import { readLog } from '../transfer/readLog.ts'
import { callerOf } from './admission.ts'
import { parameter } from './answer.ts'
import { logMedia, readLogChunks } from './body.ts'
import { importQuery } from './queries.ts'
import { route } from './routes.ts'
import { parse } from './validate.ts'

type Parts = {
  readonly runs: Runs
  readonly reader: SeriesReader
  readonly storage: Storage
  readonly imports: Imports
  readonly basePath: string
}

async function* resumed<T>(first: IteratorResult<T, void>, rest: AsyncIterable<T>): AsyncGenerator<T> {
  if (first.done !== true) yield first.value
  yield* rest
}

export function addTransferRoutes(router: Router, { runs, reader, storage, imports, basePath }: Parts): void {
  // Not a route of its own: what other methods do with a run that is called `import` is left to those of runs.
  // Before the runs' own addresses; no run has this name.
  route(router, '/runs/import', {
    post: async (request, response) => {
      const { runId } = parse(importQuery, request.query, 'query')
      const check = ({ run }: LogHeader) => demandProject(callerOf(response), run.project)
      const answer = await imports.take(readLog(readLogChunks(request)), { runId, check })
      response.location(`${basePath}${apiPrefix}/runs/${answer.run.id}`)
      response.status(201).json(answer)
    },
  })
  route(router, '/runs/:id/export', {
    get: async (request, response) => {
      const record = await runs.record(parameter(request, 'id'))
      await reader.streamed(async () => {
        const log = exportedLog(storage, record)
        // What is damaged up to here is answered as a problem, and not broken off.
        const first = await log.next()
        response.type(logMedia)
        response.set('Content-Disposition', `attachment; filename="${record.id}.twostep.ndjson"`)
        // One piece at a time: a slow reader leaves the rest in the storage.
        await pipeline(Readable.from(resumed(first, log), { highWaterMark: 1 }), response)
      })
    },
  })
}
