// Runs: made, listed, reported, changed, deleted, brought back.

import {
  changeRunSchema,
  createRunSchema,
  listRunsQuery,
  removedRunsSchema,
  runAnswerSchema,
  runListSchema,
  runSummarySchema,
  telemetryAnswerSchema,
  telemetrySchema,
} from '../../../protocol/schemas.ts'
import { apiPrefix } from '../../../protocol/version.ts'
import { removeQuery, restoreQuery } from '../queries.ts'
import type { Operations } from './operation.ts'

const runs = `${apiPrefix}/runs`
const one = `${runs}/{id}`

export const runOperations: Operations = {
  [runs]: {
    get: {
      id: 'listRuns',
      summary: 'List runs in an order, those that match, page by page',
      keepsToProject: true,
      query: listRunsQuery,
      answers: { 200: runListSchema },
      problems: ['storage-failed', 'storage-damaged'],
    },
    post: {
      id: 'createRun',
      summary: 'Create a run, or resume one (200)',
      keepsToProject: true,
      scope: 'write',
      body: createRunSchema,
      answers: { 200: runAnswerSchema, 201: runAnswerSchema },
      problems: [
        'project-not-allowed',
        'run-not-found',
        'run-exists',
        'run-finished',
        'run-busy',
        'run-moved',
        'storage-failed',
        'storage-damaged',
        'disk-full',
      ],
    },
  },
  [one]: {
    get: { id: 'readRun', isConditional: true, summary: 'Read a run', answers: { 200: runSummarySchema } },
    patch: {
      id: 'changeRun',
      summary: 'Rename, tag, or change mode or budget',
      scope: 'control',
      body: changeRunSchema,
      answers: { 200: runSummarySchema },
      problems: ['run-finished', 'project-not-allowed'],
    },
    delete: {
      id: 'deleteRun',
      scope: 'control',
      summary: 'Delete a run; for 7 days it can be restored, unless it is deleted for good',
      query: removeQuery,
      answers: { 204: null },
    },
  },
  [`${one}/restore`]: {
    post: {
      id: 'restoreRun',
      scope: 'control',
      isOfRemoved: true,
      summary:
        'Bring a deleted run back; of several of that id the one that was deleted last, or at `removedAt`',
      query: restoreQuery,
      answers: { 200: runSummarySchema },
      problems: ['run-exists'],
    },
  },
  [`${apiPrefix}/removed-runs`]: {
    get: {
      id: 'listRemovedRuns',
      scope: 'admin',
      summary: 'Deleted runs that can be restored, the last one first',
      answers: { 200: removedRunsSchema },
      problems: ['storage-failed', 'storage-damaged'],
    },
  },
  [`${one}/telemetry`]: {
    post: {
      id: 'sendTelemetry',
      summary: 'Report samples, probes and acknowledgements; answered with the plan',
      scope: 'write',
      body: telemetrySchema,
      answers: { 200: telemetryAnswerSchema },
      problems: ['sequence-gap', 'sequence-reused', 'too-many-metrics'],
    },
  },
}
