// The list of runs: waiting ones first, then by the time they were last seen. Kept up to date by the socket;
// a first answer over HTTP makes the list stand before the socket does.

import { signal } from '@preact/signals'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { fetchRuns } from '../connection/api.ts'
import { follow, type LiveSocket, listen } from '../connection/live.ts'
import { readMessage } from '../connection/read.ts'

export type RunList = {
  readonly runs: readonly RunSummary[]
  readonly loaded: boolean
  readonly failure: string | null
}

/** Runs kept in the list; older ones are left to a search on the server. */
export const listedRunsMax = 1_000

export const runList = signal<RunList>({ runs: [], loaded: false, failure: null })

/** Waiting runs first, then the most recently seen. */
export function orderRuns(runs: readonly RunSummary[]): RunSummary[] {
  const rank = (run: RunSummary) => (run.state === 'waiting' ? 0 : 1)
  const byTime = (a: RunSummary, b: RunSummary) =>
    a.lastSeenAt < b.lastSeenAt ? 1 : a.lastSeenAt > b.lastSeenAt ? -1 : 0
  return [...runs].sort((a, b) => rank(a) - rank(b) || byTime(a, b) || (a.id < b.id ? -1 : 1))
}

/**
 * A run's row changes in place, so that rows do not jump under the pointer while several runs report;
 * a new run goes to the top.
 */
export function withRun(runs: readonly RunSummary[], run: RunSummary): readonly RunSummary[] {
  const index = runs.findIndex(({ id }) => id === run.id)
  if (index < 0) return [run, ...runs].slice(0, listedRunsMax)
  return runs.with(index, run)
}

/** Runs whose name, project, id or tag holds every word of the search, whatever the case. */
export function matchingRuns(runs: readonly RunSummary[], search: string): readonly RunSummary[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return runs
  return runs.filter(({ id, options }) => {
    const text = [id, options.name, options.project, ...options.tags].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** Follows all runs until the returned function is called. */
export function followRuns(socket: LiveSocket): () => void {
  const change = (runs: readonly RunSummary[]) => {
    runList.value = { ...runList.peek(), runs }
  }
  const stops = [
    listen(socket, 'run', ({ run }) => change(withRun(runList.peek().runs, run))),
    listen(socket, 'removed', ({ runId }) => change(runList.peek().runs.filter(({ id }) => id !== runId))),
    follow({
      ask: (connected) =>
        connected.emit('subscribe-runs', {}, (given) => {
          const answer = readMessage('subscribe-runs', given)
          if (answer.ok) runList.value = { runs: orderRuns(answer.value.runs), loaded: true, failure: null }
          else if (!runList.peek().loaded)
            runList.value = { ...runList.peek(), failure: answer.problem.detail }
        }),
    }),
  ]
  void loadRuns()
  return () => {
    for (const stop of stops) stop()
  }
}

async function loadRuns(): Promise<void> {
  const answer = await fetchRuns()
  if (runList.peek().loaded && answer.ok) return
  if (answer.ok) runList.value = { runs: orderRuns(answer.value.runs), loaded: true, failure: null }
  else runList.value = { ...runList.peek(), failure: answer.problem.detail }
}
