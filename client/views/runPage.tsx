// The page of one run: a sentence first, curves second, the chosen decision with its evidence beside them.
// Without a chosen decision it follows the run; choosing pins one, and "Back to live" lets go.

import { useEffect } from 'preact/hooks'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { RunCharts } from '../charts/runCharts.tsx'
import { connection } from '../connection/live.ts'
import { changeRunAddress, formatAddress, type RunAddress } from '../state/address.ts'
import { nowMs } from '../state/clock.ts'
import { allRuns } from '../state/listAddress.ts'
import { refreshSignalNames, runState } from '../state/runPage.ts'
import { Announcer } from './announcer.tsx'
import { answerAsked } from './approvalForm.tsx'
import { backToLive, choose, neighbourOf } from './choosing.ts'
import { hasEnded, isSteered } from './control/possible.ts'
import { ControlButtons } from './controls.tsx'
import { Facts } from './facts.tsx'
import { Icon } from './icons.tsx'
import { keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import { ModeSwitch } from './modeSwitch.tsx'
import { divergedNote, driftCost, notesOf } from './notes.ts'
import { Sentence } from './sentence.tsx'
import { SidePanel } from './sidePanel.tsx'
import { StateChip } from './stateChip.tsx'

export function RunPage(props: { address: RunAddress }) {
  const state = runState.value
  const { run, problem, removed } = state
  const named = run?.options.name ?? props.address.runId
  const title = run?.state === 'waiting' ? `Waits for you: ${named}` : named
  useEffect(() => {
    document.title = `${title} · Twostep`
  }, [title])
  if (removed) return <Notice title={named} words="This run was deleted." />
  if (run === null && problem !== null) {
    const absent = `No run called ${props.address.runId} here. This page opens it as soon as there is one.`
    const words = problem.status === 404 ? absent : problem.detail
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
          {props.words} <a href={formatAddress(allRuns)}>All runs</a>
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

/** The decision to show: the chosen one, the one in force at a chosen step, the one that waits for a person, or the newest. */
function decisionShown(
  run: RunSummary,
  decisions: readonly Decision[],
  address: RunAddress,
): Decision | null {
  const { step } = address
  if (address.decision === null && step !== null)
    return decisions.findLast((decision) => decision.step <= step) ?? decisions[0] ?? null
  const wanted = address.decision ?? run.awaitingDecision
  return decisions.find(({ number }) => number === wanted) ?? decisions.at(-1) ?? null
}

function useRunKeys(
  decisions: readonly Decision[],
  shown: Decision | null,
  address: RunAddress,
  run: RunSummary,
): void {
  const mayAct = isSteered(run) && !hasEnded(run) && !address.embed
  const toAnswer = (kind: 'approve' | 'reject') => () => {
    if (run.awaitingDecision === null || address.embed) return
    if (shown?.number !== run.awaitingDecision || address.panel !== 'decision') choose(run.awaitingDecision)
    answerAsked.value = kind
  }
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
    w: () => changeRunAddress({ panel: 'what-if', form: null }),
    e: () => changeRunAddress({ panel: 'schedule', form: null }),
    a: toAnswer('approve'),
    r: toAnswer('reject'),
    ...(mayAct ? { o: () => changeRunAddress({ panel: 'control', form: 'override' }) } : {}),
  })
}

function Loaded(props: { run: RunSummary; address: RunAddress }) {
  const { run, address } = props
  const { decisions, series, zoomed, signalNames, problem } = runState.value
  const followed =
    problem === null ? [] : [{ icon: 'offline', words: `Not live: ${problem.detail}` } as const]
  const cost = driftCost(run, decisions)
  const notes = [
    ...followed,
    ...notesOf(run, nowMs.value),
    ...(cost === null ? [] : [{ icon: 'alert', words: cost } as const]),
  ]
  const diverged = divergedNote(run, decisions, series.signals.loss)
  const shown = decisionShown(run, decisions, address)
  const mayAct = isSteered(run) && !hasEnded(run) && !address.embed
  useRunKeys(decisions, shown, address, run)
  const silent = connection.value.kind === 'lost' || run.state === 'stale'
  return (
    <main class={`page ${mayAct ? 'with-actions' : ''}`}>
      <div class="run-head">
        <h1>{run.options.name}</h1>
        <StateChip run={run} />
        <span class="project">{run.options.project}</span>
        <span class="space" />
        {address.embed ? (
          <a href={formatAddress({ ...address, embed: false })} target="_blank" rel="noopener">
            Open in Twostep
          </a>
        ) : (
          <>
            <ModeSwitch run={run} />
            <ControlButtons run={run} />
          </>
        )}
      </div>
      {diverged !== null && (
        <p class="note note-alert note-first">
          <Icon name="diverged" size={14} />
          <span>
            <Sentence text={diverged} />
          </span>
        </p>
      )}
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
      <Facts run={run} decisions={address.embed ? [] : decisions} shown={shown} />
      <div class={address.embed ? 'grid grid-alone' : 'grid'}>
        <RunCharts
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
        {!address.embed && <SidePanel run={run} decisions={decisions} shown={shown} address={address} />}
      </div>
      <Announcer decisions={decisions} />
    </main>
  )
}
