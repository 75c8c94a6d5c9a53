// Time that passes only when everything at work has come to rest: the next thing that falls due is called, what it sets in
// motion runs to where it waits again, and so on. So a history of hours takes milliseconds, and the same seed gives the same one.

import { nextLoopTurn } from './loopTurn.ts'

type Due = { readonly at: number; readonly serial: number; readonly callback: () => void }

/** Turns of the event loop without a sign of life, after which nothing is at work. */
const quietTurns = 3

export class VirtualTime {
  /** Milliseconds since the beginning. */
  now = 0
  private serial = 0
  private signs = 0
  private atWork = 0
  /** In order. */
  private readonly due: Due[] = []

  /** Calls back once after so many milliseconds; the returned function cancels. */
  after(milliseconds: number, callback: () => void): () => void {
    this.signs++
    const entry = { at: this.now + Math.max(0, milliseconds), serial: this.serial++, callback }
    let index = this.due.length
    while (index > 0 && this.due[index - 1]!.at > entry.at) index--
    this.due.splice(index, 0, entry)
    return () => {
      const found = this.due.indexOf(entry)
      if (found >= 0) this.due.splice(found, 1)
    }
  }

  /** Says that something has moved on: time waits for it. */
  sign(): void {
    this.signs++
  }

  /** Time stands still until it has ended, however many turns of the loop that takes. */
  work<T>(task: Promise<T>): Promise<T> {
    this.atWork++
    return task.finally(() => {
      this.atWork--
      this.signs++
    })
  }

  private async rest(): Promise<void> {
    let seen = -1
    for (let quiet = 0; quiet < quietTurns || this.atWork > 0; quiet++) {
      if (this.signs !== seen) quiet = 0
      seen = this.signs
      await nextLoopTurn()
    }
  }

  /** Lets time pass until the condition holds (true), or nothing is due any more or so much time has passed (false). */
  async until(condition: () => boolean, milliseconds: number): Promise<boolean> {
    const end = this.now + milliseconds
    for (;;) {
      await this.rest()
      if (condition()) return true
      const next = this.due[0]
      if (next === undefined || next.at > end) {
        this.now = end
        return false
      }
      this.due.shift()
      this.now = Math.max(this.now, next.at)
      next.callback()
    }
  }
}
