// A job without training (../reportedJob.ts) that reports to a server over HTTP as any other does: what it has to say next
// becomes a batch of telemetry, and it hears the answer before it says more.

import type { Plan, RunAnswer, TelemetryAnswer } from '../../protocol/vocabulary.ts'
import { ReportedJob, startOf } from '../reportedJob.ts'

async function post<T>(url: string, body: object): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${text}`)
  return JSON.parse(text) as T
}

export type HttpJobOptions = {
  readonly url: string
  readonly runId: string
  readonly budgetSteps: number
  readonly batchSteps: number
}

export class HttpJob {
  readonly #telemetry: string
  readonly #job: ReportedJob
  #plan: Plan
  #sequence = 0

  static async start({ url, runId, budgetSteps, batchSteps }: HttpJobOptions): Promise<HttpJob> {
    const options = { budgetSteps, batchSteps, seed: 1 }
    const start = startOf(options)
    if (start.kind !== 'start') throw new Error('a run begins with its start')
    const runs = `${url}/api/v1/runs`
    const { plan, actions } = await post<RunAnswer>(runs, { ...start.options, runId, name: runId })
    const job = new ReportedJob(options, { plan, actions })
    return new HttpJob(`${runs}/${runId}/telemetry`, job, plan)
  }

  private constructor(telemetry: string, job: ReportedJob, plan: Plan) {
    this.#telemetry = telemetry
    this.#job = job
    this.#plan = plan
  }

  get step(): number {
    return this.#job.step
  }

  get isFinished(): boolean {
    return this.#job.isFinished
  }

  /** Says what it has to say until a step is reached. */
  async reportUntil(step: number): Promise<void> {
    while (this.step < step && !this.isFinished) await this.#say(step)
  }

  async #say(untilStep: number): Promise<void> {
    const next = this.#job.next(untilStep)
    const said =
      next.kind === 'samples'
        ? { steps: next.columns, planVersion: this.#plan.version }
        : next.kind === 'probe'
          ? { probes: [next.probe] }
          : next.kind === 'acknowledgement'
            ? { acknowledgements: [next.acknowledgement] }
            : {}
    this.#sequence++
    const batch = { clientId: 'job', sequence: this.#sequence, ...said }
    const answer = await post<TelemetryAnswer>(this.#telemetry, batch)
    this.#plan = answer.plan
    this.#job.hear(answer)
  }
}
