// Whatever is seen is in the address: the page, the chosen decision, the panel, the zoom. Choosing pushes an
// entry of history, zooming replaces it. Without `decision` the page follows the run.

import { signal } from '@preact/signals'
import type { LossFit } from '../charts/spec.ts'
import { type CompareAddress, compareParameters, parseCompareAddress } from './compareAddress.ts'
import { allRuns, parseRunsAddress, type RunsAddress, runsParameters } from './listAddress.ts'

export const panels = ['decision', 'log', 'control'] as const
export type Panel = (typeof panels)[number]
export const controlForms = ['override', 'hand-back', 'switch-now', 'finish'] as const
export type ControlForm = (typeof controlForms)[number]
const lossFits = ['fit', 'all', 'log'] as const

export type Address =
  | RunsAddress
  | CompareAddress
  | {
      readonly page: 'run'
      readonly runId: string
      /** null = follow the newest. */
      readonly decision: number | null
      readonly panel: Panel
      readonly form: ControlForm | null
      readonly zoom: { readonly from: number; readonly to: number } | null
      readonly lossFit: LossFit
    }
  | { readonly page: 'unknown'; readonly path: string }
export type RunAddress = Extract<Address, { page: 'run' }>

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,13}$/.test(text) ? Number(text) : null
}

function oneOf<T extends string>(list: readonly T[], text: string | null): T | null {
  return list.find((entry) => entry === text) ?? null
}

/** The address behind a path and a query; anything in the query that is not understood is left out. */
export function parseAddress(path: string, query: string): Address {
  const parameters = new URLSearchParams(query)
  if (path === '/' || path === '') return parseRunsAddress(parameters)
  if (/^\/compare\/?$/.test(path)) return parseCompareAddress(parameters)
  const match = /^\/runs\/([^/]+)\/?$/.exec(path)
  if (match === null) return { page: 'unknown', path }
  const from = wholeNumber(parameters.get('from'))
  const to = wholeNumber(parameters.get('to'))
  const form = oneOf(controlForms, parameters.get('form'))
  const panel = oneOf(panels, parameters.get('panel')) ?? 'decision'
  return {
    page: 'run',
    runId: decodedOrSame(match[1]!),
    decision: wholeNumber(parameters.get('decision')),
    panel: panel === 'control' && form === null ? 'decision' : panel,
    form: panel === 'control' ? form : null,
    zoom: from !== null && to !== null && to > from ? { from, to } : null,
    lossFit: oneOf(lossFits, parameters.get('y.loss')) ?? 'fit',
  }
}

function decodedOrSame(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The path and query of an address; what is usual is left out. */
export function formatAddress(address: Address): string {
  if (address.page === 'unknown') return address.path
  if (address.page === 'runs') return withQuery('/', runsParameters(address))
  if (address.page === 'compare') return withQuery('/compare', compareParameters(address))
  const parameters = new URLSearchParams()
  if (address.decision !== null) parameters.set('decision', String(address.decision))
  if (address.zoom !== null) {
    parameters.set('from', String(address.zoom.from))
    parameters.set('to', String(address.zoom.to))
  }
  if (address.panel !== 'decision') parameters.set('panel', address.panel)
  if (address.form !== null) parameters.set('form', address.form)
  if (address.lossFit !== 'fit') parameters.set('y.loss', address.lossFit)
  return withQuery(`/runs/${encodeURIComponent(address.runId)}`, parameters)
}

function withQuery(path: string, parameters: URLSearchParams): string {
  // Commas part the ids, and are easier to read as they are.
  const query = parameters.toString().replaceAll('%2C', ',')
  return query === '' ? path : `${path}?${query}`
}

export const address = signal<Address>(allRuns)

/** Reads the address of the window, and keeps following it. */
export function startAddress(): void {
  const read = () => {
    address.value = parseAddress(location.pathname, location.search)
  }
  addEventListener('popstate', read)
  read()
}

/** Goes to an address; `replace` leaves no entry of history behind. */
export function goTo(next: Address, how: 'push' | 'replace' = 'push'): void {
  const text = formatAddress(next)
  if (text === formatAddress(address.peek())) return
  if (how === 'push') history.pushState(null, '', text)
  else history.replaceState(null, '', text)
  const pageChanged = next.page !== address.peek().page
  address.value = next
  if (pageChanged) scrollTo(0, 0)
}

/** Changes parts of the run page's address; elsewhere it does nothing. */
export function changeRunAddress(
  part: Partial<Omit<RunAddress, 'page' | 'runId'>>,
  how: 'push' | 'replace' = 'push',
): void {
  const now = address.peek()
  if (now.page === 'run') goTo({ ...now, ...part }, how)
}

export const runAddress = (runId: string): RunAddress => ({
  page: 'run',
  runId,
  decision: null,
  panel: 'decision',
  form: null,
  zoom: null,
  lossFit: 'fit',
})
