// The buttons of control beside a run's name. What needs words opens a form in the panel; pausing and resuming
// is one press. Each is one call of the HTTP API, and its answer stands beside the button.

import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { sendCommand } from '../connection/api.ts'
import { type ControlForm, changeRunAddress } from '../state/address.ts'
import { choose } from './choosing.ts'
import { type Outcome, OutcomeWords, outcomeOf } from './formParts.tsx'
import { Icon } from './icons.tsx'

const open = (form: ControlForm) => changeRunAddress({ panel: 'control', form })

/** How long "Sent" stays beside a press without a form, in milliseconds. */
const sentShownMs = 4_000

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
    <div class={`controls ${run.awaitingDecision === null ? '' : 'controls-asked'}`}>
      <AnswerButton awaiting={run.awaitingDecision} />
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
        <button type="button" class="button switch-now" onClick={() => open('switch-now')}>
          Switch now…
        </button>
      )}
      <Menu paused={run.state === 'paused'} sendPause={sendPause} />
      <OutcomeWords outcome={last} />
    </div>
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
