// The list of runs at "/": what each one does now, in the server's sentence, beside its phases and what it reached. What
// is shown, in which order, and what is picked stands in the address. While there is no run at all the page shows how
// to connect one.

import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { address, goTo } from '../state/address.ts'
import { calibration } from '../state/forecasts.ts'
import { allRuns, isFiltered, type RunsAddress, toggled } from '../state/listAddress.ts'
import { newsWords, type RunList } from '../state/listChanges.ts'
import { loadRuns, namedRuns, runCounts, runGroups, runList } from '../state/runList.ts'
import { ConnectJob } from './connectJob.tsx'
import { ForecastsPanel } from './forecastsPanel.tsx'
import { GroupsTable } from './groupsTable.tsx'
import { keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import { ListFilters, unfiltered } from './listFilters.tsx'
import { comparisonOf, PickBar } from './pickBar.tsx'
import { RunsTable, rowHeight } from './runsTable.tsx'

export function RunsPage() {
  const list = runList.value
  if (!list.loaded && list.failure === null) return <ListFrame words="Loading the runs…" />
  if (!list.loaded) return <ListFrame words={`${list.failure} This page tries again by itself.`} />
  return list.all === 0 ? <ConnectJob /> : <List list={list} />
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

function countWords({ total, all }: RunList, isNarrowed: boolean): string {
  const of = (name: string) => runCounts.value?.states.find((one) => one.name === name)?.count ?? 0
  const parts = [
    isNarrowed ? `${formatStep(total)} of ${formatPlural(all, 'run')}` : formatPlural(all, 'run'),
  ]
  if (of('running') > 0) parts.push(`${formatStep(of('running'))} running`)
  if (of('waiting') > 0)
    parts.push(`${formatStep(of('waiting'))} ${of('waiting') === 1 ? 'waits' : 'wait'} for you`)
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

/** Pinned runs and the base on top, then the list as it is ordered. */
export function rowsOf(
  runs: readonly RunSummary[],
  { pin, base }: Pick<RunsAddress, 'pin' | 'base'>,
  named: ReadonlyMap<string, RunSummary>,
): readonly RunSummary[] {
  const ids = [...new Set([...(base === null ? [] : [base]), ...pin])]
  const byId = new Map(runs.map((run) => [run.id, run]))
  const top = ids.flatMap((id) => byId.get(id) ?? named.get(id) ?? [])
  if (top.length === 0) return runs
  const taken = new Set(top.map(({ id }) => id))
  return [...top, ...runs.filter(({ id }) => !taken.has(id))]
}

/** Moving from row to row: the row that is moved to is scrolled into view, drawn, and then gets the focus. */
function useMoves(rows: readonly RunSummary[]) {
  const chosen = useSignal<string | null>(null)
  const links = useRef(new Map<string, HTMLAnchorElement>())
  const body = useRef<HTMLTableSectionElement | null>(null)
  const awaited = useRef<string | null>(null)
  const giveFocus = () => {
    const link = links.current.get(awaited.current ?? '')
    if (link === undefined) return
    awaited.current = null
    link.focus()
  }
  useLayoutEffect(giveFocus)
  const move = (by: number) => {
    const index = rows.findIndex(({ id }) => id === chosen.peek())
    const wanted = index < 0 ? (by > 0 ? 0 : rows.length - 1) : index + by
    const next = Math.min(rows.length - 1, Math.max(0, wanted))
    const run = rows[next]
    if (run === undefined) return
    chosen.value = run.id
    awaited.current = run.id
    if (!links.current.has(run.id)) {
      const top = (body.current?.getBoundingClientRect().top ?? 0) + next * rowHeight()
      scrollBy({ top: top - innerHeight / 2, behavior: 'instant' })
    }
    giveFocus()
  }
  return { chosen, links: links.current, body, move }
}

function List({ list }: { list: RunList }) {
  const now = address.value.page === 'runs' ? address.value : allRuns
  const named = namedRuns.value
  const rows = rowsOf(list.runs, now, named)
  const { chosen, links, body, move } = useMoves(rows)
  const field = useRef<HTMLInputElement>(null)
  const withChosen = (change: (id: string) => Partial<RunsAddress>) => {
    if (chosen.peek() !== null) goTo({ ...now, ...change(chosen.peek()!) }, 'replace')
  }
  useKeys({
    '/': () => field.current?.focus(),
    j: () => move(1),
    k: () => move(-1),
    x: () => withChosen((id) => ({ pick: toggled(now.pick, id) })),
    p: () => withChosen((id) => ({ pin: toggled(now.pin, id) })),
    b: () => withChosen((id) => ({ base: now.base === id ? null : id })),
    c: () => {
      if (now.pick.length > 1) goTo(comparisonOf(now))
    },
    '?': () => {
      keyListOpen.value = true
    },
  })
  useFocusKept()
  const base = now.base === null ? undefined : rows.find(({ id }) => id === now.base)
  return (
    <main class="page">
      <div class="list-head">
        <h1>Runs</h1>
        <span class="count">{countWords(list, isFiltered(now))}</span>
        <News list={list} />
      </div>
      <ListFilters address={now} field={field} />
      <PickBar address={now} named={named} />
      {list.total === 0 && list.runs.length === 0 ? (
        <NothingFound address={now} />
      ) : now.group !== null ? (
        <GroupsTable address={now} by={now.group} groups={runGroups.value} />
      ) : (
        <RunsTable address={now} rows={rows} base={base} chosen={chosen.value} links={links} body={body} />
      )}
      {list.runs.length < list.total && now.group === null && (
        <p class="sub more-rows">
          {formatStep(list.runs.length)} of {formatStep(list.total)} are loaded; more come as you scroll.
        </p>
      )}
      {calibration.value !== null && <ForecastsPanel calibration={calibration.value} />}
      <KeyHints />
    </main>
  )
}

/** What belongs into the list and is not in it, or the other way round, until somebody has it put in place. */
function News(props: { list: RunList }) {
  const words = newsWords(props.list)
  if (words === null) return null
  return (
    <button type="button" class="button news" onClick={() => void loadRuns()}>
      {words}. Show
    </button>
  )
}

function NothingFound(props: { address: RunsAddress }) {
  const { address: now } = props
  return (
    <section class="card empty">
      <p>
        No run matches{now.search.trim() === '' ? '' : ` “${now.search.trim()}”`}.{' '}
        <button type="button" class="link" onClick={() => goTo(unfiltered(now), 'replace')}>
          Clear search and filters
        </button>
      </p>
    </section>
  )
}

const hints: readonly (readonly [readonly string[], string])[] = [
  [['j', 'k'], 'move'],
  [['Enter'], 'open'],
  [['x'], 'pick'],
  [['c'], 'compare'],
  [['/'], 'search'],
  [['?'], 'all keys'],
]

function KeyHints() {
  return (
    <p class="key-hint">
      {hints.map(([keys, words]) => (
        <span key={words}>
          {keys.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}{' '}
          {words}
        </span>
      ))}
    </p>
  )
}
