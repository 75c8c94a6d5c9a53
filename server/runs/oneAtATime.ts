// Work that a server does for one request at a time, because it takes much of the processor or a run's memory: another
// request is told to come back, and the server's end breaks it off.

import { ServerError } from '../errors.ts'

export class OneAtATime {
  private readonly what: string
  private readonly retryAfterSeconds: number
  private atWork: Promise<unknown> | undefined
  private readonly ending = new AbortController()

  /** @param what is at work, for the sentence that refuses the next */
  constructor(what: string, retryAfterSeconds: number) {
    this.what = what
    this.retryAfterSeconds = retryAfterSeconds
  }

  /**
   * @param task given a signal that says that the server ends
   * @throws ServerError `server-busy`.
   */
  async run<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.atWork !== undefined) {
      const { what, retryAfterSeconds } = this
      throw new ServerError(
        'server-busy',
        `${what} is at work, and one at a time is allowed; send this again in ${retryAfterSeconds} seconds`,
        { retryAfterSeconds, closeConnection: true },
      )
    }
    const work = task(this.ending.signal)
    this.atWork = work
    try {
      return await work
    } finally {
      this.atWork = undefined
    }
  }

  /** Resolves when the task at work, if any, has ended. */
  async stop(): Promise<void> {
    this.ending.abort()
    await this.atWork?.catch(() => {})
  }
}
