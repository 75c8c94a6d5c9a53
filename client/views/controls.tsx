// Taking over and giving back: each control is one call of the HTTP API, with a reason that is kept in the
// record. Forms open in the panel; the answer, or the server's reason for refusing, stands beside the button.

import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { type Answer, sendCommand, sendHandBack, sendOverride } from '../connection/api.ts'
import { type ControlForm, changeRunAddress } from '../state/address.ts'
import { formatCount, formatMeasured, formatNumber } from './format.ts'
import { Icon } from './icons.tsx'
import { checkOverride } from './overrideForm.ts'
import { plannedAlternative } from './words.ts'

const open = (form: ControlForm) => changeRunAddress({ panel: 'control', form })
const close = () => changeRunAddress({ panel: 'decision', form: null })

/** The outcome of the last press, in words; null = nothing pressed yet. */
type Outcome = { readonly ok: boolean; readonly words: string } | null

const sentShownMs = 4_000
const sentWords = 'Sent. The job applies it at its next report.'

function outcomeOf(answer: Answer<unknown>): Outcome {
  return answer.ok ? { ok: true, words: sentWords } : { ok: false, words: answer.problem.detail }
}

function OutcomeWords(props: { outcome: Outcome }) {
  const { outcome } = props
  if (outcome === null) return null
  return (
    <p class={outcome.ok ? 'outcome' : 'outcome outcome-bad'} role={outcome.ok ? 'status' : 'alert'}>
      <Icon name={outcome.ok ? 'finished' : 'alert'} size={14} />
      {outcome.words}
    </p>
  )
}

export function ControlButtons(props: { run: RunSummary }) {
  const { run } = props
  const outcome = useSignal<Outcome>(null)
  const { value: last } = outcome
  // An answer to a press without a form goes by itself; a refusal stays until the next press.
  useEffect(() => {
    if (!last?.ok) return
    const timer = setTimeout(() => {
      outcome.value = null
    }, sentShownMs)
    return () => clearTimeout(timer)
  }, [last, outcome])
  const maySwitch = run.phase === 'large' || run.phase === 'warmup'
  const sendPause = async () => {
    const kind = run.state === 'paused' ? 'resume' : 'pause'
    outcome.value = outcomeOf(await sendCommand(run.id, kind, ''))
  }
  return (
    <div class="controls">
      {run.override === null ? (
        <button type="button" class="button" onClick={() => open('override')}>
          Override rate…
        </button>
      ) : (
        <button type="button" class="button" onClick={() => open('hand-back')}>
          Hand back…
        </button>
      )}
      {maySwitch && (
        <button type="button" class="button" onClick={() => open('switch-now')}>
          Switch now…
        </button>
      )}
      <Menu paused={run.state === 'paused'} sendPause={sendPause} />
      <OutcomeWords outcome={last} />
    </div>
  )
}

function Menu(props: { paused: boolean; sendPause: () => void }) {
  const details = useRef<HTMLDetailsElement>(null)
  const shut = () => {
    if (details.current !== null) details.current.open = false
  }
  useEffect(() => {
    const onOutside = (event: Event) => {
      if (!details.current?.contains(event.target as Node)) shut()
    }
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !details.current?.open) return
      event.preventDefault()
      shut()
      details.current.querySelector('summary')?.focus()
    }
    document.addEventListener('pointerdown', onOutside)
    document.addEventListener('keydown', onEscape, true)
    return () => {
      document.removeEventListener('pointerdown', onOutside)
      document.removeEventListener('keydown', onEscape, true)
    }
  })
  const press = (action: () => void) => () => {
    shut()
    action()
  }
  return (
    <details class="menu" ref={details}>
      <summary class="icon-button" aria-label="More: pause, finish" title="More">
        <Icon name="more" size={16} />
      </summary>
      <div class="menu-list">
        <button type="button" onClick={press(props.sendPause)}>
          {props.paused ? 'Resume' : 'Pause'}
        </button>
        <button type="button" onClick={press(() => open('finish'))}>
          Finish…
        </button>
      </div>
    </details>
  )
}

