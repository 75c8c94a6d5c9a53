// The answer to a decision that awaits approval, under its test: approve or reject, with a reason for the record. The
// form goes by itself once the run says that nothing waits any more; a refusal by the server stays beside the buttons.

import { useSignal } from '@preact/signals'
import { sendAnswer } from '../connection/api.ts'
import { type Outcome, OutcomeWords, outcomeOf, TextField } from './formParts.tsx'

export function ApprovalForm(props: { runId: string; number: number }) {
  const { runId, number } = props
  const reason = useSignal('')
  const outcome = useSignal<Outcome>(null)
  const busy = useSignal(false)
  const answer = (kind: 'approve' | 'reject') => async () => {
    busy.value = true
    outcome.value = outcomeOf(await sendAnswer(runId, number, kind, reason.value.trim()))
    busy.value = false
  }
  return (
    <section class="part form" aria-label="Your answer">
      <TextField
        label="Reason"
        hint="kept in the record"
        value={reason.value}
        change={(text) => (reason.value = text)}
      />
      <p class="row-of">
        <button type="button" class="button button-human" disabled={busy.value} onClick={answer('approve')}>
          Approve
        </button>
        <button type="button" class="button" disabled={busy.value} onClick={answer('reject')}>
          Reject
        </button>
      </p>
      <OutcomeWords outcome={outcome.value} />
    </section>
  )
}
