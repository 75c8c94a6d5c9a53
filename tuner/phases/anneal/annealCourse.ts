// The course of an anneal: where its rate stands at a step. A function of values; the plan is made in planParts.ts.

import { segmentRate } from '../../../protocol/plan.ts'
import { annealShape, segment } from '../../plan/segments.ts'
import type { AnnealState } from '../../state.ts'

/** Whether an anneal begun for this reason ends before the budget, because more steps would memorise. */
export const isShort = (reason: AnnealState['reason']): boolean =>
  reason === 'overfitting' || reason === 'memorising'

/** The share of its first rate that the anneal has at a step. */
export function annealRateShare(anneal: AnnealState, step: number, budgetSteps: number | null): number {
  const { fromStep, fromRate } = anneal.rest ?? anneal
  const { toStep } = anneal
  const shape = annealShape(toStep - fromStep, budgetSteps)
  return (
    segmentRate(segment('anneal', { fromStep, toStep, from: fromRate, to: 0, shape }), step) / anneal.fromRate
  )
}
