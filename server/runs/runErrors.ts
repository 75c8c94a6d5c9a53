// Refusals that several calls about runs share.

import { ServerError } from '../errors.ts'

export const decisionNotFound = (runId: string, number: string, decisionCount: number) =>
  new ServerError(
    'decision-not-found',
    `run "${runId}" has no decision "${number}"; its decisions are numbered from 1 to ${decisionCount}`,
  )

export const runNotFound = (runId: string) =>
  new ServerError('run-not-found', `there is no run "${runId}" here; GET /api/v1/runs lists those that exist`)
