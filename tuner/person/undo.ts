// Undoing a switch: back to the large step, by a person or for a longer budget. The rate climbs again from the annealed
// weights, which are lower in the valley than those at the switch. What the probes of the anneal said of the valley is
// forgotten: they lie below it, and going back up would look like overfitting.

import { undoShareLeft } from '../../protocol/plan.ts'
import { averagedGap } from '../estimators/averagedGap.ts'
import { valleyUpTo } from '../estimators/valleySlope.ts'
import { watchedAfresh } from '../guard/watch.ts'
import { largeCourse } from '../phases/enter.ts'
import type { Draft, Outcome, Run } from '../phases/phase.ts'
import { endOf, lengthOf, lengthOrNominal } from '../plan/bounds.ts'
import { annealRateShare } from '../plan/segments.ts'
import type { Anneal } from '../state.ts'

/** The rate climbs back over this share of the budget. */
const climbShare = 0.01

export function isUndoable(run: Run): boolean {
  const end = endOf(run)
  return end === null || (end - run.seen.step) / lengthOrNominal(run) >= undoShareLeft
}

/** Ends the anneal under way and climbs back to the large rate. */
export function undone(
  run: Run,
  course: Anneal,
  record: Pick<Draft, 'reason' | 'rule'> & Partial<Pick<Draft, 'test' | 'person'>>,
): Outcome {
  const { seen } = run
  const { step, signals } = seen
  const climbSteps = Math.max(1, Math.round(climbShare * lengthOrNominal(run)))
  const fromRate = course.fromRate * annealRateShare(course, step, lengthOf(run))
  const forgotten = {
    valley: valleyUpTo(signals.valley, course.fromRunLength),
    gap: averagedGap.init(),
    probeLosses: [],
    averagedLosses: [],
    averagedSteps: [],
  }
  const ramp = { fromStep: step, toStep: step + climbSteps, fromRate }
  return {
    course: {
      ...largeCourse(course.largeFromStep, course.fromRate, ramp),
      undoneAtStep: step,
      evaluatedAtStep: step,
    },
    change: { seen: { ...seen, guard: watchedAfresh(seen.guard), signals: { ...signals, ...forgotten } } },
    withdraw: ({ kind }) => kind === 'probe' || kind === 'checkpoint',
    records: [{ kind: 'undo', values: { step, rate: course.fromRate, climbSteps }, ...record }],
  }
}
