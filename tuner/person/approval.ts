// Approve mode: the tuner decides as in auto, but a decision that changes the plan waits for a person. One proposal
// stands at a time. It ends approved or rejected by a person, expired (nobody answered for long, or the evidence no
// longer asks for it) or superseded (something else was decided). Its record never changes: the end is a new record
// that names it and says what waiting cost. Nobody need answer: the plan in force ends annealed by itself (planParts.ts).
// Guards do not ask, and what a person commands needs no approval. See docs/decisions/0010-approve-mode.md.

import type { Command } from '../../protocol/vocabulary.ts'
import { approvalRetryShare, approvalShare } from '../constants.ts'
import { isPatienceOver, lackingNow, switched, switchRecord } from '../phases/anneal/switching.ts'
import { type Judgement, judgementNow } from '../phases/large/judgement.ts'
import { waitingOf } from '../phases/large/waiting.ts'
import { decided, proposalEnded, type Turn, updated, withoutProposal } from '../phases/settle.ts'
import { evaluationDistance } from '../plan/cadence.ts'
import { deadlineStep } from '../plan/planOf.ts'
import { formatStep } from '../record/sentences.ts'
import type { AnnealState, TunerState } from '../state.ts'

/** Why a person is not asked now; null = may be asked. */
export function whyNotAsked({ approval, step }: TunerState, reason: AnnealState['reason']): string | null {
  const { pending, notBeforeStep } = approval
  if (pending !== null && pending.reason === reason)
    return `decision ${formatStep(pending.number)} awaits approval until step ${formatStep(pending.expiresAtStep)}`
  return step < notBeforeStep
    ? `annealing was refused by hand, and is asked for again from step ${formatStep(notBeforeStep)} on`
    : null
}

/** Asks a person for the switch; nothing changes until the answer. */
export function proposed(turn: Turn, reason: AnnealState['reason'], judgement: Judgement, detail = ''): Turn {
  const { state } = turn
  const { step, budgetSteps } = state
  const share = Math.ceil(approvalShare * (budgetSteps ?? step))
  const end = step + Math.max(1, share, 2 * evaluationDistance(state))
  const expiresAtStep = budgetSteps === null ? end : Math.min(end, deadlineStep(step, budgetSteps))
  const last =
    budgetSteps === null
      ? ' Without an answer the large step goes on.'
      : ` Without an answer the anneal starts at step ${formatStep(deadlineStep(step, budgetSteps))}.`
  const record = switchRecord(state, reason, judgement, {
    detail,
    fromStep: step,
    waits: ` awaits approval until step ${formatStep(expiresAtStep)}`,
  })
  const asked = decided(turn, { ...record, summary: record.summary + last, status: 'awaiting-approval' })
  const pending = { number: asked.state.decisionCount, step, expiresAtStep, reason, detail }
  const { approval, lifecycle } = asked.state
  return updated(asked, {
    approval: { ...approval, pending },
    lifecycle: lifecycle === 'running' ? 'waiting' : lifecycle,
  })
}

/** A person's answer; undefined = that decision does not wait. */
export function answered(
  turn: Turn,
  { kind, decision, reason }: Extract<Command, { kind: 'approve' | 'reject' }>,
): Turn | undefined {
  const { state } = turn
  const { pending } = state.approval
  if (pending?.number !== decision) return undefined
  const why = reason === '' ? '' : ` (${reason})`
  if (kind === 'approve') {
    const { words, evidence } = waitingOf(state, pending)
    return switched(withoutProposal(turn), pending.reason, judgementNow(state), {
      detail: pending.detail,
      approved: { number: decision, words: `Approved by hand${why}. ${words}`, evidence },
    })
  }
  const notBeforeStep = state.step + Math.ceil(approvalRetryShare * (state.budgetSteps ?? state.step))
  const rejected = proposalEnded(
    turn,
    'rejected',
    `refused by hand${why}, and asked again at step ${formatStep(notBeforeStep)} at the earliest`,
  )
  return updated(rejected, { approval: { pending: null, notBeforeStep } })
}

/** Nobody has answered for long enough. */
export function unansweredExpired(turn: Turn): Turn {
  const { approval, step } = turn.state
  return approval.pending !== null && step >= approval.pending.expiresAtStep
    ? proposalEnded(turn, 'expired', 'nobody answered')
    : turn
}

/** The evidence holds no more. A proposal for want of evidence stands as long as that is wanting. */
export function unaskedExpired(turn: Turn): Turn {
  const { approval } = turn.state
  const stands = approval.pending?.reason === 'fallback' && isPatienceOver(turn.state)
  return stands ? turn : proposalEnded(turn, 'expired', 'the evidence no longer asks for it')
}

/** The fallback plan is due: a job that cannot be judged anneals by it, or a person is asked whether it may. */
export function fallenBack(turn: Turn): Turn {
  const { state } = turn
  const judgement = judgementNow(state)
  const detail = lackingNow(state, judgement)
  if (state.mode !== 'approve') return switched(turn, 'fallback', judgement, { detail })
  return whyNotAsked(state, 'fallback') === null ? proposed(turn, 'fallback', judgement, detail) : turn
}
