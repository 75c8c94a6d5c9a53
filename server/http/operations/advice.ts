// Questions that change nothing: other settings, other jobs, how true the promises were.

import {
  forecastCalibrationSchema,
  recommendRequestSchema,
  scheduleRecommendationSchema,
  whatIfAnswerSchema,
  whatIfRequestSchema,
} from '../../../protocol/schemas.ts'
import { apiPrefix } from '../../../protocol/version.ts'
import type { Operations } from './operation.ts'

const one = `${apiPrefix}/runs/{id}`

export const adviceOperations: Operations = {
  [`${one}/what-if`]: {
    post: {
      id: 'askWhatIf',
      summary: 'Fold the log under other settings; nothing is written',
      scope: 'read',
      body: whatIfRequestSchema,
      answers: { 200: whatIfAnswerSchema },
      problems: ['run-too-long', 'server-busy'],
    },
  },
  [`${apiPrefix}/schedules/recommend`]: {
    post: {
      id: 'recommendSchedule',
      summary: 'A schedule for a job that is no run here, from what is told of it',
      keepsToProject: true,
      scope: 'read',
      body: recommendRequestSchema,
      answers: { 200: scheduleRecommendationSchema },
      problems: ['storage-failed', 'storage-damaged', 'project-not-allowed'],
    },
  },
  [`${apiPrefix}/forecasts/calibration`]: {
    get: {
      id: 'readForecastCalibration',
      summary: 'How often what finished runs were promised came true',
      keepsToProject: true,
      answers: { 200: forecastCalibrationSchema },
      problems: ['storage-failed', 'storage-damaged'],
    },
  },
}
