// Virtual time for tests: nothing happens until the test says how much time passes.

import type { Clock } from '../clock.ts'

export type FakeClock = Clock & {
  /** Lets time pass and calls what falls due, in order. */
  advance(milliseconds: number): void
  /** Sets the clock on the wall, as a person or the network does: no time passes. */
  set(now: number): void
}

export function createFakeClock(start = Date.UTC(2025, 0, 1)): FakeClock {
  let time = 0
  let wall = start
  let serial = 0
  const waiting = new Map<number, { readonly at: number; readonly callback: () => void }>()
  return {
    now: () => wall + time,
    monotonic: () => time,
    set: (now) => {
      wall = now - time
    },
    after: (milliseconds, callback) => {
      const id = ++serial
      waiting.set(id, { at: time + milliseconds, callback })
      return () => waiting.delete(id)
    },
    advance: (milliseconds) => {
      const end = time + milliseconds
      for (;;) {
        const next = [...waiting].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0]
        if (next === undefined) break
        waiting.delete(next[0])
        time = Math.max(time, next[1].at)
        next[1].callback()
      }
      time = end
    },
  }
}
