// Whether single keys are shortcuts (WCAG 2.1.4): who speaks to the computer, or rests a hand on the keys, switches them
// off. The choice is kept in the browser; where storage is refused it holds for this visit only.

import { signal } from '@preact/signals'

const key = 'twostep.singleKeys'
export const singleKeys = signal(true)

export function chooseSingleKeys(on: boolean): void {
  singleKeys.value = on
  try {
    localStorage.setItem(key, on ? 'on' : 'off')
  } catch {
    // Storage may be switched off; the choice then holds for this visit.
  }
}

export function startSingleKeys(): void {
  try {
    singleKeys.value = localStorage.getItem(key) !== 'off'
  } catch {
    // As above.
  }
}
