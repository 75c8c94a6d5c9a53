// What the server asks of a database for webhooks: which there are, and what is to be delivered to each. A delivery is written in
// the transaction of the batch that gives rise to it (`Batch.deliveries`), so that it is owed from that moment on. Errors as in storage.ts.

import type { DeliveryState, WebhookEvent, WebhookShape } from '../../protocol/vocabulary.ts'

/** Times are milliseconds since 1970, UTC. */
export type StoredWebhook = {
  readonly id: string
  readonly url: string
  readonly events: readonly WebhookEvent[]
  /** The only project whose runs it hears of; null = all. */
  readonly project: string | null
  readonly shape: WebhookShape
  /** As it is, since messages are signed with it. */
  readonly secret: string
  readonly createdAt: number
  /** When it was given up; null = it is in force. */
  readonly disabledAt: number | null
  /** Since when nothing has been taken; null = the last delivery was, or there was none. */
  readonly failingSince: number | null
}

export type NewDelivery = {
  readonly webhookId: string
  readonly event: WebhookEvent
  readonly runId: string
  /** JSON, as it is sent. */
  readonly body: string
  readonly at: number
}

export type StoredDelivery = NewDelivery & {
  /** Of all webhooks together, ascending. */
  readonly number: number
  readonly state: DeliveryState
  /** How often it was tried. */
  readonly attempts: number
  readonly lastAt: number | null
  /** What the receiver answered last; null = nothing. */
  readonly status: number | null
  /** Why the last try failed; empty = it did not. */
  readonly error: string
  /** When it is due; null = it is over. */
  readonly nextAt: number | null
}

export type Attempt = Pick<StoredDelivery, 'state' | 'attempts' | 'lastAt' | 'status' | 'error' | 'nextAt'>

export type WebhookStore = {
  webhooks(): Promise<readonly StoredWebhook[]>
  /** Adds it, or takes the place of the one with its id. */
  putWebhook(webhook: StoredWebhook): Promise<void>
  /** With its deliveries. */
  deleteWebhook(id: string): Promise<void>
  /**
   * Each waits then, and is due at once; those for a webhook that is gone are left out. Of a webhook at most `webhookWaitingMax` wait, beyond them
   * the oldest become `dropped`; of those that are over the newest `webhookLogMax` are kept.
   */
  addDeliveries(deliveries: readonly NewDelivery[]): Promise<void>
  /**
   * Adds what is owed of a run that fell silent, once for each time at which it did. False, and nothing added, where that was done before.
   * @param staleAt the time from which it was silent
   */
  addStale(runId: string, staleAt: number, deliveries: readonly NewDelivery[]): Promise<boolean>
  /** Ids of runs that are silent by a time, of which nothing was added; who is silent longest first. */
  untoldStale(now: number, limit: number): Promise<readonly string[]>
  /** Of each run the oldest that waits, those that are due first at the beginning. */
  nextDeliveries(webhookId: string, limit: number): Promise<readonly StoredDelivery[]>
  /** Does nothing where the delivery is gone. */
  putAttempt(number: number, attempt: Attempt): Promise<void>
  /** Undefined if the webhook has none of that number. */
  delivery(webhookId: string, number: number): Promise<StoredDelivery | undefined>
  /** Newest first, before a number. */
  deliveries(
    webhookId: string,
    query: { readonly before: number; readonly limit: number },
  ): Promise<readonly StoredDelivery[]>
}
