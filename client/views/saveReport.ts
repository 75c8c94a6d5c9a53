// Saves a run's report: one HTML file, made here from what the page knows and the schedule that the server writes as code.

import { fetchSchedule } from '../connection/api.ts'
import { runState } from '../state/runPage.ts'
import type { Outcome } from './formParts.tsx'

/** The form of the schedule for a job's framework. */
export function formatFor(framework: string): 'keras' | 'optax' | 'transformers' | 'pytorch' {
  const name = framework.toLowerCase()
  if (name.includes('keras')) return 'keras'
  if (name.includes('jax') || name.includes('optax') || name.includes('flax')) return 'optax'
  return name.includes('transformers') || name.includes('hugging') ? 'transformers' : 'pytorch'
}

export async function saveReport(): Promise<Outcome> {
  const { run, decisions, series } = runState.peek()
  if (run === null) return { ok: false, words: 'The run is not loaded yet.' }
  const format = formatFor(run.options.framework)
  try {
    const [{ reportOf }, { drawing }, { download }, schedule] = await Promise.all([
      import('./report/report.ts'),
      import('./report/drawing.ts'),
      import('../charts/export/saveChart.ts'),
      fetchSchedule(run.id, format),
    ])
    const code = schedule.ok ? schedule.value : `# Not available: ${schedule.problem.detail}`
    const madeAt = new Date().toISOString()
    const source = { run, decisions, series, code, format, madeAt, address: location.href, draw: drawing }
    download(new Blob([reportOf(source)], { type: 'text/html' }), `${run.id}-report.html`)
    return { ok: true, words: 'Saved: one file that needs no server.' }
  } catch {
    return { ok: false, words: 'The report could not be made: load the page anew.' }
  }
}
