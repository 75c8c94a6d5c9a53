// The page of one run: a sentence first, curves second, the chosen decision with its evidence beside them.
// Without a chosen decision it follows the run; choosing pins one, and "Back to live" lets go.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { LaterCharts, loadCharts } from '../charts/laterCharts.tsx'
import { connection } from '../connection/live.ts'
import { changeRunAddress, type RunAddress } from '../state/address.ts'
import { nowMs } from '../state/clock.ts'
import { refreshSignalNames, runState } from '../state/runPage.ts'
import { Announcer } from './announcer.tsx'
import { backToLive, choose, neighbourOf } from './choosing.ts'
import { ControlPanel } from './controlPanel.tsx'
import { ControlButtons } from './controls.tsx'
import { DecisionPanel } from './decisionPanel.tsx'
import { Facts } from './facts.tsx'
import { Icon } from './icons.tsx'
import { keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import { LogPanel } from './logPanel.tsx'
import { notesOf } from './notes.ts'
import { Sentence } from './sentence.tsx'
import { StateChip } from './stateChip.tsx'

export function RunPage(props: { address: RunAddress }) {
  const state = runState.value
  const { run, problem, removed } = state
  const named = run?.options.name ?? props.address.runId
  useEffect(() => {
    document.title = `${named} · Twostep`
  }, [named])
  useEffect(() => void loadCharts(), [])
  if (removed) return <Notice title={named} words="This run was deleted." />
  if (run === null && problem !== null) {
    const words = problem.status === 404 ? `No run called ${props.address.runId} here.` : problem.detail
    return <Notice title={props.address.runId} words={words} requestId={problem.requestId} />
  }
  if (run === null) return <Loading name={props.address.runId} />
  return <Loaded run={run} address={props.address} />
}

function Notice(props: { title: string; words: string; requestId?: string | undefined }) {
  return (
    <main class="page">
      <h1 class="page-title">{props.title}</h1>
      <section class="card empty">
        <p>
          {props.words} <a href="/">All runs</a>
        </p>
        {props.requestId !== undefined && <p class="sub">Request {props.requestId}</p>}
      </section>
    </main>
  )
}

function Loading(props: { name: string }) {
  return (
    <main class="page" aria-busy="true">
      <h1 class="page-title">{props.name}</h1>
      <p class="say">Loading the run…</p>
      <div class="grid">
        <section class="card skeleton" aria-hidden="true" />
        <section class="card skeleton" aria-hidden="true" />
      </div>
    </main>
  )
}

/** The decision to show: the chosen one, the one that waits for a person, or the newest. */
function decisionShown(
  run: RunSummary,
  decisions: readonly Decision[],
  address: RunAddress,
): Decision | null {
  const wanted = address.decision ?? run.awaitingDecision
  return decisions.find(({ number }) => number === wanted) ?? decisions.at(-1) ?? null
}

function useRunKeys(
  decisions: readonly Decision[],
  shown: Decision | null,
  address: RunAddress,
  mayAct: boolean,
): void {
  const go = (direction: 1 | -1, holdsToo: boolean) => {
    const next = neighbourOf(decisions, shown, direction, holdsToo)
    if (next !== undefined) choose(next.number)
  }
  useKeys({
    j: () => go(1, false),
    k: () => go(-1, false),
    'Shift+j': () => go(1, true),
    'Shift+k': () => go(-1, true),
    l: backToLive,
    '0': () => changeRunAddress({ zoom: null, last: null }, 'replace'),
    '?': () => {
      keyListOpen.value = true
    },
    Escape: () =>
      address.panel === 'control' ? changeRunAddress({ panel: 'decision', form: null }) : backToLive(),
    ...(mayAct ? { o: () => changeRunAddress({ panel: 'control', form: 'override' }) } : {}),
  })
}

function Loaded(props: { run: RunSummary; address: RunAddress }) {
  const { run, address } = props
  const { decisions, series, zoomed, signalNames, problem } = runState.value
  const followed =
    problem === null ? [] : [{ icon: 'offline', words: `Not live: ${problem.detail}` } as const]
  const notes = [...followed, ...notesOf(run, nowMs.value)]
  const shown = decisionShown(run, decisions, address)
  const mayAct =
    (run.mode === 'auto' || run.mode === 'approve') && run.state !== 'finished' && run.state !== 'diverged'
  useRunKeys(decisions, shown, address, mayAct)
  const silent = connection.value.kind === 'lost' || run.state === 'stale'
  return (
    <main class={`page ${mayAct ? 'with-actions' : ''}`}>
      <div class="run-head">
        <h1>{run.options.name}</h1>
        <StateChip run={run} />
        <span class="project">{run.options.project}</span>
        <span class="space" />
        <span class="mode">
          Mode <b>{run.mode}</b>
        </span>
        {mayAct && <ControlButtons run={run} />}
      </div>
      <p class="say">
        <Sentence text={run.headline} />
      </p>
      {notes.map(({ icon, words }) => (
        <p key={icon + words} class={`note note-${icon}`}>
          <Icon name={icon} size={14} />
          <span>
            <Sentence text={words} />
          </span>
        </p>
      ))}
      <Facts run={run} />
      <div class="grid">
        <LaterCharts
          run={run}
          decisions={decisions}
          series={series}
          zoomed={zoomed}
          signalNames={signalNames}
          address={address}
          chosen={shown}
          silent={silent}
          choose={choose}
          change={(part) => changeRunAddress(part, 'replace')}
          openPicker={() => refreshSignalNames()}
        />
        <SidePanel run={run} decisions={decisions} shown={shown} address={address} />
      </div>
      <Announcer decisions={decisions} />
    </main>
  )
}

type SidePanelProps = {
  run: RunSummary
  decisions: readonly Decision[]
  shown: Decision | null
  address: RunAddress
}

function SidePanel(props: SidePanelProps) {
  const { run, decisions, shown, address } = props
  const { panel } = address
  const live = address.decision === null
  // On narrow screens what was asked for comes up as a sheet over the charts; otherwise the panel lies below.
  const sheet = !live || panel === 'control'
  return (
    <aside class={`card side ${sheet ? 'sheet' : ''}`} aria-label="Details">
      <div class="side-head">
        {panel === 'control' ? <p class="side-title">Control</p> : <Tabs panel={panel} />}
        <span class="space" />
        {!live && panel !== 'control' && (
          <button type="button" class="link" onClick={backToLive}>
            Back to live
          </button>
        )}
        <button
          type="button"
          class={`icon-button ${panel === 'control' ? '' : 'sheet-close'}`}
          aria-label="Close"
          onClick={() =>
            panel === 'control' ? changeRunAddress({ panel: 'decision', form: null }) : backToLive()
          }
        >
          <Icon name="close" size={16} />
        </button>
      </div>
      {panel === 'control' && address.form !== null ? (
        <ControlPanel key={address.form} run={run} form={address.form} latest={decisions.at(-1) ?? null} />
      ) : panel === 'log' ? (
        <div role="tabpanel" id="panel-log" aria-labelledby="tab-log">
          <LogPanel decisions={decisions} shown={shown} />
        </div>
      ) : (
        <div role="tabpanel" id="panel-decision" aria-labelledby="tab-decision">
          <DecisionPanel run={run} decisions={decisions} decision={shown} live={live} />
        </div>
      )}
    </aside>
  )
}

function Tabs(props: { panel: RunAddress['panel'] }) {
  const names = ['decision', 'log'] as const
  const focusNext = useSignal(false)
  const open = (name: (typeof names)[number]) => changeRunAddress({ panel: name })
  return (
    <div class="tabs" role="tablist" aria-label="Details">
      {names.map((name) => {
        const selected = props.panel === name
        return (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={selected}
            aria-controls={selected ? `panel-${name}` : undefined}
            tabIndex={selected ? 0 : -1}
            ref={(element) => {
              if (element !== null && selected && focusNext.peek()) {
                focusNext.value = false
                element.focus()
              }
            }}
            onClick={() => open(name)}
            onKeyDown={(event) => {
              if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
              focusNext.value = true
              open(name === 'decision' ? 'log' : 'decision')
            }}
          >
            {name === 'decision' ? 'Decision' : 'Log'}
          </button>
        )
      })}
    </div>
  )
}
