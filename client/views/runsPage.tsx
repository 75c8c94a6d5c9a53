// The list of runs at "/": what each one does now, in the server's sentence, beside its phases and its loss.
// While there is no run at all it shows how to connect one.

import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatNumber, formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { elapsedOf, endStepOf } from '../charts/phases.ts'
import { PhaseBar, Spark } from '../charts/smallPictures.tsx'
import { address, goTo, runAddress } from '../state/address.ts'
import { nowMs } from '../state/clock.ts'
import { calibration } from '../state/forecasts.ts'
import { matchingRuns, runList } from '../state/runList.ts'
import { ConnectJob } from './connectJob.tsx'
import { ForecastsPanel } from './forecastsPanel.tsx'
import { formatAgo } from './format.ts'
import { Icon } from './icons.tsx'
import { keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import { stateNote } from './notes.ts'
import { Sentence } from './sentence.tsx'
import { StateChip } from './stateChip.tsx'

export function RunsPage() {
  const { runs, loaded, failure } = runList.value
  if (!loaded && failure === null) return <ListFrame words="Loading the runs…" />
  if (!loaded) return <ListFrame words={`${failure} This page tries again by itself.`} />
  return runs.length === 0 ? <ConnectJob /> : <List runs={runs} />
}

function ListFrame(props: { words: string }) {
  return (
    <main class="page">
      <div class="list-head">
        <h1>Runs</h1>
      </div>
      <section class="card empty">
        <p>{props.words}</p>
      </section>
    </main>
  )
}

function countWords(runs: readonly RunSummary[]): string {
  const running = runs.filter(({ state }) => state === 'running').length
  const waiting = runs.filter(({ state }) => state === 'waiting').length
  const parts = [formatPlural(runs.length, 'run')]
  if (running > 0) parts.push(`${formatStep(running)} running`)
  if (waiting > 0) parts.push(`${formatStep(waiting)} ${waiting === 1 ? 'waits' : 'wait'} for you`)
  return parts.join(', ')
}

/** Sorting takes rows out and puts them in again; in some browsers that takes the focus, which is given back here. */
function useFocusKept(): void {
  const focused = document.activeElement
  useLayoutEffect(() => {
    if (document.activeElement !== document.body || !(focused instanceof HTMLElement)) return
    if (focused.isConnected) focused.focus({ preventScroll: true })
  })
}

function List(props: { runs: readonly RunSummary[] }) {
  const search = address.value.page === 'runs' ? address.value.search : ''
  const shown = matchingRuns(props.runs, search)
  const chosen = useSignal<string | null>(null)
  const field = useRef<HTMLInputElement>(null)
  const links = useRef(new Map<string, HTMLAnchorElement>())
  const move = (by: number) => {
    const index = shown.findIndex(({ id }) => id === chosen.peek())
    const next =
      shown[Math.min(shown.length - 1, Math.max(0, index < 0 ? (by > 0 ? 0 : shown.length - 1) : index + by))]
    if (next === undefined) return
    chosen.value = next.id
    links.current.get(next.id)?.focus()
  }
  useKeys({
    '/': () => field.current?.focus(),
    j: () => move(1),
    k: () => move(-1),
    '?': () => {
      keyListOpen.value = true
    },
  })
  useFocusKept()
  return (
    <main class="page">
      <div class="list-head">
        <h1>Runs</h1>
        <span class="count">{countWords(props.runs)}</span>
        <span class="space" />
        <SearchField field={field} search={search} />
      </div>
      {shown.length === 0 ? (
        <NothingFound search={search} />
      ) : (
        <section class="card" aria-label="All runs">
          <table class="runs">
            <TableHead />
            <tbody>
              {shown.map((run) => (
                <Row key={run.id} run={run} chosen={chosen.value === run.id} links={links.current} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {calibration.value !== null && <ForecastsPanel calibration={calibration.value} />}
      <KeyHints />
    </main>
  )
}

function SearchField(props: { field: RefObject<HTMLInputElement | null>; search: string }) {
  return (
    <search>
      <label class="field">
        <Icon name="search" size={16} />
        <input
          ref={props.field}
          type="search"
          aria-label="Search runs by name, project or tag"
          placeholder="Name, project or tag"
          value={props.search}
          onInput={(event) => goTo({ page: 'runs', search: event.currentTarget.value }, 'replace')}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur()
          }}
        />
        <kbd>/</kbd>
      </label>
    </search>
  )
}

function NothingFound(props: { search: string }) {
  return (
    <section class="card empty">
      <p>
        No run matches “{props.search}”.{' '}
        <button type="button" class="link" onClick={() => goTo({ page: 'runs', search: '' }, 'replace')}>
          Clear search
        </button>
      </p>
    </section>
  )
}

const columns = [
  ['Run', 'c-name'],
  ['State', 'c-state'],
  ['What it does now', ''],
  ['Progress', 'c-progress'],
  ['Loss', 'c-loss'],
  ['Last seen', 'c-seen'],
] as const

function TableHead() {
  return (
    <thead>
      <tr>
        {columns.map(([title, look]) => (
          <th key={title} scope="col" class={look}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function KeyHints() {
  return (
    <p class="key-hint">
      <span>
        <kbd>j</kbd>
        <kbd>k</kbd> move
      </span>
      <span>
        <kbd>Enter</kbd> open
      </span>
      <span>
        <kbd>/</kbd> search
      </span>
      <span>
        <kbd>?</kbd> all keys
      </span>
    </p>
  )
}

function Row(props: { run: RunSummary; chosen: boolean; links: Map<string, HTMLAnchorElement> }) {
  const { run, links } = props
  const { options } = run
  const open = (event: MouseEvent) => {
    // A click on the row opens the run; one on its link is the link's own, and a selection stays one.
    if ((event.target as Element).closest('a') !== null || String(getSelection()) !== '') return
    goTo(runAddress(run.id))
  }
  return (
    <tr class={`row row-${run.state} ${props.chosen ? 'row-chosen' : ''}`} onClick={open}>
      <td class="c-name">
        <a
          class="run-name"
          href={`/runs/${encodeURIComponent(run.id)}`}
          ref={(element) => {
            if (element === null) links.delete(run.id)
            else links.set(run.id, element)
          }}
        >
          {options.name}
        </a>
        <p class="sub">
          {[options.project, options.framework].filter((text) => text !== 'unknown').join(' · ')}
        </p>
      </td>
      <td class="c-state">
        <StateChip run={run} />
      </td>
      <td class="c-say">
        <p class="saying">
          <Sentence
            text={run.state === 'stale' ? (stateNote(run, nowMs.value) ?? run.headline) : run.headline}
          />
        </p>
      </td>
      <td class="c-progress">
        <PhaseBar run={run} />
        <p class="sub">{progressWords(run)}</p>
      </td>
      <td class="c-loss">
        <span class="loss-cell">
          <Spark run={run} />
          <b>{run.loss === null ? '–' : formatNumber(run.loss)}</b>
        </span>
      </td>
      <td class="c-seen">{formatAgo(run.lastSeenAt, nowMs.value)}</td>
    </tr>
  )
}

function progressWords(run: RunSummary): string {
  if (run.state === 'finished') return `All ${formatPlural(elapsedOf(run), 'step')}`
  const end = endStepOf(run)
  return end === null
    ? `Step ${formatStep(run.step)}, no budget`
    : `Step ${formatStep(run.step)} of ${formatStep(end)}`
}
