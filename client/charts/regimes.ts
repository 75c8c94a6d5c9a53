// The stretches of a run by its measured regime, as the transitions tell them: from each to the next, and to the present step.

import type { Decision, RegimeName, RunSummary } from '../../protocol/vocabulary.ts'
import { firstStepOf } from './phases.ts'

export type RegimeStretch = { readonly name: RegimeName; readonly fromStep: number; readonly toStep: number }

/** Before the first transition the regime is unknown. */
export function regimeStretchesOf(
  run: Pick<RunSummary, 'options' | 'phases' | 'step'>,
  decisions: readonly Decision[],
): RegimeStretch[] {
  const changes = decisions.flatMap(({ step, transition }) =>
    transition === undefined ? [] : [{ name: transition.to, fromStep: step }],
  )
  const starts = [{ name: 'unknown' as const, fromStep: firstStepOf(run) }, ...changes]
  return starts
    .map((start, i) => ({ ...start, toStep: starts[i + 1]?.fromStep ?? run.step }))
    .filter(({ fromStep, toStep }) => toStep > fromStep)
}
