// The webhooks of a server: made, listed, deleted, tried; what a batch owes to each; and what a try makes of them. All of them are held in
// memory (where several servers use a database, they are read again when another one has changed them), so that a batch where there are none asks for nothing and writes nothing.

import { limits } from '../../protocol/limits.ts'
import type {
  CreateWebhook,
  Decision,
  Delivery,
  NewWebhook,
  Webhook,
  WebhookEvent,
  WebhookTest,
} from '../../protocol/vocabulary.ts'
import { type Clock, isoTime } from '../clock.ts'
import { ServerError, serverEnding } from '../errors.ts'
import type { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { OneAtATime } from '../runs/oneAtATime.ts'
import { summaryAt } from '../runs/runRecord.ts'
import type { RunRecord, Storage } from '../storage/storage.ts'
import type { NewDelivery, StoredDelivery, StoredWebhook } from '../storage/webhooks.ts'
import { type Guard, whyNoUrl } from './addresses.ts'
import { bodyOf, testBodyOf } from './body.ts'
import { endOf, eventsOf } from './events.ts'
import { Lane } from './lane.ts'
import { post, type Resolve } from './post.ts'
import { attemptAfter, type Outcome } from './retry.ts'
import { secretOf, signedHeaders } from './signature.ts'

/** A receiver that has taken nothing for so long is given up. */
export const failingMillisecondsMax = 3 * 86_400_000
/** The receiver says that it is gone for good. */
const gone = 410

export type WebhooksOptions = {
  readonly storage: Pick<Storage, 'webhooks' | 'addNotice'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'delivered'>
  readonly guard: Guard
  readonly resolve: Resolve
  readonly inHand: InHand
  /** Of the page, without a slash at its end; null = not told. */
  readonly publicUrl: string | null
  readonly newId: (kind: 'webhook' | 'message') => string
  /** 32 random bytes as base64url. */
  readonly newSecret: () => string
  /** In [0, 1). */
  readonly random: () => number
  /** Whether this server is the one that cares for something, where there are several. */
  readonly owns?: (key: string) => boolean
}

/** What a batch made of a run. */
export type Happened = {
  /** Undefined = the run begins. */
  readonly before: RunRecord | undefined
  readonly after: RunRecord
  readonly decisions: readonly Decision[]
}

/** What runs tell of themselves. */
export type Listeners = Pick<Webhooks, 'owed' | 'stored' | 'wentStale'>
/** Nobody listens. */
export const noListeners: Listeners = { owed: () => [], stored: () => {}, wentStale: async () => {} }

type Entry = { webhook: StoredWebhook; readonly lane: Lane; readonly testing: OneAtATime }

export class Webhooks {
  private readonly options: WebhooksOptions
  private readonly byId = new Map<string, Entry>()
  private readonly ending = new AbortController()

  constructor(options: WebhooksOptions) {
    this.options = options
  }

  /** Goes on with what was owed when the server stopped. */
  async start(): Promise<void> {
    await this.load()
    this.wake()
  }

  /** As they are stored; another server may have changed them. */
  async load(): Promise<void> {
    const stored = await this.options.storage.webhooks.webhooks()
    for (const [id, { lane }] of this.byId) {
      if (stored.some((webhook) => webhook.id === id)) continue
      this.byId.delete(id)
      this.options.inHand.hold(lane.stop())
    }
    for (const webhook of stored) {
      const entry = this.byId.get(webhook.id)
      if (entry === undefined) this.remember(webhook)
      else entry.webhook = webhook
    }
  }

  /** Looks at what is owed to those that fall to this server. */
  wake(): void {
    for (const { webhook, lane } of this.byId.values()) if (webhook.disabledAt === null) lane.wake()
  }

  /** Breaks off what is being sent: it stays owed. */
  async stop(): Promise<void> {
    this.ending.abort()
    const all = [...this.byId.values()].flatMap(({ lane, testing }) => [lane.stop(), testing.stop()])
    await Promise.all(all)
  }

  /** What is owed for a batch, to be stored with it. */
  owed({ before, after, decisions }: Happened): readonly NewDelivery[] {
    const listeners = this.listenersOf(after)
    if (listeners.length === 0) return []
    const found = decisions.flatMap((decision) => this.news(listeners, eventsOf(decision), after, decision))
    const end = endOf(before, after)
    const last = decisions.at(-1) ?? null
    return end === undefined ? found : [...found, ...this.news(listeners, [end], after, last)]
  }

  /**
   * A run fell silent, which is no batch. Told once for each time that it did, whoever finds it, and also where nobody listens: who
   * comes later hears of what is new then.
   * @param isNews false = it was silent when it came to be here
   */
  async wentStale(record: RunRecord, isNews = true): Promise<void> {
    if (record.staleAt === null) return
    const deliveries = isNews ? this.news(this.listenersOf(record), ['stale'], record, null) : []
    const { webhooks } = this.options.storage
    if (await webhooks.addStale(record.id, record.staleAt, deliveries)) this.stored(deliveries)
  }

  /** They are in the storage. */
  stored(deliveries: readonly NewDelivery[]): void {
    for (const id of new Set(deliveries.map(({ webhookId }) => webhookId))) this.byId.get(id)?.lane.wake()
  }

  /** The oldest first. */
  list(): Webhook[] {
    return [...this.byId.values()].map(({ webhook }) => shown(webhook))
  }

  /** @throws ServerError `invalid-request`, `too-many-webhooks`. */
  async create(wish: CreateWebhook): Promise<NewWebhook> {
    const { guard, newId, newSecret, clock } = this.options
    const wrong = whyNoUrl(wish.url, guard)
    if (wrong !== undefined) throw invalidUrl(`${wrong}, got ${wish.url.slice(0, 200)}`)
    if (this.byId.size >= limits.webhooksMax)
      throw new ServerError(
        'too-many-webhooks',
        `there are ${limits.webhooksMax} webhooks, which is the most allowed: delete one first`,
      )
    const webhook: StoredWebhook = {
      ...wish,
      url: new URL(wish.url).href,
      events: [...new Set(wish.events)],
      id: newId('webhook'),
      secret: secretOf(newSecret()),
      createdAt: clock.now(),
      disabledAt: null,
      failingSince: null,
    }
    await this.options.storage.webhooks.putWebhook(webhook)
    this.remember(webhook)
    return { webhook: shown(webhook), secret: webhook.secret }
  }

  /** With what is owed to it. @throws ServerError `webhook-not-found`. */
  async delete(id: string): Promise<void> {
    const entry = this.entry(id)
    // First, so that nothing that ends meanwhile writes it again.
    this.byId.delete(id)
    try {
      await this.options.storage.webhooks.deleteWebhook(id)
    } catch (error) {
      this.byId.set(id, entry)
      throw error
    }
    // What is being sent to it may end: nobody waits for that.
    this.options.inHand.hold(entry.lane.stop())
  }

  /** As the audit names it: of an address the path may be a secret. */
  named(id: string): string {
    const entry = this.byId.get(id)
    return entry === undefined ? 'no webhook' : `webhook to ${new URL(entry.webhook.url).host} (${id})`
  }

  /** Sends a test now; one that is taken brings back a webhook that was given up. @throws ServerError `webhook-not-found`, `server-busy`. */
  async test(id: string): Promise<WebhookTest> {
    const { clock, newId } = this.options
    const { testing, webhook } = this.entry(id)
    const body = testBodyOf(webhook.shape, isoTime(clock.now()))
    const outcome = await testing.run(() => this.send(webhook, `msg_${newId('message')}`, body))
    // It was broken off, which says nothing of the receiver.
    if (this.ending.signal.aborted && !outcome.taken) throw serverEnding()
    await this.note(id, outcome)
    const { taken, status } = outcome
    return {
      taken,
      status,
      error: outcome.taken ? '' : outcome.error,
      webhook: shown(this.entry(id).webhook),
    }
  }

  /** Newest first. @throws ServerError `webhook-not-found`. */
  async log(id: string, query: { readonly before: number; readonly limit: number }): Promise<Delivery[]> {
    this.entry(id)
    return (await this.options.storage.webhooks.deliveries(id, query)).map(told)
  }

  /** Sends one again, from its first try on. @throws ServerError `webhook-not-found`, `delivery-not-found`. */
  async redeliver(id: string, number: number): Promise<Delivery> {
    const { lane } = this.entry(id)
    const { storage, clock } = this.options
    const found = await storage.webhooks.delivery(id, number)
    if (found === undefined)
      throw new ServerError('delivery-not-found', `webhook "${id}" has no delivery ${number} (any more)`)
    const again = { ...found, state: 'waiting', attempts: 0, nextAt: clock.now() } as const
    await storage.webhooks.putAttempt(number, again)
    lane.wake()
    return told(again)
  }

  private entry(id: string): Entry {
    const entry = this.byId.get(id)
    if (entry !== undefined) return entry
    throw new ServerError('webhook-not-found', `there is no webhook "${id}"`)
  }

  private listenersOf({ project }: RunRecord): StoredWebhook[] {
    return [...this.byId.values()]
      .map(({ webhook }) => webhook)
      .filter((one) => one.disabledAt === null && (one.project === null || one.project === project))
  }

  /** For each listener that asked for one of these events, under the first that it asked for. */
  private news(
    listeners: readonly StoredWebhook[],
    events: readonly WebhookEvent[],
    record: RunRecord,
    decision: Decision | null,
  ): NewDelivery[] {
    const at = this.options.clock.now()
    const { publicUrl } = this.options
    return listeners.flatMap(({ id, events: wanted, shape }) => {
      const event = events.find((one) => wanted.includes(one))
      if (event === undefined) return []
      const news = { event, at: isoTime(at), run: summaryAt(record, at), decision, publicUrl }
      return [{ webhookId: id, event, runId: record.id, body: bodyOf(shape, news), at }]
    })
  }

  private send({ url, secret }: StoredWebhook, id: string, body: string): Promise<Outcome> {
    const { guard, resolve, clock } = this.options
    const headers = signedHeaders(secret, id, Math.floor(clock.now() / 1_000), body)
    return post({ url, headers, body }, { guard, resolve, clock, ending: this.ending.signal })
  }

  private async attempt(delivery: StoredDelivery): Promise<void> {
    const { storage, clock, random, metrics, log } = this.options
    const { webhookId, number, body, runId } = delivery
    const entry = this.byId.get(webhookId)
    if (entry === undefined || entry.webhook.disabledAt !== null) return
    const outcome = await this.send(entry.webhook, `msg_${webhookId}_${number}`, body)
    // It was broken off, and is owed as before.
    if (this.ending.signal.aborted && !outcome.taken) return
    // Meanwhile it may have been dropped, as too many waited.
    const isOwed = (await storage.webhooks.delivery(webhookId, number))?.state === 'waiting'
    if (!isOwed && !outcome.taken) return
    const next = attemptAfter(delivery, outcome, clock.now(), random())
    await storage.webhooks.putAttempt(number, next)
    metrics.delivered(next.state === 'waiting' ? 'retried' : next.state)
    if (next.state === 'failed')
      log('warn', 'a webhook delivery was given up', { webhookId, number, runId, error: next.error })
    await this.note(webhookId, outcome)
  }

  /** Keeps since when nothing was taken, and gives the webhook up after days of it. */
  private async note(id: string, outcome: Outcome): Promise<void> {
    const { storage, clock, log } = this.options
    const entry = this.byId.get(id)
    if (entry === undefined) return
    const { webhook, lane } = entry
    const now = clock.now()
    if (outcome.taken) {
      if (webhook.failingSince === null && webhook.disabledAt === null) return
      await this.save({ ...webhook, failingSince: null, disabledAt: null })
      lane.wake()
      return
    }
    const failingSince = webhook.failingSince ?? now
    const isOver = outcome.status === gone || now - failingSince >= failingMillisecondsMax
    const disabledAt = webhook.disabledAt ?? (isOver ? now : null)
    if (failingSince === webhook.failingSince && disabledAt === webhook.disabledAt) return
    await this.save({ ...webhook, failingSince, disabledAt })
    if (disabledAt === null || webhook.disabledAt !== null) return
    const detail = `the ${this.named(id)} was switched off, as its receiver took nothing since ${isoTime(failingSince)} (${outcome.error}); a test that is taken switches it on again`
    log('warn', 'a webhook was switched off', { webhookId: id, detail })
    await storage.addNotice({ at: now, kind: 'webhook', detail })
  }

  private async save(webhook: StoredWebhook): Promise<void> {
    const entry = this.byId.get(webhook.id)
    // Deleted meanwhile.
    if (entry === undefined) return
    entry.webhook = webhook
    await this.options.storage.webhooks.putWebhook(webhook)
  }

  private remember(webhook: StoredWebhook): void {
    const { storage, clock, log, owns = () => true } = this.options
    const lane = new Lane({
      ...{ webhookId: webhook.id, store: storage.webhooks, clock, log },
      isOn: () => this.byId.get(webhook.id)?.webhook.disabledAt === null && owns(`webhook ${webhook.id}`),
      attempt: (delivery) => this.attempt(delivery),
    })
    const testing = new OneAtATime('another test of this webhook', 5)
    this.byId.set(webhook.id, { webhook, lane, testing })
  }
}

const invalidUrl = (detail: string) =>
  new ServerError('invalid-request', `/url ${detail}`, { errors: [{ pointer: '/url', detail }] })

const timeOf = (at: number | null) => (at === null ? null : isoTime(at))

function shown({
  id,
  url,
  events,
  project,
  shape,
  createdAt,
  disabledAt,
  failingSince,
}: StoredWebhook): Webhook {
  const state = disabledAt !== null ? 'disabled' : failingSince !== null ? 'failing' : 'active'
  const times = {
    createdAt: isoTime(createdAt),
    failingSince: timeOf(failingSince),
    disabledAt: timeOf(disabledAt),
  }
  return { id, url, events, project, shape, state, ...times }
}

function told({ webhookId: _webhookId, body: _body, ...delivery }: StoredDelivery): Delivery {
  const { at, lastAt, nextAt } = delivery
  return { ...delivery, at: isoTime(at), lastAt: timeOf(lastAt), nextAt: timeOf(nextAt) }
}
