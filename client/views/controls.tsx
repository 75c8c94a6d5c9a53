// The buttons of control beside a run's name. What needs words opens a form in the panel; pausing and resuming is one press.
// What is not possible now stands there with its reason.

import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { sendCommand } from '../connection/api.ts'
import { whyNotControl } from '../state/access.ts'
import { type ControlForm, changeRunAddress } from '../state/address.ts'
import { choose } from './choosing.ts'
import { hasEnded, isSteered, whyNot } from './control/possible.ts'
import { type Outcome, OutcomeWords, outcomeOf } from './formParts.tsx'
import { Icon } from './icons.tsx'
import { saveReport } from './saveReport.ts'

const open = (form: ControlForm) => changeRunAddress({ panel: 'control', form })

/** How long what became of a press without a form stays, in milliseconds: until the job has most likely reported. */
const sentShownMs = 8_000

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
  const acts = isSteered(run) && !hasEnded(run)
  return (
    <div
      class={`controls ${acts ? 'controls-acting' : ''} ${run.awaitingDecision === null ? '' : 'controls-asked'}`}
    >
      <AnswerButton awaiting={run.awaitingDecision} />
      {acts && <RateButton run={run} />}
      {acts && <SwitchButton run={run} />}
      {hasEnded(run) && <ReportButton outcome={outcome} />}
      <RunMenu run={run} outcome={outcome} />
      <OutcomeWords outcome={last} />
    </div>
  )
}

function RateButton(props: { run: RunSummary }) {
  const isTaken = props.run.override !== null
  const why = whyNotControl()
  return (
    <button
      type="button"
      class="button"
      aria-disabled={why !== null}
      title={why ?? undefined}
      onClick={() => open(isTaken ? 'hand-back' : 'override')}
    >
      {isTaken ? 'Hand back…' : 'Override rate…'}
    </button>
  )
}

function SwitchButton(props: { run: RunSummary }) {
  const { run } = props
  const form = run.phase === 'anneal' ? 'undo-switch' : 'switch-now'
  const why = whyNot(run, form)
  return (
    <button
      type="button"
      class="button switch-now"
      // It stays in reach of the keyboard, so that its reason can be read.
      aria-disabled={why !== null}
      title={why ?? undefined}
      onClick={() => open(form)}
    >
      {form === 'undo-switch' ? 'Undo switch…' : 'Switch now…'}
    </button>
  )
}

type Told = { outcome: { value: Outcome } }

const tellReport = async (outcome: { value: Outcome }) => {
  outcome.value = null
  outcome.value = await saveReport()
}

function ReportButton(props: Told) {
  return (
    <button type="button" class="button" onClick={() => void tellReport(props.outcome)}>
      Report
    </button>
  )
}

/** On a phone the question lies under the charts: this brings it up. It is what the run waits for, so it comes first. */
function AnswerButton(props: { awaiting: number | null }) {
  const { awaiting } = props
  if (awaiting === null) return null
  return (
    <button type="button" class="button button-human answer" onClick={() => choose(awaiting)}>
      Answer…
    </button>
  )
}

/** On a phone the panel lies far below the charts. */
function openSchedule(): void {
  changeRunAddress({ panel: 'schedule', form: null })
  document.querySelector('.side')?.scrollIntoView({ block: 'nearest' })
}

function RunMenu(props: { run: RunSummary } & Told) {
  const { run, outcome } = props
  const isPaused = run.state === 'paused'
  const sendPause = async () => {
    outcome.value = outcomeOf(await sendCommand(run.id, isPaused ? 'resume' : 'pause', ''), false)
  }
  const over = hasEnded(run)
  return (
    <Menu>
      {!over && (
        <>
          <Item
            words={isPaused ? 'Resume' : 'Pause'}
            why={whyNot(run, 'pause')}
            act={() => void sendPause()}
          />
          <Item words="Anneal a copy…" why={whyNot(run, 'branch')} act={() => open('branch')} />
          <Item
            words="Finish…"
            hint="the job stops, its weights are kept"
            why={whyNot(run, 'finish')}
            act={() => open('finish')}
          />
          <Item words="Change the budget…" why={whyNot(run, 'budget')} act={() => open('budget')} />
        </>
      )}
      {over && run.branches.length > 0 && <Item words="Annealed copies…" act={() => open('branch')} />}
      <Item words="Name, project, tags…" why={whyNot(run, 'details')} act={() => open('details')} />
      <Item words="Schedule as code" act={openSchedule} />
      <Item words="Report" act={() => void tellReport(outcome)} />
      <Item words="Delete…" why={whyNot(run, 'details')} act={() => open('delete')} />
    </Menu>
  )
}

function Item(props: { words: string; hint?: string; why?: string | null; act: () => void }) {
  const { words, hint, why = null, act } = props
  return (
    <button type="button" data-closes="" disabled={why !== null} onClick={act}>
      {words}
      {(why ?? hint) !== undefined && <small>{why ?? hint}</small>}
    </button>
  )
}

function Menu(props: { children: ComponentChildren }) {
  const details = useRef<HTMLDetailsElement>(null)
  const shut = () => {
    if (details.current !== null) details.current.open = false
  }
  useEffect(() => {
    const onOutside = (event: Event) => {
      if (!details.current?.contains(event.target as Node)) shut()
    }
    const onChosen = (event: Event) => {
      if ((event.target as Element).closest('[data-closes]') !== null) shut()
    }
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !details.current?.open) return
      event.preventDefault()
      shut()
      details.current.querySelector('summary')?.focus()
    }
    const element = details.current
    element?.addEventListener('click', onChosen)
    document.addEventListener('pointerdown', onOutside)
    document.addEventListener('keydown', onEscape, true)
    return () => {
      element?.removeEventListener('click', onChosen)
      document.removeEventListener('pointerdown', onOutside)
      document.removeEventListener('keydown', onEscape, true)
    }
  }, [])
  return (
    <details class="menu" ref={details}>
      <summary class="icon-button" aria-label="More actions" title="More actions">
        <Icon name="more" size={16} />
      </summary>
      <div class="menu-list">{props.children}</div>
    </details>
  )
}
