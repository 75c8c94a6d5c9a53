// The one clock of the page: ticks each second while the page is seen, for "4 s ago" and countdowns.

import { signal } from '@preact/signals'

export const nowMs = signal(Date.now())

export function startClock(): void {
  const tick = () => {
    if (!document.hidden) nowMs.value = Date.now()
  }
  setInterval(tick, 1000)
  document.addEventListener('visibilitychange', tick)
}
