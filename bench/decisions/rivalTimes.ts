// Rivals as a single switch: the step at which each first lowers its rate on the observations of a trace, and from
// there a linear anneal to the end of the budget. What they do afterwards is in the closed-loop rows.

import { createPolicy, type PolicyName } from '../rivals/policies.ts'
import { rivalProbeShare } from '../traces/closedLoop.ts'
import type { TraceRun } from '../traces/format.ts'
import type { TimeRow } from './timeRows.ts'
import type { Choice } from './truth.ts'

const switching: readonly PolicyName[] = [
  'ReduceLROnPlateau',
  'ReduceLROnPlateau, patience 2',
  'GreedyLR',
  'dlib slope, short',
  'SASA+, short',
  'ABEL',
]

/** When a policy first lowers its rate. */
export function policyChoice(name: PolicyName, run: TraceRun): Choice {
  const { budgetSteps } = run
  const policy = createPolicy(name, { initialRate: run.rate, budgetSteps, seed: run.seed })
  const norms = new Map(run.columns.weightNormSquared?.step.map((step, index) => [step, index]))
  const normAt = (step: number) => {
    const index = norms.get(step)
    return index === undefined ? null : run.columns.weightNormSquared!.value[index]!
  }
  const valleys = run.probes.filter((probe) => probe.kind === 'valley')
  let probed = 0
  let next = 0
  for (let step = 0; step < run.loss.length && policy.firstLoweredStep === null; step++) {
    policy.rateFor(step)
    policy.observeLoss(step, run.loss[step]!, normAt(step))
    while (next < valleys.length && valleys[next]!.step <= step) {
      const { step: at, raw } = valleys[next++]!
      if (at - probed < rivalProbeShare * budgetSteps) continue
      probed = at
      policy.observeProbe(at, raw.loss)
    }
    policy.rateFor(step + 1)
  }
  const at = policy.firstLoweredStep
  return at === null || at >= budgetSteps ? 'never' : { switchStep: Math.max(at, 1), finishStep: budgetSteps }
}

export const rivalTimeRows: readonly TimeRow[] = switching.map((name) => ({
  name: `${name}, as a switch`,
  choicesOf: (_, run) => [policyChoice(name, run)],
}))
