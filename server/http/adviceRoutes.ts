// What the tuner would say: of a run under other settings, and to a job that is no run here; and how true its promises were. Nothing here changes a run.

import type { Router } from 'express'
import { recommendRequestSchema, whatIfRequestSchema } from '../../protocol/schemas.ts'
import { demandProject } from '../access/caller.ts'
import type { Clock } from '../clock.ts'
import { forecastCalibration } from '../runs/forecastCalibration.ts'
import type { OneAtATime } from '../runs/oneAtATime.ts'
import type { Runs } from '../runs/runs.ts'
import type { SeriesReader } from '../runs/seriesReader.ts'
import type { Tuner } from '../runs/tuner.ts'
import { whatIf } from '../runs/whatIf.ts'
import { recommendSchedule } from '../schedules/recommend.ts'
import type { Storage } from '../storage/storage.ts'
import { callerOf } from './admission.ts'
import { parameter } from './answer.ts'
import { readJson } from './body.ts'
import { route } from './routes.ts'
import { parse } from './validate.ts'

type Parts = {
  readonly runs: Runs
  readonly reader: SeriesReader
  readonly storage: Storage
  readonly tuner: Tuner
  readonly clock: Clock
  readonly whatIfs: OneAtATime
}

export function addAdviceRoutes(
  router: Router,
  { runs, reader, storage, tuner, clock, whatIfs }: Parts,
): void {
  route(router, '/runs/:id/what-if', {
    post: async (request, response) => {
      const wish = parse(whatIfRequestSchema, await readJson(request))
      const record = await runs.record(parameter(request, 'id'))
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      const answer = await whatIfs.run((ending) => {
        const signal = AbortSignal.any([gone.signal, ending])
        return whatIf({ storage, tuner, now: clock.now(), signal }, record, wish)
      })
      response.json(answer)
    },
  })
  route(router, '/forecasts/calibration', {
    get: async (_request, response) => {
      const { project } = callerOf(response)
      response.json(await forecastCalibration(storage, clock.now(), project))
    },
  })
  route(router, '/schedules/recommend', {
    post: async (request, response) => {
      const wish = parse(recommendRequestSchema, await readJson(request))
      if (wish.project !== undefined) demandProject(callerOf(response), wish.project)
      await reader.turn()
      response.json(await recommendSchedule({ storage, tuner, now: clock.now() }, wish))
    },
  })
}
