// A run is changed by one writer that knows all of it. One that does not (another server has written meanwhile) is told,
// and nothing of what it would store is stored.

import { ServerError } from '../errors.ts'
import type { Batch } from './storage.ts'

/** How many observations a writer believes to be in the log before its own. */
export const believedCount = ({ run, observations }: Pick<Batch, 'run' | 'observations'>): number =>
  run.observationCount - observations.length

/** Whether nothing of a call was stored because another server was faster. */
export const isMoved = (error: unknown): boolean => error instanceof ServerError && error.code === 'run-moved'

export const runMoved = (runId: string, believed: number, stored?: number): ServerError =>
  new ServerError(
    'run-moved',
    `another server has changed run ${runId}${stored === undefined ? '' : ` (it has ${stored} observations, not ${believed})`}: nothing of this request was stored; send it again`,
    { retryAfterSeconds: 1 },
  )
