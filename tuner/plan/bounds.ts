// Where a run begins and ends, and when its switch may come: one place for the rule, the forecast and the plan, so that a
// job that follows a plan alone never anneals before the rule may. Steps are the job's own numbers, from any origin; all
// shares are of the steps between the first reported one and the end.

import { endOfBudget } from '../../protocol/plan.ts'
import type { TunerState } from '../state.ts'

/** What says that more steps cost is heard from this share of the steps on: earlier it is a guess. */
export const overfittingShare = 0.25
/**
 * The large step is held for this share of the steps: before it no rule of ours has beaten holding, and where nothing can be
 * judged the anneal begins here (bench/records/2026-11-28-hold/README.md).
 */
export const holdShare = 0.75
/** Where both sides of the rule are known well it may switch from this share of the steps on: longer anneals were not measured
 *  (bench/records/2026-11-28-public-logs/README.md). */
export const sureShare = 0.4
/** … in runs of so many steps: none shorter was measured. */
export const sureLengthMin = 10_000
/** The switch is forced where this share of the steps is done (bench/records/2026-11-24-after-the-switch/README.md). */
export const deadlineShare = 0.9
if (!(holdShare < deadlineShare)) throw new RangeError('the hold must end before the deadline')

/** What stands for the length of a run without a budget where shares of it are needed. Chosen. */
export const nominalLength = 5_000

type Timed = Pick<TunerState, 'budgetSteps'> & { readonly seen: Pick<TunerState['seen'], 'origin' | 'step'> }

export const originOf = ({ seen }: Timed): number => seen.origin ?? 0

/** Steps taken since the first one. */
export const elapsedOf = (run: Timed): number => run.seen.step - originOf(run)

/** One past the last step; null = no budget. */
export const endOf = (run: Timed): number | null =>
  run.budgetSteps === null ? null : endOfBudget(originOf(run), run.budgetSteps)

/** T: steps between the first and the end; null = no budget. */
export function lengthOf(run: Timed): number | null {
  const end = endOf(run)
  return end === null ? null : end - originOf(run)
}

/** The length, or what stands for it. */
export const lengthOrNominal = (run: Timed): number => lengthOf(run) ?? nominalLength

const stepAt = (run: Timed, length: number, share: number): number =>
  originOf(run) + Math.round(share * length)

/** The rule may switch from this step on; without a budget at any. */
export function earliestSwitchStep(run: Timed): number {
  const length = lengthOf(run)
  return length === null ? originOf(run) : stepAt(run, length, holdShare)
}

/** The rule may switch from this step on where both of its sides are sure, and the run is long; without a budget at any. */
export function earliestSureStep(run: Timed): number {
  const length = lengthOf(run)
  if (length === null) return originOf(run)
  return length < sureLengthMin ? earliestSwitchStep(run) : stepAt(run, length, sureShare)
}

/** A rise of the held-out loss, which costs at any rate, may end the large step from this step on; without a budget at any. */
export function earliestRiseStep(run: Timed): number {
  const length = lengthOf(run)
  return length === null ? originOf(run) : stepAt(run, length, overfittingShare)
}

/** The switch is forced at this step; null = no budget. */
export function deadlineStep(run: Timed): number | null {
  const length = lengthOf(run)
  return length === null ? null : Math.max(run.seen.step, originOf(run) + Math.floor(deadlineShare * length))
}

/** The fallback plan anneals from this step on; null = no budget. */
export const fallbackStep = (run: Timed): number | null =>
  lengthOf(run) === null ? null : earliestSwitchStep(run)
