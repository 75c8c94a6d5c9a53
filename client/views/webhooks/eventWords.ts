// What a webhook may hear of, in words.

import type { DeliveryState, WebhookEvent, WebhookShape } from '../../../protocol/vocabulary.ts'

export const eventWords: Readonly<Record<WebhookEvent, string>> = {
  decision: 'decision: any, holds among them',
  switch: 'switch: annealing begins, or is advised',
  transition: 'transition: the measured regime changed',
  waiting: 'waiting: a decision waits for approval',
  drift: 'drift: the rate is not the planned one',
  diverged: 'diverged: a run diverged',
  finished: 'finished: a run ended',
  stale: 'stale: a run fell silent',
}
export const shapeWords: Readonly<Record<WebhookShape, string>> = {
  generic: 'JSON with the run and the decision',
  slack: 'a message for Slack',
}
export const deliveryWords: Readonly<Record<DeliveryState, string>> = {
  waiting: 'waits',
  delivered: 'delivered',
  failed: 'given up',
  dropped: 'dropped: too many waited',
}
