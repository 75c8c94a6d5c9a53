// The stretches of a run by phase: behind the present step as the server recorded them, ahead as planned.
// The page's x axis ends at the budget, or at the plan's end, or a little ahead of a run without either.

import { endOfBudget } from '../../protocol/plan.ts'
import type { Phase, RunSummary, Segment } from '../../protocol/vocabulary.ts'

export type Stretch = {
  readonly phase: Phase
  readonly fromStep: number
  readonly toStep: number
  readonly planned: boolean
}

/** The run's first step: a job may count from any. */
export const firstStepOf = ({ options, phases }: Pick<RunSummary, 'options' | 'phases'>): number =>
  options.firstStep ?? phases[0]?.fromStep ?? 0

/** Steps taken since the first one. */
export const elapsedOf = (run: Pick<RunSummary, 'options' | 'phases' | 'step'>): number =>
  Math.max(0, run.step - firstStepOf(run))

const planEndOf = ({ plan }: Pick<RunSummary, 'plan'>): number => plan.segments.at(-1)?.toStep ?? 0

type Timed = Pick<RunSummary, 'budgetSteps' | 'options' | 'phases' | 'plan' | 'step' | 'state'>

/**
 * One past the last step of the budget; null = there is no budget. A plan may know the end better: of a job that did not tell
 * where its counter begins.
 */
export const endStepOf = (run: Timed): number | null =>
  run.budgetSteps === null ? null : Math.max(endOfBudget(firstStepOf(run), run.budgetSteps), planEndOf(run))

/** The last step that the x axis shows. */
export function lastStepOf(run: Timed): number {
  const first = firstStepOf(run)
  const end = endStepOf(run)
  if (run.state === 'finished' || (run.state === 'diverged' && end === null))
    return Math.max(first + 1, run.step)
  if (end !== null) return Math.max(end, run.step, first + 1)
  const elapsed = elapsedOf(run)
  const planEnd = planEndOf(run)
  const near = planEnd - first <= elapsed * 4 ? planEnd : 0
  return Math.max(near, first + Math.ceil(elapsed * 1.1), first + 10)
}

/** A segment's phase; a plan that does not say so anneals where the rate goes down to its end. */
function phaseOf(segment: Segment, fallback: Phase): Phase {
  return segment.phase ?? (segment.to < segment.from ? 'anneal' : fallback)
}

/** All stretches in order of step: recorded ones up to the present step, planned ones after it. */
export function stretchesOf(run: RunSummary): Stretch[] {
  const end = lastStepOf(run)
  const stretches: Stretch[] = []
  for (const span of run.phases) {
    const toStep = Math.min(span.toStep ?? run.step, run.step)
    if (span.phase !== 'done' && toStep > span.fromStep)
      stretches.push({ phase: span.phase, fromStep: span.fromStep, toStep, planned: false })
  }
  if (run.state === 'finished' || run.state === 'diverged') return stretches
  for (const segment of run.plan.segments) {
    const fromStep = Math.max(segment.fromStep, run.step)
    const toStep = Math.min(segment.toStep, end)
    if (toStep <= fromStep) continue
    const phase = phaseOf(segment, run.phase === 'done' ? 'anneal' : run.phase)
    const before = stretches.at(-1)
    if (before?.planned && before.phase === phase && before.toStep === fromStep)
      stretches[stretches.length - 1] = { ...before, toStep }
    else stretches.push({ phase, fromStep, toStep, planned: true })
  }
  return stretches
}

/** The step at which warm-up ended; 0 while it lasts (then everything is shown), or when there was none. */
export function warmupEndOf(run: Pick<RunSummary, 'phases'>): number {
  return run.phases.find(({ phase }) => phase === 'warmup')?.toStep ?? 0
}

/** Where the fitted part of a run begins: after warm-up, or at its newer half while warm-up is longer than that. */
export const settledStepOf = (run: Pick<RunSummary, 'options' | 'phases' | 'step'>): number =>
  Math.min(warmupEndOf(run), firstStepOf(run) + elapsedOf(run) / 2)

/** The step at which the plan starts to anneal, if that is still ahead; null otherwise. */
export function plannedSwitchOf(run: RunSummary): number | null {
  if (run.phase === 'anneal' || run.phase === 'done') return null
  const anneal = stretchesOf(run).find((stretch) => stretch.planned && stretch.phase === 'anneal')
  return anneal !== undefined && anneal.fromStep > run.step ? anneal.fromStep : null
}
