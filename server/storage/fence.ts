// A run is changed by one writer that knows all of it. One that does not (another server has written meanwhile) is told,
// and nothing of what it would store is stored.

import { ServerError } from '../errors.ts'
import type { Batch } from './storage.ts'

/** How many observations a writer believes to be in the log before its own. */
export const believedCount = ({ run, observations }: Pick<Batch, 'run' | 'observations'>): number =>
  run.observationCount - observations.length

export const runMoved = (runId: string, believed: number, stored?: number): ServerError =>
  new ServerError(
    'run-moved',
    `run ${runId} has ${stored ?? 'other than'} ${stored === undefined ? `${believed} observations` : `observations, not ${believed}`}: another server has written to it, and nothing of this request was stored; send it again`,
    { retryAfterSeconds: 1 },
  )
