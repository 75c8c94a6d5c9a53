// The race for the large rate: arms with different rates start from one checkpoint, see the same batches where the job can
// take its data back (common random numbers), and are compared by the mean of their loss and that of their averaged weights
// (search.ts says why), or, where nothing is averaged, by training losses at rate 0. One arm runs after the other, and which is next follows from those before (climb.ts); who won is
// in result.ts. Pure bookkeeping of who runs and what it scored; the plan and the actions are made in search.ts.
// Constants: bench/records/2026-11-24-search/README.md unless said otherwise.

import { tripwireNonFiniteMax } from '../../../protocol/plan.ts'
import type { Score } from '../../estimators/pairedLoss.ts'
import { scatterOf } from '../../guard/levels.ts'
import { bitsOf } from '../../guard/norms.ts'
import type { GuardState } from '../../guard/watch.ts'
import type { ArmMeasure } from '../../options.ts'

/** Ratio of neighbouring rates. */
export const raceRatio = 3
/** An arm is this share of the budget long, within bounds in steps that a long budget must not change. */
const armShare = 0.02
const armStepsMin = 12
const armStepsMax = 60
/** Of the steps at its rate: how long an arm comes down, and how long it is measured. bench/records/2026-11-28-loss-alone/README.md. */
const partShare = 1 / 3
/** The whole race takes at most this share of the budget; where not even three arms fit, there is none. */
export const raceShareMax = 0.25
const armsNeeded = 3
/** An arm whose smoothed loss lies so many deviations of single steps above the run's first loss has diverged. Chosen:
 *  about twice the first loss of a classifier. */
const armLossDeviations = 20

export type Arm = {
  readonly id: number
  readonly learningRate: number
  /** The steps that it was run over, `toStep` one past the last; null = it runs. */
  readonly fromStep: number
  readonly toStep: number | null
  /** At its end; null = it has not ended, or it diverged. */
  readonly score: Score | null
  readonly diverged: boolean
}

export type CurrentArm = {
  readonly arm: number
  readonly fromStep: number
  readonly toStep: number
  /** Training losses at rate 0, where arms are compared by them. */
  readonly losses: readonly number[]
}

export type RaceState = {
  /** The rate of arm 0, the job's own or the usual one: it is kept unless there is evidence for another. */
  readonly reference: number
  readonly fromStep: number
  readonly armSteps: number
  readonly measure: ArmMeasure
  /** Of `armSteps`: from the first one the rate comes down, from the second on it is 0 and the loss is measured. */
  readonly downAfterSteps: number
  readonly zeroAfterSteps: number
  /** Steps that the whole race may take. */
  readonly stepsMax: number
  /** The arms see the same batches. */
  readonly hasSameBatches: boolean
  readonly arms: readonly Arm[]
  readonly current: CurrentArm | null
  /** Loss of the run's first step, and the deviation of single steps; null = not known yet. */
  readonly lossFirst: number | null
  readonly scatter: number | null
}

/** A race around a rate; undefined where it does not fit into the budget, or the limits leave only that rate. */
export function openRace({
  length,
  min,
  max,
  ...begun
}: Pick<RaceState, 'reference' | 'fromStep' | 'hasSameBatches' | 'measure'> & {
  readonly length: number
  /** The run's limits. */
  readonly min: number
  readonly max: number
}): RaceState | undefined {
  const { reference } = begun
  const heldSteps = 4 * Math.round(Math.min(Math.max(armShare * length, armStepsMin), armStepsMax) / 4)
  const lengths = armLengths(heldSteps, begun.measure)
  const { armSteps } = lengths
  const stepsMax = raceShareMax * length
  const isWide = reference * raceRatio <= max || reference / raceRatio >= min
  if (!isWide || armsNeeded * armSteps > stepsMax) return undefined
  return { ...begun, ...lengths, stepsMax, arms: [], current: null, lossFirst: null, scatter: null }
}

/** An arm that is measured by training losses takes a third more to come down, and another third for that. */
function armLengths(heldSteps: number, measure: ArmMeasure) {
  const part = Math.ceil(heldSteps * partShare)
  const down = measure === 'training' ? part : 0
  return { downAfterSteps: heldSteps, zeroAfterSteps: heldSteps + down, armSteps: heldSteps + 2 * down }
}

/** Starts an arm at a rate and a step. */
export function startArm(race: RaceState, learningRate: number, step: number): RaceState {
  const id = race.arms.length
  const arms = [
    ...race.arms,
    { id, learningRate, fromStep: step, toStep: null, score: null, diverged: false },
  ]
  return { ...race, arms, current: { arm: id, fromStep: step, toStep: step + race.armSteps, losses: [] } }
}

/** What the samples of the running arm have shown; the first arm tells where the run begins and how its loss scatters. */
export function watchedRace(race: RaceState, guard: GuardState): RaceState {
  const lossFirst = race.lossFirst ?? guard.lastLoss
  const scatter = race.scatter ?? scatterOf(guard)
  return lossFirst === race.lossFirst && scatter === race.scatter ? race : { ...race, lossFirst, scatter }
}

/** Smoothed loss above which an arm has diverged; null = not known yet. */
export function armLossMax(race: RaceState, guard: GuardState): number | null {
  const { lossFirst, scatter } = watchedRace(race, guard)
  if (lossFirst === null || scatter === null) return null
  return Math.min(lossFirst + armLossDeviations * scatter, Number.MAX_VALUE)
}

/** Whether the running arm has come apart. */
export function hasArmDiverged(race: RaceState, guard: GuardState): boolean {
  const limit = armLossMax(race, guard)
  const isFar = guard.smoothed !== null && limit !== null && guard.smoothed > limit
  const isBroken = Math.max(bitsOf(guard.badLosses), bitsOf(guard.badNorms)) >= tripwireNonFiniteMax
  return isFar || isBroken
}

/** Ends the current arm at a step with its score, or, without a finite one, as diverged. */
export function endArm(race: RaceState, score: Score | null, toStep: number): RaceState {
  if (race.current === null) return race
  const { arm, fromStep } = race.current
  const ended = score !== null && Number.isFinite(score.loss) ? { score } : { diverged: true }
  const arms = race.arms.with(arm, { ...race.arms[arm]!, fromStep, toStep, ...ended })
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
