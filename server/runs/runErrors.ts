// Refusals that several calls about runs share.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { isoTime } from '../clock.ts'
import { ServerError } from '../errors.ts'

export const decisionNotFound = (runId: string, number: string, decisionCount: number) =>
  new ServerError(
    'decision-not-found',
    `run "${runId}" has no decision "${number}"; its decisions are numbered from 1 to ${decisionCount}`,
  )

export const runNotFound = (runId: string) =>
  new ServerError('run-not-found', `there is no run "${runId}" here; GET /api/v1/runs lists those that exist`)

export const removedNotFound = (runId: string, removedAt: number) =>
  new ServerError(
    'run-not-found',
    `no run "${runId}" that was deleted at ${isoTime(removedAt)} can be restored; GET /api/v1/removed-runs lists those that can`,
  )

/** What to do where a run has the id of the one that is to come back: both can be had, one after the other. */
export const restoreInstead =
  'delete it first (it can be restored, too), and then name the one you mean by ?removedAt=, as GET /api/v1/removed-runs tells it'

/** @see ActiveRunsOptions.mayRefold */
export const runOfNewer = (runId: string) =>
  new ServerError(
    'run-moved',
    `run "${runId}" is kept by servers of a newer version, and this one is about to be replaced: send the request again`,
    { retryAfterSeconds: 1 },
  )

/** `instead` says what to do. */
export const runExists = (runId: string, pointer: string, instead: string) =>
  new ServerError('run-exists', `run "${runId}" exists already; ${instead}`, {
    errors: [{ pointer, detail: 'is taken' }],
  })

const namesShown = 20

export const signalNotFound = (runId: string, name: string, names: readonly string[]) =>
  new ServerError(
    'signal-not-found',
    `run "${runId}" has no signal "${name}"; it has ${names.length === 0 ? 'none yet' : names.slice(0, namesShown).join(', ')}${names.length > namesShown ? ', …' : ''}`,
    { errors: [{ pointer: '?signals', detail: `names "${name}", which the run does not have` }] },
  )

export const isEnded = ({ state }: Pick<RunSummary, 'state'>): boolean =>
  state === 'finished' || state === 'diverged'

/** @throws ServerError `run-finished` if nothing can change the run's plan any more; `instead` says what to do. */
export function checkRunning(run: Pick<RunSummary, 'id' | 'state'>, instead?: string): void {
  if (!isEnded(run)) return
  const advice = instead === undefined ? '' : `; ${instead}`
  throw new ServerError('run-finished', `run "${run.id}" is ${run.state}: its plan changes no more${advice}`)
}
