// Calls of the HTTP API. A failure is a value, never an exception: the server's own problem details, or one
// made here when there was no answer, so that every button can say beside itself what went wrong.

import { type ExpandedSeries, expandedSeries } from '../../protocol/compactSeries.ts'
import { apiPrefix as ownPrefix } from '../../protocol/version.ts'
import type {
  Access,
  AuditPage,
  Command,
  ControlAnswer,
  CreateToken,
  CreateWebhook,
  DecisionKind,
  DecisionList,
  Delivery,
  DeliveryPage,
  ForecastCalibration,
  Health,
  Mode,
  NewToken,
  NewWebhook,
  Problem,
  RemovedRuns,
  RunList,
  RunListRequest,
  RunSummary,
  TokenList,
  Version,
  WebhookList,
  WebhookTest,
  WhatIfAnswer,
  WhatIfRequest,
} from '../../protocol/vocabulary.ts'

export type { WhatIfRequest }

import { basePath } from './base.ts'
import { againAfter, type Called, untilRoom } from './busy.ts'
import { type Answer, type Answers, isProblem, readAnswer } from './read.ts'
import { authorization, noteRefusal } from './token.ts'

const apiPrefix = basePath + ownPrefix

/** Longest wait for an answer, in milliseconds. */
const answerMsMax = 15_000

function localProblem(title: string, detail: string, status: number): Problem {
  return { type: 'about:blank', title, status, detail, code: 'no-answer' }
}

let unanswered = 0
let settled = () => {}
/** Done when the server has answered, or has failed to, all that was asked at first. */
export const firstAnswers = new Promise<void>((resolve) => {
  settled = resolve
})

/** A call whose answer is read. */
async function ask<Name extends keyof Answers>(name: Name, path: string): Promise<Answer<Answers[Name]>> {
  const answer = await untilRoom(() => call('GET', path))
  return answer.ok ? readAnswer(name, answer.value) : answer
}

/** A call that changes something, whose answer is read. */
async function send<Name extends keyof Answers>(
  name: Name,
  ...given: Parameters<typeof call>
): Promise<Answer<Answers[Name]>> {
  const answer = await call(...given)
  return answer.ok ? readAnswer(name, answer.value) : answer
}

/** What the server says is wrong, or that it says nothing that can be read. */
function failed(value: unknown, status: number): Answer<never> {
  const words = `The server answered with status ${status}.`
  const problem = isProblem(value) ? value : localProblem('Failed', words, status)
  noteRefusal(problem)
  return { ok: false, problem }
}

