// A process that can be killed at any moment: what it waits for then never comes, so none of its code runs again.

import type { VirtualTime } from './virtualTime.ts'

export class Life {
  private readonly time: VirtualTime
  private readonly cancels = new Set<() => void>()
  isOver = false
  /** Resolves when it is over. */
  readonly over: Promise<void>
  private tellOver: () => void = () => {}

  constructor(time: VirtualTime) {
    this.time = time
    this.over = new Promise((resolve) => {
      this.tellOver = resolve
    })
  }

  /** As VirtualTime.after, while it lives. */
  after(milliseconds: number, callback: () => void): () => void {
    if (this.isOver) return () => {}
    const cancel = this.time.after(milliseconds, () => {
      this.cancels.delete(cancel)
      callback()
    })
    this.cancels.add(cancel)
    return () => {
      this.cancels.delete(cancel)
      cancel()
    }
  }

  /** Says that it is at work: time waits for it. */
  sign(): void {
    if (!this.isOver) this.time.sign()
  }

  /** Resolves after so many milliseconds, or when the signal ends it. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve()
        return
      }
      const wake = () => {
        cancel()
        signal?.removeEventListener('abort', wake)
        if (this.isOver) return
        this.time.sign()
        resolve()
      }
      const cancel = this.after(milliseconds, wake)
      signal?.addEventListener('abort', wake)
    })
  }

  /** What comes from outside, as long as there is somebody to hear of it. */
  heard<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const alive = (tell: () => void) => () => {
        if (this.isOver) return
        this.time.sign()
        tell()
      }
      promise.then(
        (value) => alive(() => resolve(value))(),
        (error) => alive(() => reject(error))(),
      )
    })
  }

  end(): void {
    this.isOver = true
    for (const cancel of this.cancels) cancel()
    this.cancels.clear()
    this.tellOver()
  }
}
