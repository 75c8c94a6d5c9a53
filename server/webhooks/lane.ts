// What is owed to one webhook, sent: of each run in order, of several runs a few at once. A lane of its own for each, so that a receiver
// that is slow or gone holds up no other. What is owed is in the storage; a lane remembers nothing but when to look again.

import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { StoredDelivery, WebhookStore } from '../storage/webhooks.ts'

/** Messages to one webhook at a time. */
export const messagesAtOnceMax = 4
/** Where the storage failed it is looked at again after this. */
const pauseMilliseconds = 30_000

export type LaneOptions = {
  readonly webhookId: string
  readonly store: WebhookStore
  readonly clock: Clock
  readonly log: Log
  /** While it is not, nothing is sent. */
  readonly isOn: () => boolean
  /** Tries one delivery and stores what came of it. */
  readonly attempt: (delivery: StoredDelivery) => Promise<void>
}

export class Lane {
  private readonly options: LaneOptions
  /** What is being sent, by its run. */
  private readonly sending = new Map<string, Promise<void>>()
  private looking: Promise<void> | undefined
  private isWoken = false
  private isStopped = false
  private cancel = () => {}

  constructor(options: LaneOptions) {
    this.options = options
  }

  /** Looks at what is owed. */
  wake(): void {
    this.isWoken = true
    if (this.looking !== undefined || this.isStopped) return
    this.looking = this.look().finally(() => {
      this.looking = undefined
      // It may have been woken since it looked last.
      if (this.isWoken) this.wake()
    })
  }

  /** Begins nothing more; resolves when what is being sent has ended. */
  async stop(): Promise<void> {
    this.isStopped = true
    this.cancel()
    await this.looking
    await Promise.all(this.sending.values())
  }

  private async look(): Promise<void> {
    const { store, clock, isOn, webhookId } = this.options
    try {
      while (this.isWoken && !this.isStopped && isOn()) {
        this.isWoken = false
        const free = messagesAtOnceMax - this.sending.size
        // Who ends wakes it again.
        if (free === 0) return
        const next = await store.nextDeliveries(webhookId, messagesAtOnceMax + this.sending.size)
        const now = clock.now()
        const idle = next.filter(({ runId }) => !this.sending.has(runId))
        const due = idle.filter(({ nextAt }) => nextAt !== null && nextAt <= now).slice(0, free)
        for (const delivery of due) this.send(delivery)
        const later = idle[due.length]
        // One that is due has no room now, and is looked for when another ends.
        if (later?.nextAt != null && later.nextAt > now) this.sleep(later.nextAt - now)
      }
      this.isWoken = false
    } catch (error) {
      this.failed(error)
    }
  }

  private send(delivery: StoredDelivery): void {
    const work = this.options
      .attempt(delivery)
      .then(() => true)
      .catch((error) => this.failed(error))
      .then((isDone) => {
        this.sending.delete(delivery.runId)
        if (isDone) this.wake()
      })
    this.sending.set(delivery.runId, work)
  }

  /** Not at once again: where the storage fails, it would fail as fast as it can be asked. */
  private failed(error: unknown): false {
    const { log, webhookId } = this.options
    log('error', 'webhooks could not be delivered', { webhookId, error })
    this.isWoken = false
    this.sleep(pauseMilliseconds)
    return false
  }

  private sleep(milliseconds: number): void {
    this.cancel()
    if (!this.isStopped) this.cancel = this.options.clock.after(milliseconds, () => this.wake())
  }
}
