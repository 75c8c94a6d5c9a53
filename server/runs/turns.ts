// Long reads are cut into pieces, and there is one piece, whosever it is, per turn of the event loop: so batches, other
// connections and timers come between any two of them, however many readers there are.

/** A piece ends at the first pause after so long. */
export const pieceMilliseconds = 4

/** To be awaited between two parts of a read. */
export type Pause = () => Promise<void>

export class Turns {
  private readonly monotonic: () => number
  private readonly waiting: (() => void)[] = []

  /** @param monotonic milliseconds of a clock that is never set */
  constructor(monotonic: () => number) {
    this.monotonic = monotonic
  }

  /** Resolves when the first piece of a read may be done. */
  async begin(): Promise<Pause> {
    await this.next()
    let startedAt = this.monotonic()
    return async () => {
      if (this.monotonic() - startedAt < pieceMilliseconds) return
      await this.next()
      startedAt = this.monotonic()
    }
  }

  private next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      if (this.waiting.length === 1) setImmediate(() => this.turn())
    })
  }

  private turn(): void {
    const resolve = this.waiting[0]!
    // The next one is called in the next turn, after input was looked at.
    if (this.waiting.length > 1) setImmediate(() => this.turn())
    this.waiting.shift()
    resolve()
  }
}
