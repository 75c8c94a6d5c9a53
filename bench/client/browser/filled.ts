// Data for the parts, sent over the real wire; what is there already is not sent again.

import { call } from '../../../e2e/fixtures/api.ts'
import type { RunList, RunSummary } from '../../../protocol/vocabulary.ts'
import { random } from '../../../tuner/testing/random.ts'
import { HttpJob } from '../httpJob.ts'

export const storedRunId = 'long'
const batchSteps = 1_000

/** One run with samples at every step, probes at the plan's cadence, and the decisions that follow. */
export async function fillStoredRun(url: string, steps: number): Promise<void> {
  const { status, body } = await call<RunSummary>(url, 'GET', `/runs/${storedRunId}`)
  if (status === 200 && body.step >= steps - 1) return
  if (status === 200) await call(url, 'DELETE', `/runs/${storedRunId}`)
  const job = await HttpJob.start({ url, runId: storedRunId, budgetSteps: steps, batchSteps })
  await job.reportUntil(steps)
}

/** The digits in the name of a run of the list: eight of them, drawn. */
export const digitsOf = (index: number): string =>
  Math.floor(random(index + 1)() * 1e8)
    .toString()
    .padStart(8, '0')

const atOnce = 4

/** Runs that have reported a little, named by drawn digits. */
export async function fillManyRuns(url: string, runs: number): Promise<void> {
  const { body } = await call<RunList>(url, 'GET', '/runs?limit=1')
  const steps = Array.from({ length: 20 }, (_, step) => step)
  let next = body.all
  const work = async () => {
    while (next < runs) {
      const index = next++
      const runId = `run-${index}`
      const options = { runId, name: `job ${digitsOf(index)}`, project: 'many', budgetSteps: 1_000 }
      await call(url, 'POST', '/runs', { ...options, tags: [index % 2 === 0 ? 'even' : 'odd'] })
      const columns = {
        step: steps,
        loss: steps.map((step) => 2 / (1 + step)),
        learningRate: steps.map(() => 0.1),
      }
      await call(url, 'POST', `/runs/${runId}/telemetry`, { clientId: 'job', sequence: 1, steps: columns })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}
