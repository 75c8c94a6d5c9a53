// How many long reads are at work at once: a few, so that what each holds in memory is bounded; some more wait, and beyond
// them a reader is told to come back. Batches of telemetry never wait here.

import { ServerError } from '../errors.ts'

/** Charts and schedules that are made at once, and that wait. */
export const readsAtOnceMax = 4
export const readsWaitingMax = 32
/** Of live connections, apart from those: what they missed, and what is there when they come. */
export const liveReadsAtOnceMax = 2
export const liveReadsWaitingMax = 4_096
/** Files that are sent as they are read, as fast as their readers take them. */
export const streamsAtOnceMax = 8

export class ReadGate {
  private readonly what: string
  private readonly atOnceMax: number
  private readonly waitingMax: number
  private atWork = 0
  private readonly waiting: (() => void)[] = []

  /** @param what is read, for the sentence that refuses one more */
  constructor(what: string, atOnceMax: number, waitingMax: number) {
    this.what = what
    this.atOnceMax = atOnceMax
    this.waitingMax = waitingMax
  }

  /** @throws ServerError `server-busy`. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    if (this.atWork >= this.atOnceMax) await this.place()
    else this.atWork++
    try {
      return await read()
    } finally {
      // A place that somebody waits for is handed on.
      const next = this.waiting.shift()
      if (next === undefined) this.atWork--
      else next()
    }
  }

  private place(): Promise<void> {
    const { what, atOnceMax, waitingMax } = this
    if (this.waiting.length >= waitingMax)
      throw new ServerError(
        'server-busy',
        `${atOnceMax} ${what} are at work and ${waitingMax} wait, which is the most allowed; send this again in a second`,
        { retryAfterSeconds: 1 },
      )
    return new Promise((resolve) => this.waiting.push(resolve))
  }
}