/** @param root the address that the path is under */
async function call(
  method: string,
  path: string,
  body?: unknown,
  gone?: AbortSignal,
  root = apiPrefix,
): Promise<Called> {
  const timeout = AbortSignal.timeout(answerMsMax)
  unanswered += 1
  try {
    const response = await fetch(root + path, {
      method,
      headers: { ...authorization(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: gone === undefined ? timeout : AbortSignal.any([timeout, gone]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const value: unknown = text === '' ? null : JSON.parse(text)
    if (response.ok) return { ok: true, value }
    const refused = failed(value, response.status)
    const againMs = refused.ok ? undefined : againAfter(refused.problem.code, response.headers)
    return againMs === undefined ? refused : { ...refused, againMs }
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
    const detail = timedOut
      ? `The server did not answer within ${answerMsMax / 1000} s.`
      : error instanceof SyntaxError
        ? 'The server answered with something that is not JSON.'
        : 'The server cannot be reached.'
    return { ok: false, problem: localProblem('No answer', detail, 0) }
  } finally {
    unanswered -= 1
    if (unanswered === 0) settled()
  }
}

const pathOf = (runId: string) => `/runs/${encodeURIComponent(runId)}`

/** A page of the runs that are asked for. */
export function fetchRuns(request: RunListRequest = {}): Promise<Answer<RunList>> {
  const given = Object.entries(request).map(([name, value]): [string, string] => [name, String(value)])
  return ask('RunList', given.length === 0 ? '/runs' : `/runs?${new URLSearchParams(given)}`)
}

/** How true the promises of finished runs were. */
export function fetchCalibration(): Promise<Answer<ForecastCalibration>> {
  return ask('ForecastCalibration', '/forecasts/calibration')
}

export function fetchRun(runId: string): Promise<Answer<RunSummary>> {
  return ask('RunSummary', pathOf(runId))
}

async function askSeries(runId: string, query: URLSearchParams): Promise<Answer<ExpandedSeries>> {
  const answer = await ask('CompactSeries', `${pathOf(runId)}/series/compact?${query}`)
  return answer.ok ? { ok: true, value: expandedSeries(answer.value) } : answer
}

export type SeriesRange = { readonly from: number; readonly to: number; readonly points: number }
export type SeriesWanted = {
  /** Only these: a run may have hundreds that nobody looks at. */
  readonly signals: readonly string[]
  /** Those of them whose least and most are drawn too. */
  readonly extremes: readonly string[]
  /** Significant digits. */
  readonly digits: number
}
export function fetchSeries(
  runId: string,
  range: SeriesRange,
  { signals, extremes, digits }: SeriesWanted,
): Promise<Answer<ExpandedSeries>> {
  const query = new URLSearchParams({
    from: String(Math.max(0, Math.floor(range.from))),
    to: String(Math.ceil(range.to)),
    points: String(range.points),
    digits: String(digits),
  })
  for (const name of signals) query.append('signals', name)
  for (const name of extremes) query.append('extremes', name)
  return askSeries(runId, query)
}

/** Some signals of a run, as lines over all of it; none named = all. */
export function fetchSignals(
  runId: string,
  signals: readonly string[],
  points: number,
): Promise<Answer<ExpandedSeries>> {
  const query = new URLSearchParams([...signals.map((name) => ['signals', name]), ['points', String(points)]])
  return askSeries(runId, query)
}

export type DecisionPage = {
  readonly after: number
  readonly limit: number
  /** Absent = all. */
  readonly kinds?: readonly DecisionKind[]
}
export function fetchDecisions(
  runId: string,
  { after, limit, kinds = [] }: DecisionPage,
): Promise<Answer<DecisionList>> {
  const query = new URLSearchParams({ after: String(after), limit: String(limit) })
  if (kinds.length > 0) query.set('kind', kinds.join())
  return ask('DecisionList', `${pathOf(runId)}/decisions?${query}`)
}

export type CommandKind = Extract<
  Command['kind'],
  'pause' | 'resume' | 'switch-now' | 'undo-switch' | 'finish'
>
export function sendCommand(
  runId: string,
  kind: CommandKind,
  reason: string,
): Promise<Answer<ControlAnswer>> {
  return send('ControlAnswer', 'POST', `${pathOf(runId)}/commands`, { kind, reason })
}

/** @param steps of the copy's anneal; null = the tuner's choice */
export function sendBranch(
  runId: string,
  steps: number | null,
  reason: string,
): Promise<Answer<ControlAnswer>> {
  return send('ControlAnswer', 'POST', `${pathOf(runId)}/commands`, { kind: 'branch', steps, reason })
}

export function sendAnswer(
  runId: string,
  decision: number,
  kind: 'approve' | 'reject',
  reason: string,
): Promise<Answer<ControlAnswer>> {
  return send('ControlAnswer', 'POST', `${pathOf(runId)}/decisions/${decision}/${kind}`, { reason })
}

export type OverrideBody = {
  readonly learningRate: number
  readonly untilStep: number
  readonly reason: string
}
export function sendOverride(runId: string, body: OverrideBody): Promise<Answer<ControlAnswer>> {
  return send('ControlAnswer', 'POST', `${pathOf(runId)}/overrides`, body)
}

export function sendHandBack(runId: string, reason: string): Promise<Answer<ControlAnswer>> {
  const query = new URLSearchParams({ reason })
  return send('ControlAnswer', 'DELETE', `${pathOf(runId)}/overrides/current?${query}`)
}

export type RunChange = {
  readonly name?: string
  readonly project?: string
  readonly tags?: readonly string[]
  readonly mode?: Mode
  readonly budgetSteps?: number | null
  readonly reason?: string
}
export function sendChange(runId: string, change: RunChange): Promise<Answer<RunSummary>> {
  return send('RunSummary', 'PATCH', pathOf(runId), change)
}

export function sendDelete(runId: string): Promise<Answer<unknown>> {
  return call('DELETE', pathOf(runId))
}

/** @param gone ends the question: the server then stops folding, too */
export function askWhatIf(
  runId: string,
  request: WhatIfRequest,
  gone: AbortSignal,
): Promise<Answer<WhatIfAnswer>> {
  return send('WhatIfAnswer', 'POST', `${pathOf(runId)}/what-if`, request, gone)
}

/** Address of the schedule in one of its forms. */
export const scheduleUrl = (runId: string, format: string): string =>
  `${apiPrefix}${pathOf(runId)}/schedule?format=${format}`

/** The schedule as the text of a file. */
export async function fetchSchedule(runId: string, format: string): Promise<Answer<string>> {
  try {
    const signal = AbortSignal.timeout(answerMsMax)
    const response = await fetch(scheduleUrl(runId, format), { headers: authorization(), signal })
    const text = await response.text()
    return response.ok ? { ok: true, value: text } : failed(JSON.parse(text), response.status)
  } catch {
    return { ok: false, problem: localProblem('No answer', 'The server cannot be reached.', 0) }
  }
}

/** Whether the server's storage can be written, and which it is. */
export const fetchReady = (): Promise<Answer<Health>> =>
  send('Health', 'GET', '/readyz', undefined, undefined, basePath)
export const fetchHealth = (): Promise<Answer<Health>> =>
  send('Health', 'GET', '/healthz', undefined, undefined, basePath)
export const fetchVersion = (): Promise<Answer<Version>> =>
  send('Version', 'GET', '/version', undefined, undefined, basePath)

/** The newest run, if there is one. */
export async function fetchNewestRun(): Promise<Answer<RunSummary | null>> {
  const answer = await ask('RunList', '/runs?limit=1')
  return answer.ok ? { ok: true, value: answer.value.runs[0] ?? null } : answer
}

/** Address of one decision's record as JSON. */
export function decisionUrl(runId: string, number: number): string {
  return `${apiPrefix}${pathOf(runId)}/decisions/${number}`
}

/** Address of a run's log as a file. */
export const exportUrl = (runId: string): string => `${apiPrefix}${pathOf(runId)}/export`

/** What the page may do here. */
export const fetchAccess = (): Promise<Answer<Access>> => ask('Access', '/access')

/** Whether a token is one of this server, and lets its holder read. */
export async function checkToken(secret: string): Promise<Answer<Access>> {
  try {
    const signal = AbortSignal.timeout(answerMsMax)
    const response = await fetch(`${apiPrefix}/access`, { headers: authorization(secret), signal })
    const value: unknown = await response.json()
    if (response.ok) return readAnswer('Access', value)
    const words = `The server answered with status ${response.status}.`
    return { ok: false, problem: isProblem(value) ? value : localProblem('Failed', words, response.status) }
  } catch {
    return { ok: false, problem: localProblem('No answer', 'The server cannot be reached.', 0) }
  }
}

export const fetchTokens = (): Promise<Answer<TokenList>> => ask('TokenList', '/tokens')
export const sendToken = (wish: CreateToken): Promise<Answer<NewToken>> =>
  send('NewToken', 'POST', '/tokens', wish)
export const sendRevoke = (id: string): Promise<Answer<unknown>> =>
  call('DELETE', `/tokens/${encodeURIComponent(id)}`)
export const sendRotate = (id: string): Promise<Answer<NewToken>> =>
  send('NewToken', 'POST', `/tokens/${encodeURIComponent(id)}/rotate`, {})

export const fetchWebhooks = (): Promise<Answer<WebhookList>> => ask('WebhookList', '/webhooks')
export const sendWebhook = (wish: CreateWebhook): Promise<Answer<NewWebhook>> =>
  send('NewWebhook', 'POST', '/webhooks', wish)
const webhookPath = (id: string) => `/webhooks/${encodeURIComponent(id)}`
export const sendWebhookDelete = (id: string): Promise<Answer<unknown>> => call('DELETE', webhookPath(id))
export const sendWebhookTest = (id: string): Promise<Answer<WebhookTest>> =>
  send('WebhookTest', 'POST', `${webhookPath(id)}/test`, {})
/** @param before the `next` of the page before */
export const fetchDeliveries = (id: string, before: number | null): Promise<Answer<DeliveryPage>> =>
  ask('DeliveryPage', `${webhookPath(id)}/deliveries?limit=20${before === null ? '' : `&before=${before}`}`)
export const sendRedeliver = (id: string, number: number): Promise<Answer<Delivery>> =>
  send('Delivery', 'POST', `${webhookPath(id)}/deliveries/${number}/redeliver`, {})

/** @param before the `next` of the page before */
export const fetchAudit = (before: number | null): Promise<Answer<AuditPage>> =>
  ask('AuditPage', `/audit?limit=50${before === null ? '' : `&before=${before}`}`)

export const fetchRemoved = (): Promise<Answer<RemovedRuns>> => ask('RemovedRuns', '/removed-runs')
/** @param removedAt which of several deleted runs of that id */
export const sendRestore = (runId: string, removedAt: string): Promise<Answer<RunSummary>> =>
  send('RunSummary', 'POST', `${pathOf(runId)}/restore?${new URLSearchParams({ removedAt })}`, {})
