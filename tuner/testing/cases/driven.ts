// Drives a reported job along a stream: what each step, and each evaluation, reports.

import type { Command } from '../../../protocol/vocabulary.ts'
import type { Row } from '../reportedBatch.ts'
import { ReportedJob, type Scores } from '../reportedJob.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'

export type Stream = {
  readonly loss: (step: number, rate: number) => number | null
  /** What else a step reports. */
  readonly columns?: (step: number, rate: number) => Omit<Row, 'loss'>
  /** Evaluations: each so many steps, or as the plan asks (where it does not, each `otherwise` steps). */
  readonly evaluated?: {
    readonly every: number | 'asked'
    readonly otherwise?: number
    readonly at: (step: number, rate: number) => Scores | null
  }
  /** Only each so many steps are reported. */
  readonly everySteps?: number
}

export type Course = {
  readonly fromStep?: number
  readonly toStep: number
  /** Nothing is sent nor heard from a step until another. */
  readonly cutOff?: { readonly fromStep: number; readonly toStep: number }
  readonly commands?: Readonly<Record<number, Command>>
}

/** Whether an evaluation is due once so many steps are taken, and whether its answer is wanted at once. */
function isDue(job: ReportedJob, { evaluated, everySteps = 1 }: Stream, stepCount: number): boolean {
  if (evaluated === undefined) return false
  if (evaluated.every !== 'asked') {
    // Of a job that reports each so many steps: the first report after the evaluation was due.
    const dueCount = (count: number) => Math.floor(count / Number(evaluated.every))
    return dueCount(stepCount) > dueCount(stepCount - everySteps)
  }
  const every = job.plan.cadence?.valleySteps ?? evaluated.otherwise ?? 50
  return stepCount % every === 0 || job.plan.awaitAtStep === stepCount
}

/** Takes the steps of a course, or as many as the job is let take. */
export function driven(job: ReportedJob, stream: Stream, course: Course): ReportedJob {
  const { fromStep = 0, toStep, cutOff, commands } = course
  const { everySteps = 1, evaluated } = stream
  for (let step = fromStep; step < toStep && !job.isFinished; step += everySteps) {
    if (step === cutOff?.fromStep) job.isCutOff = true
    if (step === cutOff?.toStep) {
      job.isCutOff = false
      job.flush()
    }
    const command = commands?.[step]
    if (command !== undefined) job.command(command)
    const rate = job.rateAt(step)
    job.step(step, { loss: stream.loss(step, rate), ...stream.columns?.(step, rate) })
    const scores = isDue(job, stream, step + 1) ? evaluated!.at(step + 1, rate) : null
    if (scores !== null) job.probe(step + 1, scores)
    if (scores !== null && evaluated!.every === 'asked') job.flush()
  }
  job.isCutOff = false
  job.flush()
  return job
}

/** A whole run of so many steps, of its budget where that is known. */
export function reportedRun(
  options: ReportedJobOptions,
  stream: Stream,
  course: Partial<Course> = {},
): ReportedJob {
  const fromStep = course.fromStep ?? 0
  const toStep = course.toStep ?? fromStep + (options.budgetSteps ?? 0)
  return driven(new ReportedJob(options), stream, { ...course, fromStep, toStep })
}