export function ControlPanel(props: { run: RunSummary; form: ControlForm; latest: Decision | null }) {
  const { run, form, latest } = props
  switch (form) {
    case 'override':
      return <OverrideForm run={run} />
    case 'hand-back':
      return (
        <ConfirmForm
          title="Hand back the rate"
          words={`Twostep decides again from the next report on. It would use ${formatNumber(rateAfterHandBack(run))}.`}
          action="Hand back"
          keep="Keep it"
          withReason={false}
          send={() => sendHandBack(run.id)}
        />
      )
    case 'switch-now':
      return (
        <ConfirmForm
          title="Switch to annealing now"
          words={switchWords(run, latest)}
          action="Switch now"
          keep="Keep going"
          withReason
          send={(reason) => sendCommand(run.id, 'switch-now', reason)}
        />
      )
    case 'finish':
      return (
        <ConfirmForm
          title="Finish the run"
          words="The job stops at its next report and keeps its weights. This cannot be undone."
          action="Finish the run"
          keep="Keep going"
          withReason
          send={(reason) => sendCommand(run.id, 'finish', reason)}
        />
      )
  }
}

function rateAfterHandBack(run: RunSummary): number | null {
  if (run.override === null || run.plan.segments.length === 0) return run.largeLearningRate
  return evaluatePlan(run.plan, run.override.untilStep).learningRate
}

function switchWords(run: RunSummary, latest: Decision | null): string {
  const end =
    run.budgetSteps === null ? '' : ` and ends at step ${formatCount(run.budgetSteps)} at the latest`
  const now = latest?.alternatives.find(({ name }) => /^anneal now/i.test(name))
  const planned = latest === null ? undefined : plannedAlternative(latest.alternatives)
  const words = `Annealing starts at the next step${end}.`
  if (now === undefined || planned === undefined) return words
  const value = (entry: typeof now) => formatMeasured(entry.finalLoss, entry.standardError).value
  return `${words} Expected final loss ${value(now)} instead of ${value(planned)}.`
}

type ConfirmProps = {
  readonly title: string
  readonly words: string
  readonly action: string
  readonly keep: string
  readonly withReason: boolean
  readonly send: (reason: string) => Promise<Answer<unknown>>
}

function ConfirmForm(props: ConfirmProps) {
  const reason = useSignal('')
  const outcome = useSignal<Outcome>(null)
  const busy = useSignal(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    busy.value = true
    outcome.value = outcomeOf(await props.send(reason.value.trim()))
    busy.value = false
  }
  const done = outcome.value?.ok === true
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => title.current?.focus(), [])
  return (
    <form class="panel form" onSubmit={submit}>
      <h2 ref={title} tabIndex={-1}>
        {props.title}
      </h2>
      <p class="why">{props.words}</p>
      {props.withReason && (
        <TextField
          label="Reason"
          hint="kept in the record"
          value={reason.value}
          change={(text) => (reason.value = text)}
        />
      )}
      <p class="row-of">
        {!done && (
          <button type="submit" class="button button-human" disabled={busy.value}>
            {props.action}
          </button>
        )}
        <button type="button" class="button button-quiet" onClick={close}>
          {done ? 'Close' : props.keep}
        </button>
      </p>
      <OutcomeWords outcome={outcome.value} />
    </form>
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

function TextField(props: FieldProps) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
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

function OverrideForm(props: { run: RunSummary }) {
  const { run } = props
  const rate = useSignal(run.learningRate === null ? '' : String(Number(run.learningRate.toPrecision(3))))
  const until = useSignal(
    String(run.step + Math.max(10, Math.round((run.budgetSteps ?? run.step * 2) * 0.05))),
  )
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
      : `limits ${min === null ? '0' : formatNumber(min)} to ${max === null ? 'none' : formatNumber(max)}`
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
              : `Set ${formatNumber(checked.body.learningRate)} until step ${formatCount(checked.body.untilStep)}`}
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
