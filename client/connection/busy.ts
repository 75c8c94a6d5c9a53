// A server that has no room for a read now says when to come again. The page does, and says so only where it goes on.

import { signal } from '@preact/signals'
import type { Answer } from './read.ts'

/** An answer of the server; `againMs`: it was refused at a bound, and may be asked again after that. */
export type Called = Answer<unknown> & { readonly againMs?: number }

/** So long a read is asked again; then its refusal stands. */
const patienceMs = 60_000
/** A shorter wait is not worth a word. */
export const busyShownAfterMs = 5_000
const pauseMsMax = 10_000

/** Reads that the server has refused for longer than that, and that are asked again. */
export const busyReads = signal(0)

/** When a refused read may come again, in milliseconds; undefined = it was not refused at a bound, or says no time. */
export function againAfter(code: string, headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  const isBusy = code === 'server-busy' || code === 'run-busy'
  return isBusy && seconds > 0 ? Math.min(pauseMsMax, 1_000 * seconds) : undefined
}

/** Asks until there is room, with a little chance between the tries, so that all who were refused do not come at once. */
export async function untilRoom(ask: () => Promise<Called>): Promise<Answer<unknown>> {
  let waited = 0
  let isTold = false
  try {
    for (;;) {
      const answer = await ask()
      if (answer.ok || answer.againMs === undefined || waited >= patienceMs) return answer
      const pause = answer.againMs * (1 + 0.3 * Math.random())
      await new Promise((resolve) => setTimeout(resolve, pause))
      waited += pause
      if (!isTold && waited >= busyShownAfterMs) {
        isTold = true
        busyReads.value += 1
      }
    }
  } finally {
    if (isTold) busyReads.value -= 1
  }
}
