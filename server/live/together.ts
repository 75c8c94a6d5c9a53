// What one frame holds for each socket: sockets that asked for the same are told the same, encoded once; those that asked for
// all together get summary and decisions within their samples, so a frame is one message and one write for each of them.

import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import type { Points } from '../runs/points.ts'
import type { Subscription } from './outlet.ts'

export type Frame = {
  readonly points: readonly Points[]
  /** Undefined = it has not changed. */
  readonly run: RunSummary | undefined
  /** Those since the last frame. */
  readonly decisions: readonly Decision[]
}

/** Of the decisions since the last frame those that one who gets them within it has not been told. */
export const newDecisions = (
  { together, missedDecisions, lastDecision }: Subscription,
  decisions: readonly Decision[],
): readonly Decision[] =>
  together && !missedDecisions ? decisions.filter(({ number }) => number > lastDecision) : []

export function markTold(subscription: Subscription, decisions: readonly Decision[]): void {
  const last = newDecisions(subscription, decisions).at(-1)
  if (last !== undefined) subscription.lastDecision = last.number
}

/** In groups that are told the same. */
export function alike(
  subscriptions: readonly Subscription[],
  decisions: readonly Decision[],
): readonly (readonly Subscription[])[] {
  const groups = new Map<string, Subscription[]>()
  for (const subscription of subscriptions) {
    const { signals, together } = subscription
    const first = newDecisions(subscription, decisions)[0]?.number
    const key = JSON.stringify([together, first, signals === undefined ? null : [...signals]])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [subscription])
    else group.push(subscription)
  }
  return [...groups.values()]
}

/** What is told besides the samples. */
export function besides(group: readonly Subscription[], { run, decisions }: Frame): object {
  const [one] = group
  if (one?.together !== true) return {}
  const fresh = newDecisions(one, decisions)
  return { ...(run && { run }), ...(fresh.length > 0 && { decisions: fresh }) }
}
