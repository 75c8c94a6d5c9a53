// What a change of one run does to the list, and how a list is asked for: pure, so that it can be told by examples.

import { formatStep } from '../../protocol/numbers.ts'
import type { RunListRequest, RunSummary } from '../../protocol/vocabulary.ts'
import type { RunsAddress } from './listAddress.ts'

export type RunList = {
  readonly runs: readonly RunSummary[]
  readonly loaded: boolean
  readonly failure: string | null
  /** Where the next page begins; null = all are here. */
  readonly next: string | null
  /** Runs that match, and runs that there are. */
  readonly total: number
  readonly all: number
  /** Ids of new runs that are not in the list yet, of older ones that would have moved up into it, and of those in it
   *  that no longer match. */
  readonly missing: readonly string[]
  readonly again: readonly string[]
  readonly gone: readonly string[]
}

/** Runs kept in the list; what lies beyond is found by a search or by another order. */
export const listedRunsMax = 5_000

export const emptyRunList: RunList = {
  runs: [],
  loaded: false,
  failure: null,
  next: null,
  total: 0,
  all: 0,
  missing: [],
  again: [],
  gone: [],
}

/** What the server is asked for; runs that wait for a person always come first. */
export function requestOf(address: RunsAddress): RunListRequest {
  const { state, project, tag, sort, order, group } = address
  const q = address.search.trim().slice(0, 128)
  return {
    sort,
    order,
    first: 'waiting',
    ...(q === '' ? {} : { q }),
    ...(state === null ? {} : { state }),
    ...(project === null ? {} : { project }),
    ...(tag === null ? {} : { tag }),
    ...(group === null ? {} : { group }),
  }
}

/** As the server says it (server/storage/sqlite/rows.ts). */
function searchText({ id, options }: RunSummary): string {
  const { name, project, tags, framework, optimizer, settings } = options
  const set = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  return [id, name, project, ...tags, framework, optimizer.name, ...set].join('\n').toLowerCase()
}

/** Whether a run is one of those that the address asks for. */
export function matches(run: RunSummary, { search, state, project, tag }: RunsAddress): boolean {
  if (state !== null && run.state !== state) return false
  if (project !== null && run.options.project !== project) return false
  if (tag !== null && !run.options.tags.includes(tag)) return false
  const text = searchText(run)
  return search
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => text.includes(word))
}

const withId = (ids: readonly string[], id: string) => (ids.includes(id) ? ids : [...ids, id])
const withoutId = (ids: readonly string[], id: string) => ids.filter((one) => one !== id)

/** At the top, under the runs that wait, unless it waits itself. */
function atTop(runs: readonly RunSummary[], run: RunSummary): readonly RunSummary[] {
  const others = runs.filter(({ id }) => id !== run.id)
  const first = run.state === 'waiting' ? 0 : others.findIndex(({ state }) => state !== 'waiting')
  return others.toSpliced(first < 0 ? others.length : first, 0, run)
}

/**
 * A run's row changes where it stands, but one that begins to wait for a person goes to the top. A new run goes to the top
 * of the usual order, and is counted as missing in any other. An older one that is not among what is loaded of a long list
 * is counted in the usual order, where it belongs on top now; in any other it may well lie further down.
 */
export function changed(list: RunList, run: RunSummary, address: RunsAddress): RunList {
  const index = list.runs.findIndex(({ id }) => id === run.id)
  const isMatch = matches(run, address)
  if (index >= 0) {
    const waitsNow = run.state === 'waiting' && list.runs[index]!.state !== 'waiting'
    const runs = waitsNow ? atTop(list.runs, run) : list.runs.with(index, run)
    return { ...list, runs, gone: isMatch ? withoutId(list.gone, run.id) : withId(list.gone, run.id) }
  }
  if (!isMatch || !list.loaded) return withoutRun(list, run.id)
  const newest = list.runs.reduce((latest, { createdAt }) => (createdAt > latest ? createdAt : latest), '')
  const isNew = list.next === null || run.createdAt > newest
  const isUsual = address.sort === 'seen' && address.order === 'desc'
  if (run.state === 'waiting' || (isUsual && isNew))
    return { ...list, runs: atTop(list.runs, run).slice(0, listedRunsMax), all: Math.max(1, list.all) }
  if (isNew) return { ...list, missing: withId(list.missing, run.id) }
  return isUsual ? { ...list, again: withId(list.again, run.id) } : list
}

export const withoutRun = (list: RunList, runId: string): RunList => ({
  ...list,
  runs: list.runs.filter(({ id }) => id !== runId),
  missing: withoutId(list.missing, runId),
  again: withoutId(list.again, runId),
  gone: withoutId(list.gone, runId),
})

/** "3 new, 1 no longer matches"; null = the list is as it should be. */
export function newsWords({
  missing,
  again,
  gone,
}: Pick<RunList, 'missing' | 'again' | 'gone'>): string | null {
  const parts = []
  if (missing.length > 0) parts.push(`${formatStep(missing.length)} new`)
  if (again.length > 0) parts.push(`${formatStep(again.length)} seen again`)
  if (gone.length > 0)
    parts.push(`${formatStep(gone.length)} no longer ${gone.length === 1 ? 'matches' : 'match'}`)
  return parts.length === 0 ? null : parts.join(', ')
}
