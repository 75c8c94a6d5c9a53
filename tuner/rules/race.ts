// The race for the large rate: arms with different rates start from one checkpoint, see the same batches
// (common random numbers), and are ranked by the loss of their averaged weights, because raw loss prefers
// small rates. In rounds the better arms go on from their own checkpoints. Pure bookkeeping: who runs next, and
// what it scored. Which rates race is in raceOpening.ts, who won in raceResult.ts; the plan and the actions are
// made in raceSearch.ts.

import {
  guardNonFiniteMax,
  raceLastRoundSegments,
  raceLossRiseFactor,
  racePruneShare,
  raceSpreadGiven,
} from '../constants.ts'
import { type LossSmootherState, lossSmoother } from '../estimators/lossSmoother.ts'
import { riseLimit } from './riseLimit.ts'

export type Arm = {
  readonly id: number
  readonly learningRate: number
  /** Loss of averaged weights at the end of each round that it ran. */
  readonly losses: readonly number[]
  readonly diverged: boolean
  /** Name of its own newest checkpoint; null = it has none yet. */
  readonly checkpoint: string | null
  readonly stepCount: number
}

export type RaceState = {
  /** `range`: rates below a measured divergence rate. `given`: around the job's own rate. */
  readonly source: 'range' | 'given'
  /** The divergence rate or the job's own. */
  readonly reference: number
  readonly fromStep: number
  readonly segmentSteps: number
  readonly round: number
  /** How many arms each round runs. */
  readonly rounds: readonly number[]
  readonly arms: readonly Arm[]
  /** Arms still to run in this round (ids). */
  readonly queue: readonly number[]
  readonly current: { readonly arm: number; readonly fromStep: number; readonly toStep: number } | null
  readonly expansions: number
  /** Steps that the whole race may take. */
  readonly stepsMax: number
  /** Loss of the run's first steps: an arm far above it has diverged. Null = not known yet. */
  readonly lossFirst: number | null
  /** Watch over the arm that runs: its smoothed loss, and losses in a row that are not finite. */
  readonly watch: { readonly smoother: LossSmootherState; readonly nonFiniteCount: number }
}

export const openArm = (id: number, learningRate: number): Arm => ({
  id,
  learningRate,
  losses: [],
  diverged: false,
  checkpoint: null,
  stepCount: 0,
})

/** Steps that a race of these rounds takes. */
export function raceSteps(rounds: readonly number[], segmentSteps: number): number {
  return rounds.reduce((sum, count, round) => sum + count * roundSteps(rounds, round, segmentSteps), 0)
}

/** Steps that an arm runs in a round. */
export function roundSteps(rounds: readonly number[], round: number, segmentSteps: number): number {
  const isLast = round === rounds.length - 1
  return isLast ? Math.round(raceLastRoundSegments * segmentSteps) : segmentSteps
}

export const noWatch = (): RaceState['watch'] => ({ smoother: lossSmoother.init({}), nonFiniteCount: 0 })

/** Starts the next arm in the queue at a step; undefined = this round is over. */
export function startNextArm(race: RaceState, step: number): RaceState | undefined {
  const [next, ...queue] = race.queue
  if (next === undefined) return undefined
  const length = roundSteps(race.rounds, race.round, race.segmentSteps)
  return { ...race, queue, current: { arm: next, fromStep: step, toStep: step + length }, watch: noWatch() }
}

/** Folds one sample of the running arm. */
export function watchArm(race: RaceState, sample: { step: number; loss: number | null }): RaceState {
  const { current, watch } = race
  const { step, loss } = sample
  if (current === null || loss === null || step < current.fromStep || step >= current.toStep) return race
  if (!Number.isFinite(loss))
    return { ...race, watch: { ...watch, nonFiniteCount: watch.nonFiniteCount + 1 } }
  const smoother = lossSmoother.update(watch.smoother, { step, value: loss })
  return { ...race, lossFirst: race.lossFirst ?? loss, watch: { smoother, nonFiniteCount: 0 } }
}

/** Whether the running arm has come apart. */
export function hasArmDiverged(race: RaceState): boolean {
  const { watch, lossFirst } = race
  const smoothed = lossSmoother.read(watch.smoother).value
  const limit = lossFirst === null ? null : riseLimit(lossFirst, raceLossRiseFactor)
  const isFar = smoothed !== null && limit !== null && smoothed > limit
  return watch.nonFiniteCount >= guardNonFiniteMax || isFar
}

