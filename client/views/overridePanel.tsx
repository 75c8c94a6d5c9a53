// The form that sets the rate by hand: rate, until which step, and why.

import { useSignal } from '@preact/signals'
import { formatRate, formatStep } from '../../protocol/numbers.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { elapsedOf, endStepOf, firstStepOf } from '../charts/phases.ts'
import { sendOverride } from '../connection/api.ts'
import { changeRunAddress } from '../state/address.ts'
import { type Outcome, OutcomeWords, outcomeOf, TextField } from './formParts.tsx'
import { checkOverride } from './overrideForm.ts'

const close = () => changeRunAddress({ panel: 'decision', form: null })

export function OverrideForm(props: { run: RunSummary }) {
  const { run } = props
  const rate = useSignal(run.learningRate === null ? '' : formatRate(run.learningRate))
  const end = endStepOf(run)
  const length = end === null ? elapsedOf(run) * 2 : end - firstStepOf(run)
  const until = useSignal(String(run.step + Math.max(10, Math.round(length * 0.05))))
  const reason = useSignal('')
  const tried = useSignal(false)
  const busy = useSignal(false)
  const outcome = useSignal<Outcome>(null)
  const checked = checkOverride({ rate: rate.value, until: until.value, reason: reason.value }, run)
  const { min, max } = run.options.learningRate
  const submit = async (event: Event) => {
    event.preventDefault()
    tried.value = true
    if (checked.body === null) return
    busy.value = true
    outcome.value = outcomeOf(await sendOverride(run.id, checked.body))
    busy.value = false
  }
  const errors = tried.value ? checked.errors : {}
  const limits =
    min === null && max === null
      ? 'any rate'
      : `limits ${min === null ? '0' : formatRate(min)} to ${max === null ? 'none' : formatRate(max)}`
  const done = outcome.value?.ok === true
  return (
    <form class="panel form" onSubmit={submit} noValidate>
      <h2>Override the rate</h2>
      <TextField
        label="Learning rate"
        hint={limits}
        value={rate.value}
        change={(text) => (rate.value = text)}
        numeric
        focus
        error={errors.rate}
      />
      {checked.note !== null && <p class="sub">{checked.note}</p>}
      <TextField
        label="Until step"
        hint="then Twostep decides again"
        value={until.value}
        change={(text) => (until.value = text)}
        numeric
        error={errors.until}
      />
      <TextField
        label="Reason"
        hint="kept in the record"
        value={reason.value}
        change={(text) => (reason.value = text)}
        error={errors.reason}
      />
      <p class="row-of">
        {!done && (
          <button type="submit" class="button button-human" disabled={busy.value}>
            {checked.body === null
              ? 'Set the rate'
              : `Set ${checked.body.learningRate} until step ${formatStep(checked.body.untilStep)}`}
          </button>
        )}
        <button type="button" class="button button-quiet" onClick={close}>
          {done ? 'Close' : 'Cancel'}
        </button>
      </p>
      <OutcomeWords outcome={outcome.value} />
    </form>
  )
}
