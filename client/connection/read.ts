// Every answer and every message of the server is unknown until it has been read here: as strictly as the server reads
// requests, but for bounds of numbers. The schema library finds no room in the page: with the schemas it is 31 kB
// compressed, and 80 are allowed for all. So what is checked are shapes made from those schemas (2 kB,
// protocol/answerShapes.ts); a test there writes them anew and holds them to the schemas, so that they cannot drift.
// What is not of its shape is never shown: it becomes a problem in words, which the page says until it is loaded anew.

import { signal } from '@preact/signals'
import { answerShapes } from '../../protocol/answerShapes.ts'
import { type Shape, shapeProblem } from '../../protocol/shape.ts'
import type {
  Access,
  AuditPage,
  CompactSeries,
  ControlAnswer,
  DecisionList,
  Delivery,
  DeliveryPage,
  ForecastCalibration,
  Health,
  NewToken,
  NewWebhook,
  Problem,
  RemovedRuns,
  RunList,
  RunSummary,
  ServerEvents,
  SubscribeAnswer,
  TokenList,
  Version,
  WebhookList,
  WebhookTest,
  WhatIfAnswer,
} from '../../protocol/vocabulary.ts'

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem }

/** Answers over HTTP, by the names of their shapes. */
export type Answers = {
  readonly RunList: RunList
  readonly RunSummary: RunSummary
  readonly CompactSeries: CompactSeries
  readonly DecisionList: DecisionList
  readonly ForecastCalibration: ForecastCalibration
  readonly ControlAnswer: ControlAnswer
  readonly WhatIfAnswer: WhatIfAnswer
  readonly Health: Health
  readonly Version: Version
  readonly Access: Access
  readonly TokenList: TokenList
  readonly NewToken: NewToken
  readonly AuditPage: AuditPage
  readonly RemovedRuns: RemovedRuns
  readonly WebhookList: WebhookList
  readonly NewWebhook: NewWebhook
  readonly WebhookTest: WebhookTest
  readonly Delivery: Delivery
  readonly DeliveryPage: DeliveryPage
  readonly Problem: Problem
}

/** What comes over the live socket: its events, and its answers to what the page asks for. */
export type Messages = { readonly [Name in keyof ServerEvents]: Parameters<ServerEvents[Name]>[0] } & {
  readonly subscribe: SubscribeAnswer
  readonly 'subscribe-runs': RunList
}
const messageShapes: Readonly<Record<keyof Messages, Shape>> = {
  decision: { runId: 's', decision: '@Decision' },
  transition: { runId: 's', decision: '@Decision' },
  samples: '@LiveSamples',
  run: { run: '@RunSummary' },
  removed: { runId: 's' },
  problem: '@Problem',
  subscribe: '@SubscribeAnswer',
  'subscribe-runs': '@RunList',
}

/** What is wrong between the page and the server, in words, until the page is loaded anew; null = nothing. */
export const trouble = signal<string | null>(null)

function readAs<T>(shape: Shape, given: unknown): Answer<T> {
  const wrong = shapeProblem(answerShapes, shape, given)
  // The one cast of what comes from outside: the shape has just been found to hold.
  if (wrong === undefined) return { ok: true, value: given as T }
  const detail = `The server says something that this page does not understand (${wrong.trim()}). Load the page anew.`
  trouble.value = detail
  return {
    ok: false,
    problem: { type: 'about:blank', title: 'Not understood', status: 0, detail, code: 'not-understood' },
  }
}

export const readAnswer = <Name extends keyof Answers>(name: Name, given: unknown): Answer<Answers[Name]> =>
  readAs(`@${name}`, given)

export const readMessage = <Name extends keyof Messages>(
  name: Name,
  given: unknown,
): Answer<Messages[Name]> => readAs(messageShapes[name], given)

/** Whether something is the server's problem document; what it says besides is not missed. */
export const isProblem = (given: unknown): given is Problem =>
  shapeProblem(answerShapes, '@Problem', given) === undefined
