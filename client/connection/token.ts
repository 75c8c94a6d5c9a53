// The token that the page comes with, where a server demands one: kept for this tab or in this browser, as the person
// chooses, sent in a header alone, and never in an address.

import { signal } from '@preact/signals'
import type { Problem } from '../../protocol/vocabulary.ts'
import { basePath } from './base.ts'

// Of two servers under paths of one host each has its own.
const key = `twostep.token${basePath}`

/** Why the server lets the page in no more, or never did; null = it does. */
export const refusal = signal<Problem | null>(null)

function kept(): string | null {
  try {
    return sessionStorage.getItem(key) ?? localStorage.getItem(key)
  } catch {
    // Storage may be switched off: then a token cannot be kept.
    return null
  }
}
let token = typeof sessionStorage === 'undefined' ? null : kept()

export const heldToken = (): string | null => token

/** The header that goes with every call. */
export const authorization = (secret = token): Record<string, string> =>
  secret === null ? {} : { authorization: `Bearer ${secret}` }

/** Keeps a token until the tab is closed, or for good. False = the browser does not keep anything. */
export function keepToken(secret: string, how: 'tab' | 'browser'): boolean {
  try {
    forgetToken()
    if (how === 'browser') localStorage.setItem(key, secret)
    else sessionStorage.setItem(key, secret)
    token = secret
    return true
  } catch {
    return false
  }
}

export function forgetToken(): void {
  token = null
  sessionStorage.removeItem(key)
  localStorage.removeItem(key)
}

/** To be told of every failure: one for want of a token stands over the page. */
export function noteRefusal(problem: Problem): void {
  if (problem.status === 401) refusal.value = problem
}
