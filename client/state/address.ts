// Whatever is seen is in the address: the page, the chosen decision, the panel, the zoom. Choosing pushes an
// entry of history, zooming replaces it. Without `decision` the page follows the run.

import { signal } from '@preact/signals'
import { type DecisionKind, decisionKinds } from '../../protocol/vocabulary.ts'
import type { LossFit } from '../charts/spec.ts'
import { formatWishes, parseWishes, type Wishes } from './wishes.ts'

export const panels = ['decision', 'what-if', 'schedule', 'log', 'control'] as const
export type Panel = (typeof panels)[number]
export const controlForms = [
  'override',
  'hand-back',
  'switch-now',
  'undo-switch',
  'branch',
  'finish',
  'mode-auto',
  'mode-approve',
  'mode-advisory',
  'budget',
  'details',
  'delete',
] as const
export type ControlForm = (typeof controlForms)[number]
export const scheduleFormats = ['pytorch', 'keras', 'optax', 'transformers', 'json', 'csv'] as const
export type ScheduleFormat = (typeof scheduleFormats)[number]
export const frameworks = ['pytorch', 'huggingface', 'keras', 'lightning', 'curl'] as const
export type ConnectFramework = (typeof frameworks)[number]
const lossFits = ['fit', 'all', 'log'] as const

export type Address =
  | { readonly page: 'runs'; readonly search: string }
  | {
      readonly page: 'run'
      readonly runId: string
      /** null = follow the newest. */
      readonly decision: number | null
      /** What was known then; null = now. */
      readonly step: number | null
      readonly panel: Panel
      readonly form: ControlForm | null
      readonly zoom: { readonly from: number; readonly to: number } | null
      readonly lossFit: LossFit
      /** The settings of the what-if that differ from those in force. */
      readonly wishes: Wishes
      readonly format: ScheduleFormat
      /** The one kind of decisions that the log shows; null = all. */
      readonly kind: DecisionKind | null
    }
  | { readonly page: 'settings' }
  | { readonly page: 'start'; readonly framework: ConnectFramework }
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
  if (path === '/' || path === '') return { page: 'runs', search: parameters.get('q') ?? '' }
  if (/^\/settings(\/server)?\/?$/.test(path)) return { page: 'settings' }
  if (/^\/start\/?$/.test(path))
    return { page: 'start', framework: oneOf(frameworks, parameters.get('framework')) ?? 'pytorch' }
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
    step: wholeNumber(parameters.get('step')),
    panel: panel === 'control' && form === null ? 'decision' : panel,
    form: panel === 'control' ? form : null,
    zoom: from !== null && to !== null && to > from ? { from, to } : null,
    lossFit: oneOf(lossFits, parameters.get('y.loss')) ?? 'fit',
    wishes: parseWishes(parameters),
    format: oneOf(scheduleFormats, parameters.get('format')) ?? 'pytorch',
    kind: oneOf(decisionKinds, parameters.get('kind')),
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
  const parameters = new URLSearchParams()
  if (address.page === 'runs') {
    if (address.search !== '') parameters.set('q', address.search)
    return withQuery('/', parameters)
  }
  if (address.page === 'settings') return '/settings'
  if (address.page === 'start') {
    if (address.framework !== 'pytorch') parameters.set('framework', address.framework)
    return withQuery('/start', parameters)
  }
  if (address.decision !== null) parameters.set('decision', String(address.decision))
  if (address.step !== null) parameters.set('step', String(address.step))
  if (address.zoom !== null) {
    parameters.set('from', String(address.zoom.from))
    parameters.set('to', String(address.zoom.to))
  }
  if (address.panel !== 'decision') parameters.set('panel', address.panel)
  if (address.form !== null) parameters.set('form', address.form)
  if (address.lossFit !== 'fit') parameters.set('y.loss', address.lossFit)
  formatWishes(address.wishes, parameters)
  if (address.format !== 'pytorch') parameters.set('format', address.format)
  if (address.kind !== null) parameters.set('kind', address.kind)
  return withQuery(`/runs/${encodeURIComponent(address.runId)}`, parameters)
}

function withQuery(path: string, parameters: URLSearchParams): string {
  const query = parameters.toString()
  return query === '' ? path : `${path}?${query}`
}

export const address = signal<Address>({ page: 'runs', search: '' })

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
  step: null,
  panel: 'decision',
  form: null,
  zoom: null,
  lossFit: 'fit',
  wishes: {},
  format: 'pytorch',
  kind: null,
})
