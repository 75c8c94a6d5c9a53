// A form that says what will happen, asks for a reason, and sends. What becomes of it stands under its button.

import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { changeRunAddress } from '../../state/address.ts'
import { type Outcome, OutcomeWords, TextField } from '../formParts.tsx'

export const closeForm = () => changeRunAddress({ panel: 'decision', form: null })

export const reasonMissing = 'Reason must not be empty: it is kept in the record.'

type ConfirmProps = {
  readonly title: string
  /** What will happen, one paragraph each. */
  readonly words: readonly string[]
  readonly action: string
  readonly keep: string
  /** `optional`: may be left empty. */
  readonly reason: 'required' | 'optional'
  /** Why it cannot be sent now; null = it can. */
  readonly whyNot?: string | null
  /** Whether the form's own fields can be sent; absent = there are none. */
  readonly sound?: () => boolean
  readonly send: (reason: string) => Promise<Outcome>
  readonly children?: ComponentChildren
}

export function ConfirmForm(props: ConfirmProps) {
  const { whyNot = null } = props
  const reason = useSignal('')
  const tried = useSignal(false)
  const outcome = useSignal<Outcome>(null)
  const busy = useSignal(false)
  const lacksReason = props.reason === 'required' && reason.value.trim() === ''
  const submit = async (event: Event) => {
    event.preventDefault()
    tried.value = true
    if (lacksReason || whyNot !== null || props.sound?.() === false) return
    busy.value = true
    outcome.value = await props.send(reason.value.trim())
    busy.value = false
  }
  const done = outcome.value?.ok === true
  const title = useRef<HTMLHeadingElement>(null)
  useLayoutEffect(() => title.current?.focus(), [])
  return (
    <form class="panel form" onSubmit={submit} noValidate>
      <h2 ref={title} tabIndex={-1}>
        {props.title}
      </h2>
      {props.words.map((words) => (
        <p key={words} class="why">
          {words}
        </p>
      ))}
      {props.children}
      {!done && (
        <TextField
          label="Reason"
          hint={props.reason === 'required' ? 'kept in the record' : 'may be left empty'}
          value={reason.value}
          change={(text) => (reason.value = text)}
          error={tried.value && lacksReason ? reasonMissing : undefined}
        />
      )}
      <p class="row-of">
        {!done && (
          <button type="submit" class="button button-human" disabled={busy.value || whyNot !== null}>
            {props.action}
          </button>
        )}
        <button type="button" class="button button-quiet" onClick={closeForm}>
          {done ? 'Close' : props.keep}
        </button>
      </p>
      {!done && whyNot !== null && <p class="sub">{whyNot}</p>}
      <OutcomeWords outcome={outcome.value} />
    </form>
  )
}
