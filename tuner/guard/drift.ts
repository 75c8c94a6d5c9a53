// Drift: does the job apply what the plan says? A framework's own scheduler, or a loop that never reads the plan, makes
// every sentence about the rate untrue, so it is told after 50 steps, and taken back as soon as the job follows again for
// as long. A job may lag behind: a rate is on the plan if any plan that it may have heard of gives it. Cost: O(1).

import { segmentsRate } from '../../protocol/plan.ts'
import type { Plan, Segment } from '../../protocol/vocabulary.ts'
import type { Rows } from '../estimators/estimator.ts'

/** Steps in a row after which it is drift, or none any more. */
export const driftSteps = 50
/** A rate within this share of the planned one is as planned: clients may round. */
const tolerance = 0.1

export type DriftState = {
  /** Steps in a row off the plan, and on it. */
  readonly off: number
  readonly on: number
  /** Since this step, and what was applied for what; null = the job follows. */
  readonly since: { readonly step: number; readonly applied: number; readonly planned: number } | null
  readonly isTold: boolean
}

export const noDrift: DriftState = { off: 0, on: 0, since: null, isTold: false }

/** A plan that the job may be following: of the versions from `version` up to the next one's. */
export type IssuedPlan = { readonly version: number; readonly segments: readonly Segment[] }

type Watched = {
  readonly plan: Plan
  readonly issued: readonly IssuedPlan[]
  readonly followed: IssuedPlan | null
  /** The plan climbs: a job's own warm-up may be slower. */
  readonly isClimbing: boolean
}

/** Folds the rate of one step. */
export function watchRate(state: DriftState, run: Watched, step: number, applied: number): DriftState {
  const planned = segmentsRate(run.plan.segments, step)
  if (isOn(run, step, applied, planned)) {
    if (state.since === null) return state
    return !state.isTold || state.on + 1 >= driftSteps ? noDrift : { ...state, on: state.on + 1 }
  }
  return {
    off: state.off + 1,
    on: 0,
    since: { step: state.since?.step ?? step, applied, planned },
    isTold: state.isTold,
  }
}

/**
 * Folds the rates of rows, each of which has one, up to the first that makes it a drift that is not told yet; `to`: one past it.
 * What is watched holds for all of them.
 */
export function drivenOver(
  state: DriftState,
  run: Watched,
  {
    steps,
    rates,
    from,
    to,
  }: Rows & {
    readonly steps: readonly number[]
    readonly rates: readonly (number | null)[]
  },
): { readonly drift: DriftState; readonly to: number } {
  let { off, on, isTold } = state
  let sinceStep = state.since?.step ?? Number.NaN
  let [lastApplied, lastPlanned] = [state.since?.applied ?? 0, state.since?.planned ?? 0]
  let i = from
  while (i < to && (isTold || !(off >= driftSteps))) {
    const step = steps[i]!
    const applied = rates[i++]!
    const planned = segmentsRate(run.plan.segments, step)
    if (!isOn(run, step, applied, planned)) {
      if (Number.isNaN(sinceStep)) sinceStep = step
      ;[off, on, lastApplied, lastPlanned] = [off + 1, 0, applied, planned]
    } else if (!Number.isNaN(sinceStep)) {
      if (isTold && on + 1 < driftSteps) on++
      else [off, on, sinceStep, isTold] = [noDrift.off, noDrift.on, Number.NaN, noDrift.isTold]
    }
  }
  const since = Number.isNaN(sinceStep)
    ? null
    : { step: sinceStep, applied: lastApplied, planned: lastPlanned }
  return { drift: { off, on, since, isTold }, to: i }
}

function isOn(watched: Watched, step: number, applied: number, planned: number): boolean {
  const { plan, issued, followed, isClimbing } = watched
  if (isClimbing && applied <= planned) return true
  if (isNear(applied, planned)) return true
  if (plan.tripwire != null && isNear(applied, Math.min(planned, plan.tripwire.thenLearningRate))) return true
  if (followed !== null) return isNear(applied, segmentsRate(followed.segments, step))
  return issued.some(({ segments }) => isNear(applied, segmentsRate(segments, step)))
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= tolerance * Math.max(a, b)

/** Whether the job has gone its own way for long enough to say so. */
export const isDrifting = ({ off, since }: DriftState): boolean => since !== null && off >= driftSteps
