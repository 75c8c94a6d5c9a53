// Plans that need no server: one read from a file, and the one that a run follows when it is given none.

import { readFileSync } from 'node:fs'
import { planSchema } from '../protocol/schemas.ts'
import type { Plan } from '../protocol/vocabulary.ts'
import type { OptimizerName } from './optimizers/optimizer.ts'
import { UsageError } from './options.ts'

/** The usual first rate of each optimizer on tasks of this size. */
export const usualRate: Readonly<Record<OptimizerName, number>> = { sgd: 0.1, momentum: 0.02, adam: 0.001 }

/** Share of the budget that the plan without steering anneals over. */
export const localAnnealShare = 0.45

/** The rate held, then 45 % of the steps linear to 0; without a budget held for ever. */
export function localPlan(learningRate: number, budgetSteps: number | null, stepsMax: number): Plan {
  const switchStep =
    budgetSteps === null ? stepsMax : Math.max(1, Math.round(budgetSteps * (1 - localAnnealShare)))
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
