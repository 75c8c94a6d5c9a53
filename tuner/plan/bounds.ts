// Where a run begins and ends, and when its switch may come: one place for the rule, the forecast and the plan, so that a
// job that follows a plan alone never anneals before the rule may. Steps are the job's own numbers, from any origin; all
// shares are of the steps between the first reported one and the end.

import { endOfBudget } from '../../protocol/plan.ts'
import { canJudge } from '../options.ts'
import type { TunerState } from '../state.ts'

/** The rule alone does not switch before this share: the eight probes that it needs may all lie early, where a slope
 *  over the rest of the run is a guess (bench/records/2026-11-24-after-the-switch/README.md). */
export const earliestSwitchShare = 0.25
/** The switch is forced where this share of the steps is done. The same record. */
export const deadlineShare = 0.9
/** Share of the steps over which the fallback plan anneals, where there is nothing to decide by. The same record. */
export const fallbackAnnealShare = 0.7
/** A job that could be judged but was not is annealed by the fallback plan from this share on. Chosen. */
export const patienceShare = 0.6
if (!(earliestSwitchShare <= 1 - fallbackAnnealShare && 1 - fallbackAnnealShare < patienceShare))
  throw new RangeError('the fallback plan must not anneal before the rule may')
if (!(patienceShare < deadlineShare)) throw new RangeError('patience must end before the deadline')

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
  return length === null ? originOf(run) : stepAt(run, length, earliestSwitchShare)
}

/** The switch is forced at this step; null = no budget. */
export function deadlineStep(run: Timed): number | null {
  const length = lengthOf(run)
  return length === null ? null : Math.max(run.seen.step, originOf(run) + Math.floor(deadlineShare * length))
}

/** The fallback plan anneals from this step on; null = no budget. Probes too dear for the rule are no reason to wait. */
export function fallbackStep(run: Timed & Pick<TunerState, 'options' | 'course'>): number | null {
  const { options, course } = run
  const length = lengthOf(run)
  if (length === null) return null
  const isWaiting = canJudge(options) && !(course.kind === 'large' && course.isDearSaid)
  return stepAt(run, length, isWaiting ? patienceShare : 1 - fallbackAnnealShare)
}
