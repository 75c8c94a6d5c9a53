// Folds observations through the tuner and collects what follows from them. Used alike for a new batch, for
// the tail of the log after a restart, for a refold by a newer tuner, and for `replay`: one path, so that a
// replay gives the same decisions byte for byte.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Decision, Observation, SignalReading } from '../../protocol/vocabulary.ts'
import { logCut } from '../storage/damage.ts'
import { logPages } from '../storage/logPages.ts'
import type { RunReads, Storage, StoredDecision, StoredObservation } from '../storage/storage.ts'
import { decodeObservation } from './observationCodec.ts'
import { type Points, pointsOfReadings, pointsOfSamples } from './points.ts'
import { runNotFound } from './runErrors.ts'
import type { FoldState, Tuner } from './tuner.ts'

export type Folded = {
  readonly state: FoldState
  readonly decisions: readonly Decision[]
  readonly readings: readonly SignalReading[]
}

/** Pure. */
export function foldObservations(
  tuner: Tuner,
  state: FoldState,
  observations: readonly Observation[],
): Folded {
  const decisions: Decision[] = []
  const readings: SignalReading[] = []
  let current = state
  for (const observation of observations) {
    const result = tuner.tune(current, observation)
    current = result.state
    for (const decision of result.decisions) decisions.push(decision)
    for (const reading of result.readings) readings.push(reading)
  }
  return { state: current, decisions, readings }
}

export const storedDecision = (decision: Decision): StoredDecision => ({
  number: decision.number,
  kind: decision.kind,
  step: decision.step,
  body: JSON.stringify(decision),
})

const decisionsPerPage = 200

/** The first decisions as stored, one after another. */
export async function* storedDecisions(
  storage: Storage,
  runId: string,
  count: number,
): AsyncGenerator<string, void, void> {
  let after = 0
  while (after < count) {
    const limit = Math.min(decisionsPerPage, count - after)
    const page = await storage.decisions(runId, { after, limit })
    if (page.length === 0) return
    for (const { body } of page) yield body
    after = page.at(-1)!.number
  }
}

/**
 * The first observations as stored, one after another.
 * @throws ServerError `run-not-found` where the run is deleted meanwhile, `storage-damaged` where it is there and they are not.
 */
export async function* storedObservations(
  storage: Storage,
  runId: string,
  count: number,
): AsyncGenerator<StoredObservation, void, void> {
  let last = 0
  for await (const page of logPages(storage, runId, { after: 0, upTo: count })) {
    yield* page
    last = page.at(-1)!.number
    await nextTurn()
  }
  if (last < count)
    throw (await storage.run(runId)) === undefined ? runNotFound(runId) : logCut(runId, last, count)
}

/** The points of samples among observations. */
export const samplePoints = (observations: readonly Observation[]): Points[] =>
  observations.flatMap((observation) =>
    observation.kind === 'samples' ? [pointsOfSamples(observation.columns)] : [],
  )

export type LogPage = Folded & {
  readonly lastNumber: number
  readonly samples: readonly Points[]
  readonly readingPoints: readonly Points[]
}

/** Folds the stored log after an observation, page by page, so that a log of any length fits in memory. */
export async function* foldLog(
  storage: Pick<RunReads, 'observations'>,
  tuner: Tuner,
  runId: string,
  from: { readonly state: FoldState; readonly after: number },
): AsyncGenerator<LogPage, void, void> {
  let { state } = from
  for await (const page of logPages(storage, runId, from)) {
    const observations = page.map(decodeObservation)
    const folded = foldObservations(tuner, state, observations)
    state = folded.state
    yield {
      ...folded,
      lastNumber: page.at(-1)!.number,
      samples: samplePoints(observations),
      readingPoints: pointsOfReadings(folded.readings),
    }
  }
}
