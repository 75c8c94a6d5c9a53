// What to do now, for a job or a person that only asks: the plan evaluated at the run's step.

import { evaluatePlan } from '../../protocol/plan.ts'
import type { Decision, Recommendation, RunSummary } from '../../protocol/vocabulary.ts'

/** Pure. `lastDecision` is the newest decision as stored. */
export function recommendationOf(run: RunSummary, lastDecision: string | undefined): Recommendation {
  const decision = lastDecision === undefined ? undefined : (JSON.parse(lastDecision) as Decision)
  const { learningRate, momentum } = evaluatePlan(run.plan, run.step)
  return {
    runId: run.id,
    step: run.step,
    learningRate,
    momentum,
    plan: run.plan,
    phase: run.phase,
    regime: run.regime,
    confidence: decision?.test?.probability ?? null,
    reason: run.headline,
    status: run.regime.index === null ? 'insufficient-evidence' : 'recommended',
  }
}
