// The log of a run that would have reported what somebody tells of it. Where probes come without the steps between them,
// the clock is moved by steps of which nothing else is known, near enough to each other to be believed.

import type { RecommendRequest } from '../../protocol/schemas.ts'
import type { Capability, Observation, Probe, SampleColumns } from '../../protocol/vocabulary.ts'
import { observationsOf } from '../runs/observationsOf.ts'

/** The tuner believes a step that comes so many after the last, or half of those taken so far. */
const believedSteps = 100
const believedShare = 0.5

/** Steps from the first on that lead to the step before each probe. */
function clockOf(firstStep: number, probes: readonly Probe[]): number[] {
  const steps = [firstStep]
  const targets = probes.map(({ step }) => step - 1).sort((a, b) => a - b)
  for (const target of targets) {
    for (let at = steps.at(-1)!; at < target; at = steps.at(-1)!) {
      const reach = Math.max(believedSteps, Math.floor(believedShare * (at - firstStep)))
      steps.push(Math.min(target, at + reach))
    }
  }
  return steps
}

/** What a job can do that has measured this. */
export function capabilitiesOf(probes: readonly Probe[]): Capability[] {
  const valley = probes.flatMap((probe) => (probe.kind === 'valley' ? [probe] : []))
  return [
    ...(valley.some(({ set }) => set === 'held-out') ? (['heldOutLoss'] as const) : []),
    ...(valley.some(({ averaged }) => averaged.length > 0) ? (['averagedWeights'] as const) : []),
    ...(probes.some(({ kind }) => kind === 'line') ? (['lineProbe'] as const) : []),
  ]
}

const hasNorms = (steps: SampleColumns | undefined) => steps?.microGradientNormSquared !== undefined

/** The capabilities of the whole request. */
export const offeredBy = ({ steps, probes = [] }: RecommendRequest): Capability[] => [
  ...capabilitiesOf(probes),
  ...(hasNorms(steps) ? (['microBatchNorms'] as const) : []),
]

/** The observations that follow the start; none if nothing was told. */
export function reportedBy(request: RecommendRequest, head: Pick<Observation, 'receivedAt'>): Observation[] {
  const { firstStep, steps, probes = [] } = request
  if (steps === undefined && probes.length === 0) return []
  const columns = steps ?? { step: clockOf(firstStep ?? 0, probes) }
  const bodies = observationsOf({ clientId: 'asker', sequence: 1, steps: columns, probes })
  return bodies.map((body, i): Observation => ({ ...body, ...head, number: i + 2 }))
}
