// The answer to a decision that awaits approval, under its test: how long it waits, what waiting has cost by the newest
// forecast, approve or reject. The form goes by itself once the run says that nothing waits any more; a refusal by the
// server stays beside the buttons.

import { signal, useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { sendAnswer } from '../connection/api.ts'
import { whyNotControl } from '../state/access.ts'
import { changeRunAddress } from '../state/address.ts'
import { formatDuration, formatMeasured } from './format.ts'
import { type Outcome, OutcomeWords, outcomeOf, TextField } from './formParts.tsx'

/** The button that a key asks for: it takes the focus, and is never pressed by the key. */
export const answerAsked = signal<'approve' | 'reject' | null>(null)

/** "Expires at step 1,720: in 200 steps, about 6 min." */
export function expiryWords(asked: Decision, { step, stepsPerSecond, state }: RunSummary): string {
  const expires = asked.reason.values.expiresAtStep
  if (expires == null) return ''
  const left = expires - step
  const runs = state === 'waiting' || state === 'running'
  const time =
    runs && stepsPerSecond !== null && stepsPerSecond > 0 && left > 0
      ? `, about ${formatDuration(Math.max(1, left / stepsPerSecond))}`
      : ''
  return left > 0
    ? `Expires at step ${formatStep(expires)}: in ${formatPlural(left, 'step')}${time}.`
    : `Expires with the next report, at step ${formatStep(expires)}.`
}

/** What the anneal was to end at when it was asked for, beside what one from now would. */
export function waitingCost(asked: Decision, latest: Decision): string {
  const now = (decision: Decision) => decision.alternatives.find(({ kind }) => kind === 'now')
  const [then, since] = [now(asked), now(latest)]
  const value = (entry: NonNullable<typeof then>) =>
    formatMeasured(entry.finalLoss, entry.standardError).value
  if (then === undefined) return 'What waiting costs is not known.'
  if (since === undefined || latest.number === asked.number)
    return `Begun at step ${formatStep(asked.step)} it was to end at a loss of ${value(then)}; what waiting costs is not measured yet.`
  return `Begun at step ${formatStep(asked.step)} it was to end at a loss of ${value(then)}, from step ${formatStep(latest.step)} at ${value(since)}.`
}

type ApprovalProps = { readonly run: RunSummary; readonly asked: Decision; readonly latest: Decision }

export function ApprovalForm(props: ApprovalProps) {
  const { run, asked, latest } = props
  const reason = useSignal('')
  const outcome = useSignal<Outcome>(null)
  const busy = useSignal(false)
  const lacksReason = useSignal(false)
  const buttons = { approve: useRef<HTMLButtonElement>(null), reject: useRef<HTMLButtonElement>(null) }
  const forbidden = whyNotControl()
  const wanted = answerAsked.value
  useLayoutEffect(() => {
    if (wanted === null) return
    buttons[wanted].current?.focus()
    answerAsked.value = null
  }, [wanted])
  const answer = (kind: 'approve' | 'reject') => async () => {
    const words = reason.value.trim()
    lacksReason.value = kind === 'reject' && words === ''
    if (lacksReason.value) return
    busy.value = true
    outcome.value = outcomeOf(await sendAnswer(run.id, asked.number, kind, words), kind === 'approve')
    busy.value = false
    // What follows is shown from here on; a question that was pinned is no longer one.
    if (outcome.peek()?.ok) changeRunAddress({ decision: null }, 'replace')
  }
  return (
    <section class="part form" aria-label="Your answer">
      <p class="why">
        {expiryWords(asked, run)} {waitingCost(asked, latest)}
      </p>
      <p class="why">Approved now, the anneal begins at step {formatStep(run.step)}.</p>
      <TextField
        label="Reason"
        hint="needed to reject; kept in the record"
        value={reason.value}
        change={(text) => (reason.value = text)}
        error={lacksReason.value ? 'Say why you reject it: it is kept in the record.' : undefined}
      />
      <p class="row-of">
        <button
          ref={buttons.approve}
          type="button"
          class="button button-human"
          disabled={busy.value || forbidden !== null}
          onClick={answer('approve')}
        >
          Approve
        </button>
        <button
          ref={buttons.reject}
          type="button"
          class="button"
          disabled={busy.value || forbidden !== null}
          onClick={answer('reject')}
        >
          Reject
        </button>
      </p>
      {forbidden !== null && <p class="sub">{forbidden}</p>}
      <OutcomeWords outcome={outcome.value} />
    </section>
  )
}
