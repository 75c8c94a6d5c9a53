// Refusals that several calls about runs share.

import { ServerError } from '../errors.ts'

export const runNotFound = (runId: string) =>
  new ServerError('run-not-found', `there is no run "${runId}" here; GET /api/v1/runs lists those that exist`)
