// The list of runs, as the address asks for it. The server finds, orders and counts; the page holds the pages that were
// scrolled to, and is told of changes over the socket. In the usual order (last seen) a new run goes to the top by
// itself; in any other, what would have to move is counted and put in place when a person says so, so that no row jumps
// under the pointer.

import { effect, signal, untracked } from '@preact/signals'
import type {
  RunList as Page,
  RunCounts,
  RunGroup,
  RunListRequest,
  RunSummary,
} from '../../protocol/vocabulary.ts'
import { fetchRun, fetchRuns } from '../connection/api.ts'
import { connected, follow, listen } from '../connection/live.ts'
import { type Answer, readMessage } from '../connection/read.ts'
import { address } from './address.ts'
import { allRuns, type RunsAddress } from './listAddress.ts'
import { changed, emptyRunList, listedRunsMax, type RunList, requestOf, withoutRun } from './listChanges.ts'

export { emptyRunList, type RunList } from './listChanges.ts'

export const runList = signal<RunList>(emptyRunList)
/** How many runs there are by state, project and tag; null = not known yet. */
export const runCounts = signal<RunCounts | null>(null)
export const runGroups = signal<readonly RunGroup[]>([])
/** Runs that the address names (pinned, base, picked), whether the list holds them or not. */
export const namedRuns = signal<ReadonlyMap<string, RunSummary>>(new Map())

const pageRuns = 100
const recountMs = 1_000

/** Each load has a number, so that an answer that comes late changes nothing. */
let asked = 0
/** The load that a further page is awaited for; 0 = none is. */
let loadingFor = 0

const shown = (): RunsAddress => {
  const now = address.peek()
  return now.page === 'runs' ? now : allRuns
}

/** Over the socket while it stands, so that an answer and the changes after it come in one order. */
function ask(request: RunListRequest): Promise<Answer<Page>> {
  const open = connected()
  if (open === null) return fetchRuns(request)
  return new Promise((resolve) => {
    const lost = () => resolve(fetchRuns(request))
    open.once('disconnect', lost)
    open.emit('subscribe-runs', request, (given) => {
      open.off('disconnect', lost)
      resolve(readMessage('subscribe-runs', given))
    })
  })
}

/** The first page, anew. */
export async function loadRuns(): Promise<void> {
  const number = ++asked
  const now = shown()
  const answer = await ask({ ...requestOf(now), limit: pageRuns, counts: 'true' })
  if (number !== asked) return
  if (!answer.ok) {
    runList.value = { ...runList.peek(), failure: answer.problem.detail }
    return
  }
  const { runs, next, total, all, counts, groups } = answer.value
  if (counts !== undefined) runCounts.value = counts
  runGroups.value = groups ?? []
  runList.value = { ...emptyRunList, runs, next, total, all, loaded: true }
}

/** The page after the last one; to be called when its rows come near. */
export async function loadMoreRuns(): Promise<void> {
  const { next, runs } = runList.peek()
  if (next === null || loadingFor === asked || runs.length >= listedRunsMax) return
  const number = asked
  loadingFor = number
  const answer = await ask({ ...requestOf(shown()), limit: pageRuns, after: next })
  if (number !== asked) return
  loadingFor = 0
  if (!answer.ok) return
  const now = runList.peek()
  const known = new Set(now.runs.map(({ id }) => id))
  // A run that moved between the two answers is there already.
  const more = answer.value.runs.filter(({ id }) => !known.has(id))
  runList.value = { ...now, runs: [...now.runs, ...more], next: answer.value.next, total: answer.value.total }
}

let recount: ReturnType<typeof setTimeout> | undefined
/** How many there are, where a change may have made them more or fewer. */
function countAgain(): void {
  recount ??= setTimeout(async () => {
    recount = undefined
    const number = asked
    const answer = await ask({ ...requestOf(shown()), limit: 1, counts: 'true' })
    if (!answer.ok || number !== asked) return
    const { total, all, counts, groups } = answer.value
    runCounts.value = counts ?? null
    if (groups !== undefined) runGroups.value = groups
    runList.value = { ...runList.peek(), total, all }
  }, recountMs)
}

function take(run: RunSummary): void {
  const named = namedRuns.peek()
  if (named.has(run.id)) namedRuns.value = new Map(named).set(run.id, run)
  const before = runList.peek()
  const known = before.runs.find(({ id }) => id === run.id)
  runList.value = changed(before, run, shown())
  if (known === undefined || known.state !== run.state) countAgain()
}

function drop(runId: string): void {
  const named = new Map(namedRuns.peek())
  if (named.delete(runId)) namedRuns.value = named
  runList.value = withoutRun(runList.peek(), runId)
  countAgain()
}

/** Asks for the runs that the address names. */
async function loadNamed(ids: readonly string[]): Promise<void> {
  const known = new Map(runList.peek().runs.map((run) => [run.id, run]))
  const have = namedRuns.peek()
  const found = await Promise.all(
    ids.map(async (id) => {
      const run = have.get(id) ?? known.get(id)
      if (run !== undefined) return run
      const answer = await fetchRun(id)
      return answer.ok ? answer.value : undefined
    }),
  )
  namedRuns.value = new Map(found.flatMap((run) => (run === undefined ? [] : [[run.id, run] as const])))
}

/**
 * Loads again when the address asks for another list. What is typed is searched for at once; while one search is under way
 * only the newest after it counts.
 */
function followAddress(): () => void {
  let before = ''
  let search = ''
  let isSearching = false
  let isStale = false
  const find = async () => {
    isStale = isSearching
    if (isSearching) return
    isSearching = true
    do {
      isStale = false
      await loadRuns()
    } while (isStale)
    isSearching = false
  }
  const stop = effect(() => {
    const now = address.value
    if (now.page !== 'runs') return
    const key = JSON.stringify(requestOf(now))
    if (key === before) return
    const typed = before !== '' && now.search !== search
    ;[before, search] = [key, now.search]
    untracked(() => void (typed ? find() : loadRuns()))
  })
  return () => {
    isStale = false
    stop()
  }
}

function followNamed(): () => void {
  let before = ''
  return effect(() => {
    const now = address.value
    if (now.page !== 'runs') return
    const ids = [...new Set([...now.pin, ...now.pick, ...(now.base === null ? [] : [now.base])])]
    if (ids.join() === before) return
    before = ids.join()
    untracked(() => void loadNamed(ids))
  })
}

/** Follows all runs until the returned function is called. */
export function followRuns(): () => void {
  // Where the socket stands already, the address's own load is over it.
  let isAsked = connected() !== null
  const stops = [
    listen('run', ({ run }) => take(run)),
    listen('removed', ({ runId }) => drop(runId)),
    followAddress(),
    followNamed(),
    follow({
      ask: () => {
        // What happened before, or while there was no connection, was not told.
        if (!isAsked) void loadRuns()
        isAsked = false
      },
    }),
  ]
  return () => {
    clearTimeout(recount)
    recount = undefined
    for (const stop of stops) stop()
  }
}
