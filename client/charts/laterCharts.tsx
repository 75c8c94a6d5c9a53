// The charts of a run, loaded when the first run is opened: the list of runs needs none of them. Until they are there their
// place is kept.

import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import type { RunChartsProps } from './runCharts.tsx'

const charts = signal<ComponentType<RunChartsProps> | 'failed' | null>(null)

/** Also called before the run is known, so that nothing waits for both one after the other. */
export async function loadCharts(): Promise<void> {
  if (typeof charts.peek() === 'function') return
  try {
    charts.value = (await import('./runCharts.tsx')).RunCharts
  } catch {
    charts.value = 'failed'
  }
}

export function LaterCharts(props: RunChartsProps) {
  const Charts = charts.value
  if (Charts !== null && Charts !== 'failed') return <Charts {...props} />
  return (
    <section class="card charts" aria-busy={Charts === null}>
      {Charts === 'failed' && (
        <p class="bar-words" role="alert">
          The charts could not be loaded.{' '}
          <button type="button" class="link" onClick={() => void loadCharts()}>
            Try again
          </button>
        </p>
      )}
    </section>
  )
}
