// What the control forms share: a labelled field with its own error, the outcome of a press beside the button that was
// pressed, and what becomes of what was sent.

import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ControlAnswer } from '../../protocol/vocabulary.ts'
import type { Answer } from '../connection/read.ts'
import { runState } from '../state/runPage.ts'
import { Icon } from './icons.tsx'
import { fateWords, isHeard, type Sent, sentOf } from './sentFate.ts'

/** The outcome of the last press, in words; null = nothing pressed yet. */
export type Outcome = { readonly ok: boolean; readonly words: string; readonly sent?: Sent } | null

/** @param changesRates whether the rates ahead are others than before */
export function outcomeOf(answer: Answer<ControlAnswer>, changesRates: boolean): Outcome {
  if (!answer.ok) return { ok: false, words: answer.problem.detail }
  const noted = answer.value.decisions.at(-1)
  // A command that has no sense now is answered by a record that says so: nothing is sent to the job then.
  if (noted?.reason.key.startsWith('noted-')) return { ok: false, words: noted.summary }
  return { ok: true, words: '', sent: sentOf(answer.value, changesRates) }
}

/** The outcome of a change that is the server's own, and is done as it answers. */
export const doneOutcome = (answer: Answer<unknown>, words: string): Outcome =>
  answer.ok ? { ok: true, words } : { ok: false, words: answer.problem.detail }

export function OutcomeWords(props: { outcome: Outcome }) {
  const { outcome } = props
  if (outcome === null) return null
  return (
    <p class={outcome.ok ? 'outcome' : 'outcome outcome-bad'} role={outcome.ok ? 'status' : 'alert'}>
      <Icon name={outcome.ok ? 'finished' : 'alert'} size={14} />
      {outcome.sent === undefined ? outcome.words : <FateOf key={outcome.sent.seenAt} sent={outcome.sent} />}
    </p>
  )
}

function FateOf(props: { sent: Sent }) {
  const { run, series } = runState.value
  const heardAtStep = useRef<number | null>(null)
  if (run === null) return null
  if (heardAtStep.current === null && isHeard(props.sent, run)) heardAtStep.current = run.step
  return <>{fateWords(props.sent, heardAtStep.current, run, series.signals.learningRate)}</>
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

/** Several of a closed list, in the list's order. */
export function CheckList<Item extends string>(props: {
  legend: string
  items: readonly Item[]
  words: Readonly<Record<Item, string>>
  chosen: readonly Item[]
  change: (chosen: readonly Item[]) => void
}) {
  const { items, chosen } = props
  const toggle = (item: Item, on: boolean) =>
    props.change(items.filter((one) => (one === item ? on : chosen.includes(one))))
  return (
    <fieldset>
      <legend>{props.legend}</legend>
      {items.map((item) => (
        <label key={item}>
          <input
            type="checkbox"
            checked={chosen.includes(item)}
            onChange={(event) => toggle(item, event.currentTarget.checked)}
          />
          {props.words[item]}
        </label>
      ))}
    </fieldset>
  )
}

/** One of a few, each with its words. */
export function SelectField<Item extends string>(props: {
  id: string
  label: string
  items: readonly (readonly [Item, string])[]
  value: Item
  change: (value: Item) => void
}) {
  return (
    <p class="form-field">
      <label for={props.id}>{props.label}</label>
      <select
        id={props.id}
        value={props.value}
        onChange={(event) => props.change(event.currentTarget.value as Item)}
      >
        {props.items.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </p>
  )
}
