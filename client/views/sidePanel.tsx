// The panel beside the charts: a decision with its evidence, what if, the schedule, the log, or a form of control. All but
// the decision are loaded when they are first opened.

import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { changeRunAddress, type Panel, type RunAddress } from '../state/address.ts'
import { backToLive } from './choosing.ts'
import { DecisionPanel } from './decisionPanel.tsx'
import { Icon } from './icons.tsx'
import { lazyView } from './lazyView.tsx'
import { Tabs } from './tabs.tsx'

const ControlPanel = lazyView(async () => (await import('./control/controlPanel.tsx')).ControlPanel)
const WhatIfPanel = lazyView(async () => (await import('./whatIf/whatIfPanel.tsx')).WhatIfPanel)
const SchedulePanel = lazyView(async () => (await import('./schedulePanel.tsx')).SchedulePanel)
const LogPanel = lazyView(async () => (await import('./logPanel.tsx')).LogPanel)
const TimeSlider = lazyView(async () => (await import('./timeSlider.tsx')).TimeSlider)

const tabs = [
  ['decision', 'Decision'],
  ['what-if', 'What if'],
  ['schedule', 'Schedule'],
  ['log', 'Log'],
] as const satisfies readonly (readonly [Panel, string])[]

type SidePanelProps = {
  readonly run: RunSummary
  readonly decisions: readonly Decision[]
  readonly shown: Decision | null
  readonly address: RunAddress
}

export function SidePanel(props: SidePanelProps) {
  const { address } = props
  const isControl = address.panel === 'control'
  const live = address.decision === null && address.step === null
  // On narrow screens what was asked for comes up as a sheet over the charts; otherwise the panel lies below.
  const sheet = !live || isControl
  return (
    <aside class={`card side ${sheet ? 'sheet' : ''}`} aria-label="Details">
      <div class="side-head">
        {isControl ? (
          <p class="side-title">Control</p>
        ) : (
          <Tabs
            label="Details"
            idOf={(name, part) => `${part}-${name}`}
            tabs={tabs}
            chosen={address.panel}
            choose={(panel) => changeRunAddress({ panel })}
          />
        )}
        <span class="space" />
        {!live && !isControl && (
          <button type="button" class="link" onClick={backToLive}>
            Back to live
          </button>
        )}
        <button
          type="button"
          class={`icon-button ${isControl ? '' : 'sheet-close'}`}
          aria-label="Close"
          onClick={() => (isControl ? changeRunAddress({ panel: 'decision', form: null }) : backToLive())}
        >
          <Icon name="close" size={16} />
        </button>
      </div>
      <Content {...props} live={live} />
    </aside>
  )
}

function Content(props: SidePanelProps & { live: boolean }) {
  const { run, decisions, shown, address, live } = props
  const { panel, form } = address
  if (panel === 'control' && form !== null)
    return <ControlPanel key={form} run={run} form={form} latest={decisions.at(-1) ?? null} />
  const content =
    panel === 'log' ? (
      <LogPanel decisions={decisions} shown={shown} kind={address.kind} />
    ) : panel === 'schedule' ? (
      <SchedulePanel run={run} format={address.format} />
    ) : panel === 'what-if' ? (
      <WhatIfPanel run={run} wishes={address.wishes} />
    ) : (
      <>
        {decisions.length > 0 && <TimeSlider run={run} step={address.step} decision={shown} />}
        <DecisionPanel run={run} decisions={decisions} decision={shown} live={live} />
      </>
    )
  const name = panel === 'control' ? 'decision' : panel
  return (
    <div role="tabpanel" id={`panel-${name}`} aria-labelledby={`tab-${name}`}>
      {content}
    </div>
  )
}
