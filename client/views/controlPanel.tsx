// The forms of taking over and giving back, in the panel. Each says what will happen before it is sent; the
// answer, or the server's reason for refusing, stands under its button.

import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatRate, formatStep } from '../../protocol/numbers.ts'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { endStepOf } from '../charts/phases.ts'
import { sendCommand, sendHandBack } from '../connection/api.ts'
import type { Answer } from '../connection/read.ts'
import { type ControlForm, changeRunAddress } from '../state/address.ts'
import { formatKnown, formatMeasured } from './format.ts'
import { type Outcome, OutcomeWords, outcomeOf, TextField } from './formParts.tsx'
import { OverrideForm } from './overridePanel.tsx'
import { plannedAlternative } from './words.ts'

const close = () => changeRunAddress({ panel: 'decision', form: null })

export function ControlPanel(props: { run: RunSummary; form: ControlForm; latest: Decision | null }) {
  const { run, form, latest } = props
  // The run may end while a form is open: then nothing can be sent any more.
  if (run.state === 'finished' || run.state === 'diverged') return <OverWords run={run} />
  switch (form) {
    case 'override':
      return <OverrideForm run={run} />
    case 'hand-back':
      return (
        <ConfirmForm
          title="Hand back the rate"
          words={`Twostep decides again from the next report on. It would use ${formatKnown(rateAfterHandBack(run), formatRate)}.`}
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

function OverWords(props: { run: RunSummary }) {
  return (
    <div class="panel form">
      <h2>Nothing left to steer</h2>
      <p class="why">
        The run is {props.run.state} since step {formatStep(props.run.step)}: its plan changes no more.
      </p>
      <p class="row-of">
        <button type="button" class="button button-quiet" onClick={close}>
          Close
        </button>
      </p>
    </div>
  )
}

function rateAfterHandBack(run: RunSummary): number | null {
  if (run.override === null || run.plan.segments.length === 0) return run.largeLearningRate
  return evaluatePlan(run.plan, run.override.untilStep).learningRate
}

function switchWords(run: RunSummary, latest: Decision | null): string {
  const last = endStepOf(run)
  const end = last === null ? '' : ` and ends at step ${formatStep(last)} at the latest`
  const now = latest?.alternatives.find(({ kind }) => kind === 'now')
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
  useLayoutEffect(() => title.current?.focus(), [])
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
