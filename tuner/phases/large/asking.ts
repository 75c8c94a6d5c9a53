// The switch that a rule wants: carried out in `auto`, asked for in `approve`, advised where nothing is steered. A proposal
// waits for a person and changes nothing until the answer; nobody need answer, as the plan in force ends annealed by
// itself. See docs/decisions/0010-approve-mode.md.

import { deadlineStep, elapsedOf, endOf, lengthOf } from '../../plan/bounds.ts'
import { evaluationDistance } from '../../plan/cadence.ts'
import type { AnnealReason, Large } from '../../state.ts'
import { annealCourse, enterAnneal } from '../enter.ts'
import type { Judgement } from '../judgement.ts'
import type { Outcome, Run } from '../phase.ts'
import { switchDraft } from '../switchRecord.ts'
import { held, type Why } from './hold.ts'

/** A proposal waits for this share of the budget, or of the steps so far without one, and at least two probes. Chosen. */
export const approvalShare = 0.1

/** `fromStep`: where the job has begun the anneal by itself; `isMet`: it has, so nobody is asked. */
export function wanted(
  run: Run,
  course: Large,
  reason: AnnealReason,
  judgement: Judgement,
  { fromStep = run.seen.step, isMet = false }: { fromStep?: number; isMet?: boolean } = {},
): Outcome {
  const anneal = annealCourse(run, reason, judgement, fromStep)
  const draft = switchDraft(run, anneal, judgement)
  if (run.mode === 'auto' || isMet || (run.mode === 'approve' && reason === 'deadline'))
    return enterAnneal(run, anneal, [draft])
  if (run.mode === 'approve') return proposed(run, course, reason, judgement)
  if (course.advisedAtStep !== null) return { course }
  return { course: { ...course, advisedAtStep: run.seen.step }, records: [draft] }
}

/** Why a person is not asked now; null = may be asked. */
function whyNotAsked({ person, seen }: Run, reason: AnnealReason): Why | null {
  const { proposal, askedFromStep } = person
  if (proposal?.reason === reason)
    return { key: 'asked', values: { number: proposal.number, expiresAtStep: proposal.expiresAtStep } }
  return seen.step < askedFromStep ? { key: 'refused', values: { fromStep: askedFromStep } } : null
}

/** Whether a person has been asked already, or does not want to be. */
export const awaitedAnswer = (run: Run, reason: AnnealReason): boolean =>
  run.mode === 'approve' && whyNotAsked(run, reason) !== null

function proposed(run: Run, course: Large, reason: AnnealReason, judgement: Judgement): Outcome {
  const why = whyNotAsked(run, reason)
  if (why !== null) return held(run, course, judgement, why)
  const { step } = run.seen
  const share = Math.ceil(approvalShare * (lengthOf(run) ?? elapsedOf(run)))
  const deadline = endOf(run) === null ? null : deadlineStep(run)
  const last = step + Math.max(1, share, 2 * evaluationDistance(run))
  const expiresAtStep = Math.min(last, deadline ?? Number.MAX_SAFE_INTEGER)
  const draft = switchDraft(run, annealCourse(run, reason, judgement, step), judgement)
  const values = { ...draft.values, expiresAtStep, deadline }
  return {
    course,
    records: [{ ...draft, values, status: 'awaiting-approval' }],
    proposes: { expiresAtStep, reason },
  }
}
