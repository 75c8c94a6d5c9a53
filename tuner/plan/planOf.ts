// The plan of a run: the rate ahead as its phase has it, under a person's override, with the limits, the cadence and the
// step to wait at. Made anew from what is known now; its version grows only where it asks for something else.

import type { Plan, Segment } from '../../protocol/vocabulary.ts'
import type { IssuedPlan } from '../guard/drift.ts'
import { tripwireOf } from '../guard/tripwire.ts'
import { isSteering } from '../options.ts'
import { phaseOf, type TunerState } from '../state.ts'
import { cadenceOf } from './cadence.ts'
import { horizonOf, overrideSegments } from './segments.ts'

/** Plans that a job may still be following. Chosen: a batch is answered before the next is made. */
const issuedMax = 8

/** The next version of the plan, or the same object where nothing changed, and the plans that a job may follow. */
export function planned(
  run: TunerState,
  course: { readonly segments: readonly Segment[]; readonly awaitAtStep: number | null },
): Pick<TunerState, 'plan' | 'issued'> {
  const { plan, issued, person, mode } = run
  const { override } = person
  const by = { phase: phaseOf(run.course), after: course.segments }
  const segments =
    override === null ? course.segments : overrideSegments(horizonOf(run), { ...override, ...by })
  const next: Plan = {
    version: plan.version + 1,
    segments,
    tripwire: tripwireOf(run),
    cadence: cadenceOf(run),
    awaitAtStep: isSteering(mode) ? course.awaitAtStep : null,
  }
  if (isSame(plan, next)) return { plan, issued }
  const isKnown = JSON.stringify(issued.at(-1)?.segments) === JSON.stringify(segments)
  const { version } = next
  return { plan: next, issued: isKnown ? issued : [...issued, { version, segments }].slice(-issuedMax) }
}

/** Whether two plans ask the same of a client, whatever their versions. */
const isSame = (a: Plan, b: Plan): boolean =>
  JSON.stringify({ ...a, version: 0 }) === JSON.stringify({ ...b, version: 0 })

/** The plan of that version as it is remembered: the newest that was issued by then; null = it is not known any more. */
export function issuedPlan(issued: readonly IssuedPlan[], version: number): IssuedPlan | null {
  return issued.findLast((entry) => entry.version <= version) ?? null
}
