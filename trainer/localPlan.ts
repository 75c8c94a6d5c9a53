// The plan that a run follows when it is given none; one from a file: scheduleFile.ts.

import { familyOf } from '../protocol/optimizers.ts'
import type { Plan } from '../protocol/vocabulary.ts'
import { holdShare, usualRate } from '../tuner/index.ts'
import type { OptimizerName } from './optimizers/optimizer.ts'
import { ownMomentum } from './optimizers/optimizers.ts'

/** An optimizer as the server is told of it. */
export const optimizerInfo = (name: OptimizerName) => ({
  name,
  family: familyOf(name),
  momentum: ownMomentum[name],
  weightDecay: null,
})

/** The rate that most jobs with this optimizer use. */
export const localRate = (name: OptimizerName): number => usualRate(optimizerInfo(name))

/** The tuner's fallback plan: the rate held for 75 % of the steps, then linear to 0; without a budget held for ever. */
export function localPlan(learningRate: number, budgetSteps: number | null, stepsMax: number): Plan {
  const switchStep = budgetSteps === null ? stepsMax : Math.max(1, Math.round(holdShare * budgetSteps))
  const large = {
    fromStep: 0,
    toStep: switchStep,
    shape: 'constant',
    from: learningRate,
    to: learningRate,
    phase: 'large',
  } as const
  if (budgetSteps === null || switchStep >= budgetSteps) return { version: 0, segments: [large] }
  const anneal = {
    fromStep: switchStep,
    toStep: budgetSteps,
    shape: 'linear',
    from: learningRate,
    to: 0,
    phase: 'anneal',
  } as const
  return { version: 0, segments: [large, anneal] }
}
