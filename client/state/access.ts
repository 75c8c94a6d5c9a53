// What the page may do here: asked once, when it starts. Until it is known everything is offered; the server has the last
// word anyway.

import { signal } from '@preact/signals'
import type { Access, Scope } from '../../protocol/vocabulary.ts'
import { fetchAccess } from '../connection/api.ts'

/** Null = not known yet. */
export const access = signal<Access | null>(null)

export async function loadAccess(): Promise<void> {
  const answer = await fetchAccess()
  if (answer.ok) access.value = answer.value
}

export function may(scope: Scope): boolean {
  const held = access.value?.caller?.scopes
  return held === undefined || held.includes('admin') || held.includes(scope)
}

/** Why nothing can be steered from here; null = it can. */
export const whyNotControl = (): string | null =>
  may('control') ? null : may('read') ? 'Your token can read only.' : 'Your token does not allow this.'
