// A person's answer to a proposal, and its other ends: expired (nobody answered for long, or the evidence no longer asks for
// it) or superseded (something else was decided). A proposal's record never changes: the end is a new record that names it
// and says what waiting took, and, where the fitted valley tells, what that cost of the final loss.
// See docs/decisions/0010-approve-mode.md.

import type { Command, Evidence } from '../../protocol/vocabulary.ts'
import { annealCourse, enterAnneal } from '../phases/enter.ts'
import { costInputOf, judgementNow } from '../phases/judgement.ts'
import { waitingLoss } from '../phases/marginalCost.ts'
import type { Draft, Outcome, Run } from '../phases/phase.ts'
import { switchDraft } from '../phases/switchRecord.ts'
import { elapsedOf, lengthOf } from '../plan/bounds.ts'
import type { Proposal } from '../state.ts'

/** After a refusal nobody is asked again for this share of the budget, or of the steps so far without one. Chosen. */
const retryShare = 0.1

/** What waiting for a person took: steps, and the final loss of an anneal from now less that of one from then. */
function waitingOf(run: Run, proposal: Proposal): { readonly steps: number; readonly loss: number | null } {
  const { reading, gain } = judgementNow(run)
  const input = costInputOf(run, reading, gain)
  // A valley that turns up is no power law, and its anneal does not go to the end of the budget that the curve is for.
  const isShort = proposal.reason === 'overfitting' || proposal.reason === 'memorising'
  const loss = input === undefined || isShort ? null : waitingLoss(input, proposal.step)
  return { steps: Math.max(0, run.seen.step - proposal.step), loss }
}

function evidenceOfWaiting({ steps, loss }: { steps: number; loss: number | null }): Evidence[] {
  const common = { standardError: null, count: steps }
  const waited = { ...common, signal: 'stepsWaited', value: steps, unit: 'steps', source: 'approval' }
  const cost = { ...common, signal: 'waitingCost', value: loss, unit: 'loss', source: 'fitted-valley' }
  return loss === null ? [waited] : [waited, cost]
}

export type ProposalEnd = 'refused' | 'unanswered' | 'unasked' | 'overtaken'
const statuses = {
  refused: 'rejected',
  unanswered: 'expired',
  unasked: 'expired',
  overtaken: 'superseded',
} as const

/** The record that ends a proposal. */
export function endOfProposal(run: Run, proposal: Proposal, end: ProposalEnd): Draft {
  const { number } = proposal
  const waiting = waitingOf(run, proposal)
  return {
    kind: 'switch',
    rule: 'approval',
    reason: `proposal-${end}`,
    values: { number, ...waiting, askedFromStep: run.person.askedFromStep },
    status: statuses[end],
    answers: number,
    evidence: evidenceOfWaiting(waiting),
  }
}

/** Nobody has answered for long enough; null = it is not over yet. */
export function unansweredEnd(run: Run): Outcome | null {
  const { proposal } = run.person
  if (proposal === null || run.seen.step < proposal.expiresAtStep) return null
  return withoutProposal(run, endOfProposal(run, proposal, 'unanswered'))
}

const withoutProposal = (run: Run, draft: Draft): Outcome => ({
  course: run.course,
  change: { person: { ...run.person, proposal: null } },
  records: [draft],
})

/** A person's answer; null = that decision does not wait. */
export function answeredByHand(
  run: Run,
  { kind, decision, reason, by }: Extract<Command, { kind: 'approve' | 'reject' }>,
): Outcome | null {
  const { person, seen } = run
  const { proposal } = person
  if (proposal?.number !== decision) return null
  if (kind === 'reject') {
    const askedFromStep = seen.step + Math.ceil(retryShare * (lengthOf(run) ?? elapsedOf(run)))
    const refused = { ...run, person: { ...person, proposal: null, askedFromStep } }
    return withoutProposal(refused, {
      ...endOfProposal(refused, proposal, 'refused'),
      person: { by, reason },
    })
  }
  const waiting = waitingOf(run, proposal)
  const judgement = judgementNow(run)
  const open = { ...run, person: { ...person, proposal: null } }
  const anneal = annealCourse(open, proposal.reason, judgement, seen.step)
  const draft = switchDraft(open, anneal, judgement)
  return enterAnneal(open, anneal, [
    {
      ...draft,
      values: { ...draft.values, waitedSteps: waiting.steps, waitedLoss: waiting.loss },
      evidence: [...(draft.evidence ?? []), ...evidenceOfWaiting(waiting)],
      status: 'approved',
      answers: decision,
      person: { by, reason },
    },
  ])
}
