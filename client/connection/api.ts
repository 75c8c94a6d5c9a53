// Calls of the HTTP API. A failure is a value, never an exception: the server's own problem details, or one
// made here when there was no answer, so that every button can say beside itself what went wrong.

import { type AnswerName, answerProblem } from '../../protocol/answers.ts'
import { apiPrefix } from '../../protocol/version.ts'
import type {
  Command,
  DecisionList,
  Problem,
  RunList,
  RunSummary,
  Series,
} from '../../protocol/vocabulary.ts'

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem }

/** Longest wait for an answer, in milliseconds. */
const answerMsMax = 15_000

function localProblem(title: string, detail: string, status: number): Problem {
  return { type: 'about:blank', title, status, detail, code: 'no-answer' }
}

/** An answer that is none of this page's: the server is of another version than the page. */
export const notUnderstood = (wrong: string): Problem =>
  localProblem(
    'Not understood',
    `The server answered otherwise than this page expects (${wrong}): reload it.`,
    200,
  )

/** @param shape of a success; null = the answer is not looked at */
async function call<T>(
  method: string,
  path: string,
  shape: AnswerName | null,
  body?: unknown,
): Promise<Answer<T>> {
  try {
    const response = await fetch(apiPrefix + path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(answerMsMax),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const parsed: unknown = text === '' ? null : JSON.parse(text)
    if (response.ok) {
      const wrong = shape === null ? undefined : answerProblem(shape, parsed)
      if (wrong === undefined) return { ok: true, value: parsed as T }
      return { ok: false, problem: notUnderstood(wrong) }
    }
    return { ok: false, problem: asProblem(parsed, response.status) }
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
    const detail = timedOut
      ? `The server did not answer within ${answerMsMax / 1000} s.`
      : error instanceof SyntaxError
        ? 'The server answered with something that is not JSON.'
        : 'The server cannot be reached.'
    return { ok: false, problem: localProblem('No answer', detail, 0) }
  }
}

function asProblem(body: unknown, status: number): Problem {
  const found = body as Partial<Problem> | null
  if (typeof found === 'object' && typeof found?.detail === 'string')
    return { ...localProblem('', '', status), ...found }
  return localProblem('Failed', `The server answered with status ${status}.`, status)
}

const pathOf = (runId: string) => `/runs/${encodeURIComponent(runId)}`

/** The newest runs; the live list follows from there. */
export function fetchRuns(): Promise<Answer<RunList>> {
  return call('GET', '/runs', 'RunList')
}

export function fetchRun(runId: string): Promise<Answer<RunSummary>> {
  return call('GET', pathOf(runId), 'RunSummary')
}

export type SeriesRange = { readonly from: number; readonly to: number; readonly points: number }
export function fetchSeries(runId: string, range: SeriesRange): Promise<Answer<Series>> {
  const query = new URLSearchParams({
    from: String(Math.max(0, Math.floor(range.from))),
    to: String(Math.ceil(range.to)),
    points: String(range.points),
  })
  return call('GET', `${pathOf(runId)}/series?${query}`, 'Series')
}

export function fetchDecisions(runId: string, after: number): Promise<Answer<DecisionList>> {
  return call('GET', `${pathOf(runId)}/decisions?after=${after}`, 'DecisionList')
}

export type CommandKind = Exclude<
  Command['kind'],
  'override' | 'hand-back' | 'set-budget' | 'set-mode' | 'approve' | 'reject'
>
export function sendCommand(runId: string, kind: CommandKind, reason: string): Promise<Answer<unknown>> {
  return call('POST', `${pathOf(runId)}/commands`, null, { kind, reason })
}

export function sendAnswer(
  runId: string,
  decision: number,
  kind: 'approve' | 'reject',
  reason: string,
): Promise<Answer<unknown>> {
  return call('POST', `${pathOf(runId)}/decisions/${decision}/${kind}`, null, { reason })
}

export type OverrideBody = {
  readonly learningRate: number
  readonly untilStep: number
  readonly reason: string
}
export function sendOverride(runId: string, body: OverrideBody): Promise<Answer<unknown>> {
  return call('POST', `${pathOf(runId)}/overrides`, null, body)
}

export function sendHandBack(runId: string): Promise<Answer<unknown>> {
  return call('DELETE', `${pathOf(runId)}/overrides/current`, null)
}

/** Address of one decision's record as JSON. */
export function decisionUrl(runId: string, number: number): string {
  return `${apiPrefix}${pathOf(runId)}/decisions/${number}`
}
