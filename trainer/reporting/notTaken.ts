// Why a message was not taken, as a sentence that is true of it: nobody answered, what answered speaks another protocol (a
// portal, a proxy), or the server refused it. In each case the message is kept; only the pause before the next try differs.

import type { Reply } from './transport.ts'

const isTransient = (status: number): boolean =>
  status >= 500 || status === 408 || status === 425 || status === 429

export class NotTaken extends Error {
  /** The same again would be answered the same, until somebody changes something. */
  readonly isRefusal: boolean
  readonly retryAfterMs: number

  constructor(message: string, isRefusal: boolean, retryAfterSeconds: number | null = null) {
    super(message)
    this.isRefusal = isRefusal
    this.retryAfterMs = (retryAfterSeconds ?? 0) * 1_000
  }
}

/** @throws NotTaken of a reply that is none of success. */
export function checkTaken({ status, body, retryAfterSeconds }: Reply): void {
  if (isTransient(status)) throw new NotTaken(`status ${status}`, false, retryAfterSeconds)
  if (status < 400) return
  const { detail, title } = (body ?? {}) as { detail?: string; title?: string }
  throw new NotTaken(`${status}: ${detail ?? title ?? 'no reason given'}`, true, retryAfterSeconds)
}

/** The parsed answer. @throws NotTaken: what is no answer of ours says nothing about what was stored. */
export function answerOf<T>(parsed: T | TypeError): T {
  if (parsed instanceof TypeError) throw new NotTaken(parsed.message, false)
  return parsed
}

/** Why, and where reports are meanwhile. */
export function notTakenSentence(cause: unknown, place: string): string {
  const reason = reasonOf(cause)
  return cause instanceof NotTaken && cause.isRefusal
    ? `the server refused the report (${reason}): training goes on, ${place}, and are tried again now and then`
    : `the server cannot be reached (${reason}): training follows its last plan, ${place}`
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return (cause.cause instanceof Error && cause.cause.message) || cause.message
}