/** Ends the current arm with its averaged loss, or as diverged. `ranSteps` = steps that it took in this round. */
export function endArm(
  race: RaceState,
  result: { loss: number | null; ranSteps: number; checkpoint: string },
): RaceState {
  if (race.current === null) return race
  const { arm: id } = race.current
  const ok = result.loss !== null && Number.isFinite(result.loss)
  const arms = race.arms.map((entry) =>
    entry.id !== id
      ? entry
      : ok
        ? {
            ...entry,
            losses: [...entry.losses, result.loss as number],
            checkpoint: result.checkpoint,
            stepCount: entry.stepCount + result.ranSteps,
          }
        : { ...entry, diverged: true },
  )
  const ended = { ...race, arms, current: null }
  return isPastBest(ended) ? { ...ended, queue: [] } : ended
}

/** Arms that ran at all: the smallest rates may never have been tried. */
export const triedArms = (race: RaceState): readonly Arm[] =>
  race.arms.filter(({ losses, diverged }) => losses.length > 0 || diverged)

/** Arms that finished round `round`, best first. */
export function ranking(race: RaceState, round: number): readonly Arm[] {
  return race.arms
    .filter((entry) => !entry.diverged && entry.losses.length > round)
    .sort((a, b) => a.losses[round]! - b.losses[round]!)
}

/**
 * What follows when a round is over: the next round, a wider round (an edge won), or the end.
 * The result is the same race if it is over: then `raceResult` tells.
 */
export function advanceRace(race: RaceState, bounds: { min: number; max: number }): RaceState {
  if (race.queue.length > 0 || race.current !== null) return race
  const ranked = ranking(race, race.round)
  const wider = race.source === 'given' && race.round === 0 ? widened(race, ranked, bounds) : undefined
  if (wider) return wider
  const nextRound = race.round + 1
  const keep = race.rounds[nextRound]
  if (keep === undefined || ranked.length < 2) return { ...race, round: race.rounds.length }
  return { ...race, round: nextRound, queue: ranked.slice(0, keep).map(({ id }) => id) }
}

/**
 * In the first round of a race below a divergence rate the arms go from large rates to small ones, and their
 * averaged loss falls and then rises. Once it has risen twice in a row, and stands above the best by a clear part
 * of all that the run has descended, still smaller rates are not tried: most of the search is spent on them.
 */
function isPastBest(race: RaceState): boolean {
  if (race.source !== 'range' || race.round !== 0 || race.lossFirst === null) return false
  const losses = race.arms.flatMap((entry) => (entry.diverged ? [] : entry.losses.slice(0, 1)))
  const [a, b, c] = losses.slice(-3)
  if (a === undefined || b === undefined || c === undefined) return false
  const best = Math.min(...losses)
  return b > a && c > b && c - best > racePruneShare * (race.lossFirst - best)
}

export const isRaceOver = (race: RaceState): boolean => race.round >= race.rounds.length

/** If the best arm stands at the edge of those tried, one more beyond it: at most three, as the budget allows. */
function widened(
  race: RaceState,
  ranked: readonly Arm[],
  bounds: { min: number; max: number },
): RaceState | undefined {
  const best = ranked[0]
  const rates = race.arms.map(({ learningRate }) => learningRate)
  // All arms diverged: only smaller rates can help.
  const edge =
    best === undefined || best.learningRate <= Math.min(...rates)
      ? 'low'
      : best.learningRate >= Math.max(...rates)
        ? 'high'
        : undefined
  const steps = raceSteps(race.rounds, race.segmentSteps) + (race.expansions + 1) * race.segmentSteps
  if (edge === undefined || race.expansions >= 3 || race.arms.length < 2 || steps > race.stepsMax)
    return undefined
  const rate = edge === 'low' ? Math.min(...rates) / raceSpreadGiven : Math.max(...rates) * raceSpreadGiven
  if (rate < bounds.min || rate > bounds.max) return undefined
  const id = race.arms.length
  return { ...race, arms: [...race.arms, openArm(id, rate)], queue: [id], expansions: race.expansions + 1 }
}
