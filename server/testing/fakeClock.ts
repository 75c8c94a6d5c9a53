// Virtual time for tests: nothing happens until the test says how much time passes.

import type { Clock } from '../clock.ts'

export type FakeClock = Clock & {
  /** Lets time pass and calls what falls due, in order. */
  advance(milliseconds: number): void
}

export function createFakeClock(start = Date.UTC(2025, 0, 1)): FakeClock {
  let time = start
  let serial = 0
  const waiting = new Map<number, { readonly at: number; readonly callback: () => void }>()
  return {
    now: () => time,
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
