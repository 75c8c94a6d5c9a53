// What is asked of every reported run, by its public face alone.

import { evaluatePlan } from '../../../protocol/plan.ts'
import type { Decision, DecisionKind } from '../../../protocol/vocabulary.ts'
import type { Made, ReportedJob } from '../reportedJob.ts'

export const made = (job: ReportedJob, kind: DecisionKind): readonly Made[] =>
  job.made.filter(({ decision }) => decision.kind === kind)

export const stepsOf = (job: ReportedJob, kind: DecisionKind): readonly number[] =>
  made(job, kind).map(({ decision }) => decision.step)

/** What was decided besides waiting, as `kind at step`. */
export const moves = (decisions: readonly Decision[], origin = 0): readonly string[] =>
  decisions.filter(({ kind }) => kind !== 'hold').map(({ kind, step }) => `${kind} at ${step - origin}`)

/** The rate of the last step over the highest of the run. */
export function lastRateShare(job: ReportedJob): number {
  const rates = job.taken.map(({ applied }) => applied)
  return rates.at(-1)! / rates.reduce((a, b) => Math.max(a, b), Number.MIN_VALUE)
}

/** Σ of applied rates from a step on. */
export const rateSum = (job: ReportedJob, fromStep = 0, toStep = Number.POSITIVE_INFINITY): number =>
  job.taken.reduce((sum, { step, applied }) => (step >= fromStep && step < toStep ? sum + applied : sum), 0)

/** Steps that were taken below nine tenths of the planned rate. */
export const stepsBelowPlan = (job: ReportedJob): number =>
  job.taken.filter(({ planned, applied }) => applied < 0.9 * planned).length

/** Where the plan that the job last heard of begins to anneal; null = it does not. */
export function plannedAnneal({ plan }: Pick<ReportedJob, 'plan'>): number | null {
  return plan.segments.find(({ phase }) => phase === 'anneal')?.fromStep ?? null
}

/** The planned rate once the budget is used up. */
export const rateAfter = ({ plan }: Pick<ReportedJob, 'plan'>, lastStep: number): number =>
  evaluatePlan(plan, lastStep).learningRate

/** Everything wrong with a run that should have been let take all its steps, and end annealed. */
export function wholeRunFaults(job: ReportedJob, stepCount: number): readonly string[] {
  const { lifecycle } = job.state
  return [
    ...(job.taken.length === stepCount ? [] : [`took ${job.taken.length} of ${stepCount} steps`]),
    ...(lifecycle === 'diverged' ? ['was called diverged'] : []),
    ...(lastRateShare(job) <= 0.05 ? [] : [`ended at ${lastRateShare(job)} of its highest rate`]),
  ]
}

/** Everything wrong with a healthy run: besides the above, a guard, an undo or a tripwire. */
export function healthyRunFaults(job: ReportedJob, stepCount: number): readonly string[] {
  const disturbed = (['guard', 'undo'] as const).flatMap((kind) =>
    stepsOf(job, kind).map((step) => `${kind} at ${step}`),
  )
  return [...wholeRunFaults(job, stepCount), ...disturbed, ...job.trips.map((step) => `trip at ${step}`)]
}

/** Switches that say that the rule asked for them, with fewer than its two hits. */
export const hastySwitches = (decisions: readonly Decision[]): readonly string[] =>
  decisions.flatMap((decision) => {
    const { test } = decision
    if (decision.kind !== 'switch' || test?.key !== 'marginal-cost' || !test.satisfied) return []
    // A switch that is forced is not one that the rule asked for, and says so.
    if (/deadline|fallback|command/.test(decision.reason.key)) return []
    return test.hits.met >= 2 ? [] : [`switch at ${decision.step} with ${test.hits.met} of ${test.hits.of}`]
  })
