// Whatever is seen is in the address: the page, the chosen decision, the panel, the zoom. Choosing pushes an
// entry of history, zooming replaces it. Without `decision` the page follows the run.

import { signal } from '@preact/signals'
import { type DecisionKind, decisionKinds } from '../../protocol/vocabulary.ts'
import type { LossFit } from '../charts/spec.ts'
import { basePath } from '../connection/base.ts'
import { type CompareAddress, compareParameters, parseCompareAddress } from './compareAddress.ts'
import { allRuns, parseRunsAddress, type RunsAddress, runsParameters } from './listAddress.ts'
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
export const settingsParts = ['server', 'tokens', 'webhooks', 'audit', 'deleted'] as const
export type SettingsPart = (typeof settingsParts)[number]
const lossFits = ['fit', 'all', 'log'] as const
/** Panels of signals that one address may name. */
const panelsMax = 24

export type Address =
  | RunsAddress
  | CompareAddress
  | {
      readonly page: 'run'
      readonly runId: string
      /** null = follow the newest. */
      readonly decision: number | null
      /** What was known then; null = now. */
      readonly step: number | null
      readonly panel: Panel
      readonly form: ControlForm | null
      /** As it was written, which may be nonsense: charts/ranges.ts mends it. */
      readonly zoom: { readonly from: number; readonly to: number } | null
      readonly lossFit: LossFit
      /** The settings of the what-if that differ from those in force. */
      readonly wishes: Wishes
      readonly format: ScheduleFormat
      /** The one kind of decisions that the log shows; null = all. */
      readonly kind: DecisionKind | null
      /** The last so many steps are shown, and go on with the run; null = they are not. */
      readonly last: number | null
      /** Steps to each side over which the loss is smoothed; null = as many as suit what is shown. */
      readonly smooth: number | null
      /** Signals that have a panel of their own. */
      readonly signals: readonly string[]
      /** Panels that were closed. */
      readonly closed: readonly string[]
      /** Shown in a frame of another page: nothing can be pressed that acts. */
      readonly embed: boolean
    }
  | { readonly page: 'settings'; readonly part: SettingsPart }
  | { readonly page: 'start'; readonly framework: ConnectFramework }
  | { readonly page: 'unknown'; readonly path: string }
export type RunAddress = Extract<Address, { page: 'run' }>

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,13}$/.test(text) ? Number(text) : null
}

function oneOf<T extends string>(list: readonly T[], text: string | null): T | null {
  return list.find((entry) => entry === text) ?? null
}

/** Names in one parameter, separated by commas; a comma within one is written %2C. */
const namesOf = (text: string | null): string[] => {
  const names = (text ?? '').split(',').map(decodedOrSame)
  return [...new Set(names.filter((name) => name !== ''))].slice(0, panelsMax)
}
const asNames = (names: readonly string[]): string =>
  names.map((name) => name.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',')

/** Both ends of a range, not looked at more closely than whether they are numbers. */
function rangeOf(from: string | null, to: string | null): { from: number; to: number } | null {
  if (from === null && to === null) return null
  const read = (text: string | null) => (text === null || text.trim() === '' ? Number.NaN : Number(text))
  return { from: read(from), to: read(to) }
}

/** What of a path is the page's own; undefined = it leads out of the base. */
function ownPath(path: string, base: string): string | undefined {
  if (!path.startsWith(base)) return undefined
  const own = path.slice(base.length)
  return own === '' || own.startsWith('/') ? own : undefined
}

/**
 * The address behind a path and a query; anything in the query that is not understood is left out.
 * @param base under which the server is; empty = it has its host for itself
 */
export function parseAddress(whole: string, query: string, base = basePath): Address {
  const path = ownPath(whole, base)
  if (path === undefined) return { page: 'unknown', path: whole }
  const parameters = new URLSearchParams(query)
  if (path === '/' || path === '') return parseRunsAddress(parameters)
  if (/^\/compare\/?$/.test(path)) return parseCompareAddress(parameters)
  const settings = /^\/settings(?:\/(\w+))?\/?$/.exec(path)
  const part = settings && oneOf(settingsParts, settings[1] ?? 'server')
  if (part !== null) return { page: 'settings', part }
  if (/^\/start\/?$/.test(path))
    return { page: 'start', framework: oneOf(frameworks, parameters.get('framework')) ?? 'pytorch' }
  const match = /^\/runs\/([^/]+)\/?$/.exec(path)
  if (match === null) return { page: 'unknown', path: whole }
  const form = oneOf(controlForms, parameters.get('form'))
  const panel = oneOf(panels, parameters.get('panel')) ?? 'decision'
  return {
    page: 'run',
    runId: decodedOrSame(match[1]!),
    decision: wholeNumber(parameters.get('decision')),
    step: wholeNumber(parameters.get('step')),
    panel: panel === 'control' && form === null ? 'decision' : panel,
    form: panel === 'control' ? form : null,
    zoom: rangeOf(parameters.get('from'), parameters.get('to')),
    lossFit: oneOf(lossFits, parameters.get('y.loss')) ?? 'fit',
    wishes: parseWishes(parameters),
    format: oneOf(scheduleFormats, parameters.get('format')) ?? 'pytorch',
    kind: oneOf(decisionKinds, parameters.get('kind')),
    last: wholeNumber(parameters.get('last')) || null,
    smooth: wholeNumber(parameters.get('smooth')),
    signals: namesOf(parameters.get('panels')),
    closed: namesOf(parameters.get('closed')),
    embed: parameters.get('embed') === '1',
  }
}

function decodedOrSame(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * The path and query of an address; what is usual is left out.
 * @param base under which the server is
 */
export function formatAddress(address: Address, base = basePath): string {
  return address.page === 'unknown' ? address.path : base + formatOwn(address)
}

function formatOwn(address: Exclude<Address, { page: 'unknown' }>): string {
  if (address.page === 'runs') return withQuery('/', runsParameters(address))
  if (address.page === 'compare') return withQuery('/compare', compareParameters(address))
  const parameters = new URLSearchParams()
  if (address.page === 'settings')
    return address.part === 'server' ? '/settings' : `/settings/${address.part}`
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
  if (address.last !== null) parameters.set('last', String(address.last))
  if (address.smooth !== null) parameters.set('smooth', String(address.smooth))
  if (address.signals.length > 0) parameters.set('panels', asNames(address.signals))
  if (address.closed.length > 0) parameters.set('closed', asNames(address.closed))
  if (address.embed) parameters.set('embed', '1')
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
  step: null,
  panel: 'decision',
  form: null,
  zoom: null,
  lossFit: 'fit',
  wishes: {},
  format: 'pytorch',
  kind: null,
  last: null,
  smooth: null,
  signals: [],
  closed: [],
  embed: false,
})
