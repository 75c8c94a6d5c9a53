// What the control forms share: a labelled field with its own error, and the outcome of a press beside the
// button that was pressed.

import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Answer } from '../connection/read.ts'
import { Icon } from './icons.tsx'

/** The outcome of the last press, in words; null = nothing pressed yet. */
export type Outcome = { readonly ok: boolean; readonly words: string } | null

const sentWords = 'Sent. The job applies it at its next report.'

export function outcomeOf(answer: Answer<unknown>): Outcome {
  return answer.ok ? { ok: true, words: sentWords } : { ok: false, words: answer.problem.detail }
}

export function OutcomeWords(props: { outcome: Outcome }) {
  const { outcome } = props
  if (outcome === null) return null
  return (
    <p class={outcome.ok ? 'outcome' : 'outcome outcome-bad'} role={outcome.ok ? 'status' : 'alert'}>
      <Icon name={outcome.ok ? 'finished' : 'alert'} size={14} />
      {outcome.words}
    </p>
  )
}

type FieldProps = {
  readonly label: string
  readonly hint: string
  readonly value: string
  readonly change: (text: string) => void
  readonly numeric?: boolean
  readonly error?: string | undefined
  readonly focus?: boolean
}

export function TextField(props: FieldProps) {
  const input = useRef<HTMLInputElement>(null)
  // Before the first picture: later it would take the focus from a field that was chosen since.
  useLayoutEffect(() => {
    if (props.focus) input.current?.focus()
  }, [])
  const name = props.label.toLowerCase().replace(/\W+/g, '-')
  return (
    <p class="form-field">
      <label for={`field-${name}`}>
        {props.label}
        <small>{props.hint}</small>
      </label>
      <input
        ref={input}
        id={`field-${name}`}
        type="text"
        inputMode={props.numeric ? 'decimal' : 'text'}
        autoComplete="off"
        maxLength={1000}
        value={props.value}
        aria-invalid={props.error !== undefined}
        aria-describedby={props.error === undefined ? undefined : `error-${name}`}
        onInput={(event) => props.change(event.currentTarget.value)}
      />
      {props.error !== undefined && (
        <span class="field-error" id={`error-${name}`}>
          {props.error}
        </span>
      )}
    </p>
  )
}
