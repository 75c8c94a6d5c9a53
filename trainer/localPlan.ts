// Plans that need no server: one read from a file, and the one that a run follows when it is given none.

import { readFileSync } from 'node:fs'
import { familyOf } from '../protocol/optimizers.ts'
import { planSchema } from '../protocol/schemas.ts'
import type { Plan } from '../protocol/vocabulary.ts'
import { fallbackAnnealShare, usualRate } from '../tuner/index.ts'
import type { OptimizerName } from './optimizers/optimizer.ts'
import { ownMomentum } from './optimizers/optimizers.ts'
import { UsageError } from './options.ts'

/** An optimizer as the server is told of it. */
export const optimizerInfo = (name: OptimizerName) => ({
  name,
  family: familyOf(name),
  momentum: ownMomentum[name],
  weightDecay: null,
})

/** The rate that most jobs with this optimizer use. */
export const localRate = (name: OptimizerName): number => usualRate(optimizerInfo(name))

/** The tuner's fallback plan: the rate held, then linear to 0 over the last 70 % of the steps; without a budget held for ever. */
export function localPlan(learningRate: number, budgetSteps: number | null, stepsMax: number): Plan {
  const switchStep =
    budgetSteps === null ? stepsMax : Math.max(1, Math.round(budgetSteps * (1 - fallbackAnnealShare)))
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

/** The plan in a file: JSON with `segments`, and `cadence` if it has one. @throws UsageError with a sentence. */
export function readSchedule(file: string): Plan {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new UsageError(`--schedule must name a JSON file, got ${file}: ${(cause as Error).message}`)
  }
  const { segments, cadence } = (parsed ?? {}) as { segments?: unknown; cadence?: unknown }
  const result = planSchema.safeParse({ version: 0, segments, ...(cadence === undefined ? {} : { cadence }) })
  if (result.success) return result.data as Plan
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.') || 'plan'}: ${message}`)
  throw new UsageError(
    `--schedule must name a file with a plan, got ${file}: ${issues.slice(0, 3).join('; ')}`,
  )
}
