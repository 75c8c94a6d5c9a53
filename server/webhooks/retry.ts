// What a try makes of a delivery: it is over, or due again after a wait that grows fourfold up to six hours, with a fifth of chance in it so
// that a receiver that comes back is not met by all at once. Pure; chance is an argument.

import type { Attempt, StoredDelivery } from '../storage/webhooks.ts'

export const firstWaitMilliseconds = 5_000
const growth = 4
const waitMillisecondsMax = 6 * 3_600_000
const jitter = 0.2
/** Over about a day. */
export const triesMax = 10
/** Of a message that the receiver reads and does not want (400 … 499): others of the run wait behind it. */
export const refusedTriesMax = 4
/** What is older is given up when its next try fails. */
export const ageMillisecondsMax = 3 * 86_400_000

export type Outcome =
  | { readonly taken: true; readonly status: number }
  | { readonly taken: false; readonly status: number | null; readonly error: string }

/** These say "later", not "no". */
const passing: readonly number[] = [408, 409, 425, 429]
const isRefusal = (status: number | null) =>
  status !== null && status >= 400 && status < 500 && !passing.includes(status)

/** @param chance in [0, 1) */
export function attemptAfter(
  { attempts, at }: Pick<StoredDelivery, 'attempts' | 'at'>,
  outcome: Outcome,
  now: number,
  chance: number,
): Attempt & { readonly state: 'waiting' | 'delivered' | 'failed' } {
  const tried = { attempts: attempts + 1, lastAt: now, status: outcome.status }
  if (outcome.taken) return { ...tried, state: 'delivered', error: '', nextAt: null }
  const { status, error } = outcome
  const most = isRefusal(status) ? refusedTriesMax : triesMax
  if (tried.attempts >= most || now - at >= ageMillisecondsMax)
    return { ...tried, state: 'failed', error, nextAt: null }
  const wait = Math.min(waitMillisecondsMax, firstWaitMilliseconds * growth ** attempts)
  const nextAt = Math.round(now + wait * (1 + jitter * (2 * chance - 1)))
  return { ...tried, state: 'waiting', error, nextAt }
}
