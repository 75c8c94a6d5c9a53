// What a batch means to those who listen: the events that a decision is, and those that a run's record shows. Pure.

import type { Decision, WebhookEvent } from '../../protocol/vocabulary.ts'
import type { RunRecord } from '../storage/storage.ts'

const made: readonly Decision['status'][] = ['applied', 'approved', 'advisory']

/** What a decision is, the most particular first. */
export function eventsOf({ kind, status }: Pick<Decision, 'kind' | 'status'>): readonly WebhookEvent[] {
  const own: WebhookEvent[] = []
  if (status === 'awaiting-approval') own.push('waiting')
  if (kind === 'switch' && made.includes(status)) own.push('switch')
  if (kind === 'transition' || kind === 'drift') own.push(kind)
  return [...own, 'decision']
}

/** What has become of the run itself. */
export function endOf(
  before: Pick<RunRecord, 'lifecycle'> | undefined,
  after: Pick<RunRecord, 'lifecycle'>,
): 'diverged' | 'finished' | undefined {
  const { lifecycle } = after
  if (lifecycle === before?.lifecycle) return undefined
  return lifecycle === 'diverged' || lifecycle === 'finished' ? lifecycle : undefined
}
