// The race for the large rate: arms with different rates start from one checkpoint, see the same batches
// (common random numbers), and are compared by the loss of their averaged weights, because raw loss prefers
// small rates. One arm runs after the other, and which is next follows from those before (raceClimb.ts); who won is
// in raceResult.ts. Pure bookkeeping: who runs, and what it scored; the plan and the actions are made in
// raceSearch.ts.

import { guardNonFiniteMax, raceLossRiseFactor } from '../../constants.ts'
import { type LossSmootherState, lossSmoother } from '../../estimators/lossSmoother.ts'
import type { Score } from '../../estimators/pairedLoss.ts'
import { riseLimit } from '../../estimators/riseLimit.ts'

export type Arm = {
  readonly id: number
  readonly learningRate: number
  /** Averaged weights at its end; null = it has not ended, or it diverged. */
  readonly score: Score | null
  readonly diverged: boolean
  /** Name of its own checkpoint; null = it has none yet. */
  readonly checkpoint: string | null
  readonly stepCount: number
}

export type RaceState = {
  /** `given`: around the job's own rate. `range`: around one below a measured divergence rate. `later`: around the large rate. */
  readonly source: 'given' | 'range' | 'later'
  /** The rate of arm 0: it is kept unless there is evidence for another. */
  readonly reference: number
  /** Ratio of neighbouring rates. */
  readonly ratio: number
  readonly fromStep: number
  readonly segmentSteps: number
  /** Steps that the whole race may take. */
  readonly stepsMax: number
  readonly arms: readonly Arm[]
  readonly current: { readonly arm: number; readonly fromStep: number; readonly toStep: number } | null
  /** Loss of the run's first steps: an arm far above it has diverged. Null = not known yet. */
  readonly lossFirst: number | null
  /** Watch over the arm that runs: its smoothed loss, and losses in a row that are not finite. */
  readonly watch: { readonly smoother: LossSmootherState; readonly nonFiniteCount: number }
}

export const noWatch = (): RaceState['watch'] => ({ smoother: lossSmoother.init({}), nonFiniteCount: 0 })

export function openRace(
  options: Pick<
    RaceState,
    'source' | 'reference' | 'ratio' | 'fromStep' | 'segmentSteps' | 'stepsMax' | 'lossFirst'
  >,
): RaceState {
  return { ...options, arms: [], current: null, watch: noWatch() }
}

/** Starts an arm at a rate and a step. */
export function startArm(race: RaceState, learningRate: number, step: number): RaceState {
  const id = race.arms.length
  const arm: Arm = { id, learningRate, score: null, diverged: false, checkpoint: null, stepCount: 0 }
  const current = { arm: id, fromStep: step, toStep: step + race.segmentSteps }
  return { ...race, arms: [...race.arms, arm], current, watch: noWatch() }
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

/** Ends the current arm with its score, or, without a finite one, as diverged. */
export function endArm(
  race: RaceState,
  result: { score: Score | null; ranSteps: number; checkpoint: string },
): RaceState {
  if (race.current === null) return race
  const { arm: id } = race.current
  const { score, ranSteps, checkpoint } = result
  const arms = race.arms.map((entry) => {
    if (entry.id !== id) return entry
    return score !== null && Number.isFinite(score.loss)
      ? { ...entry, score, checkpoint, stepCount: ranSteps }
      : { ...entry, diverged: true }
  })
  return { ...race, arms, current: null }
}

/** An arm that came to its end. */
export type Finisher = Arm & { readonly score: Score }

/** Arms that came to their end, slowest rate first. */
export function finishers(race: RaceState): readonly Finisher[] {
  return race.arms
    .filter((arm): arm is Finisher => arm.score !== null)
    .toSorted((a, b) => a.learningRate - b.learningRate)
}
