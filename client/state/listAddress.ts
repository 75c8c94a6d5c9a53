// What the list of runs shows, as it stands in the address: search, filters, order, what is picked, pinned and compared
// with. Anything that is not understood is left out.

import { type RunSort, type RunState, runSorts, runStates } from '../../protocol/vocabulary.ts'

/** Runs that can be picked for a comparison. */
export const pickedMax = 8
/** Longer words are not looked for. */
const textMax = 128

export const groupings = ['project', 'tag'] as const
export type Grouping = (typeof groupings)[number]
export type Order = 'asc' | 'desc'

export type RunsAddress = {
  readonly page: 'runs'
  readonly search: string
  readonly state: RunState | null
  readonly project: string | null
  readonly tag: string | null
  readonly sort: RunSort
  readonly order: Order
  readonly group: Grouping | null
  /** Ids, in the order in which they were picked. */
  readonly pick: readonly string[]
  readonly pin: readonly string[]
  /** The run that losses are compared with. */
  readonly base: string | null
}

export const allRuns: RunsAddress = {
  page: 'runs',
  search: '',
  state: null,
  project: null,
  tag: null,
  sort: 'seen',
  order: 'desc',
  group: null,
  pick: [],
  pin: [],
  base: null,
}

const ascending: ReadonlySet<RunSort> = new Set(['name', 'state', 'loss', 'heldOut', 'heldOutBest'])

/** What is looked for first in a column: the newest, the lowest loss, the highest accuracy, A to Z. */
export const usualOrder = (sort: RunSort): Order => (ascending.has(sort) ? 'asc' : 'desc')
export const otherOrder = (order: Order): Order => (order === 'asc' ? 'desc' : 'asc')

const oneOf = <T extends string>(list: readonly T[], text: string | null): T | null =>
  list.find((entry) => entry === text) ?? null

const nameIn = (text: string | null): string | null =>
  text === null || text === '' || text.length > textMax ? null : text

/** Ids between commas, which no id holds; each once. */
export const idsIn = (text: string | null, max: number): string[] =>
  [...new Set((text ?? '').split(','))].filter((id) => id !== '' && id.length <= textMax).slice(0, max)

export function parseRunsAddress(parameters: URLSearchParams): RunsAddress {
  const sortText = parameters.get('sort') ?? ''
  const sort = oneOf(runSorts, sortText.replace(/^-/, '')) ?? 'seen'
  return {
    page: 'runs',
    search: (parameters.get('q') ?? '').slice(0, textMax),
    state: oneOf(runStates, parameters.get('state')),
    project: nameIn(parameters.get('project')),
    tag: nameIn(parameters.get('tag')),
    sort,
    // A hyphen turns the column's usual order round.
    order: sortText.startsWith('-') ? otherOrder(usualOrder(sort)) : usualOrder(sort),
    group: oneOf(groupings, parameters.get('group')),
    pick: idsIn(parameters.get('pick'), pickedMax),
    pin: idsIn(parameters.get('pin'), pickedMax),
    base: nameIn(parameters.get('base')),
  }
}

/** What is usual is left out. */
export function runsParameters(address: RunsAddress): URLSearchParams {
  const parameters = new URLSearchParams()
  const add = (name: string, value: string | null) => {
    if (value !== null && value !== '') parameters.set(name, value)
  }
  const { sort, order } = address
  add('q', address.search)
  add('state', address.state)
  add('project', address.project)
  add('tag', address.tag)
  const turned = order !== usualOrder(sort)
  if (sort !== 'seen' || turned) add('sort', `${turned ? '-' : ''}${sort}`)
  add('group', address.group)
  add('pick', address.pick.join(','))
  add('pin', address.pin.join(','))
  add('base', address.base)
  return parameters
}

export const isFiltered = ({ search, state, project, tag }: RunsAddress): boolean =>
  search.trim() !== '' || state !== null || project !== null || tag !== null

/** With a thing put in, or taken out where it was. */
export const toggled = (list: readonly string[], id: string): string[] =>
  list.includes(id) ? list.filter((one) => one !== id) : [...list, id].slice(-pickedMax)
