// A schedule in a file, as a plan to follow without steering: what `twostep get schedule RUN --json` prints, applied and
// planned, or a bare plan ({"segments": […]}). An exported one is replayed from its first step on, which becomes step 0.

import { readFileSync } from 'node:fs'
import { planProblem, segmentRate } from '../protocol/plan.ts'
import { planSchema, scheduleSchema } from '../protocol/schemas.ts'
import type { Plan, Schedule, Segment } from '../protocol/vocabulary.ts'
import { UsageError } from './options.ts'

/** Steps of a curve already begun that are taken one by one. */
const curvedStepsMax = 1_000_000

export type GivenSchedule = {
  readonly plan: Plan
  /** Steps of the run that was exported; null = a bare plan, or a run that has not said. */
  readonly steps: number | null
}

type Issues = {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}

const sentences = ({ issues }: Issues) =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.join('.') || 'plan'}: ${message}`)
    .join('; ')

/** What is left of a segment from a step on. A curve that was begun has no shape of its own: it is taken step by step. */
function restOf(segment: Segment, step: number): Segment[] {
  const { fromStep, toStep, shape } = segment
  if (fromStep >= step) return [segment]
  if (shape === 'constant' || shape === 'linear' || shape === 'exponential')
    return [{ ...segment, fromStep: step, from: segmentRate(segment, step) }]
  if (toStep - step > curvedStepsMax)
    throw new RangeError(
      `planned: of a ${shape} at most ${curvedStepsMax} steps may be left, got ${toStep - step}`,
    )
  return Array.from({ length: toStep - step }, (_, i) => {
    const [from, to] = [segmentRate(segment, step + i), segmentRate(segment, step + i + 1)]
    return { ...segment, fromStep: step + i, toStep: step + i + 1, shape: 'linear', from, to }
  })
}

/** What was applied, each rate until the next that was reported. */
function appliedSegments({ applied, planned, step }: Schedule): Segment[] {
  // Beyond the present step the plan holds: what was reported from there on was too far ahead to be true.
  const spans = applied
    .filter(({ fromStep }) => planned.length === 0 || fromStep < step)
    .sort((a, b) => a.fromStep - b.fromStep)
  return spans.map(({ fromStep, toStep, learningRate, momentum }, i) => ({
    fromStep,
    toStep: spans[i + 1]?.fromStep ?? (planned.length === 0 ? toStep : step),
    shape: 'constant',
    from: learningRate,
    to: learningRate,
    ...(momentum === null ? {} : { momentum }),
  }))
}

/** What was planned from the present step on, also where the first segment begins later. */
function plannedSegments({ planned, step }: Schedule): Segment[] {
  const segments = planned.flatMap((segment) => restOf(segment, step))
  const [first] = segments
  if (first === undefined || first.fromStep <= step) return segments
  return [
    { ...first, fromStep: step, toStep: first.fromStep, shape: 'constant', to: first.from },
    ...segments,
  ]
}

function replayOf(schedule: Schedule): GivenSchedule {
  const { budgetSteps, step } = schedule
  const applied = appliedSegments(schedule)
  const planned = plannedSegments(schedule)
  const first = applied[0]?.fromStep ?? step
  const segments = [...applied, ...planned].map((segment) => ({
    ...segment,
    fromStep: segment.fromStep - first,
    toStep: segment.toStep - first,
  }))
  // Without a budget the plan has no end of its own.
  const counted = budgetSteps === null && planned.length > 0 ? applied : [...applied, ...planned]
  const end = counted.at(-1)?.toStep
  return { plan: { version: 0, segments }, steps: end === undefined ? null : end - first }
}

function barePlan(parsed: unknown): GivenSchedule {
  const { segments, cadence } = (parsed ?? {}) as { segments?: unknown; cadence?: unknown }
  const result = planSchema.safeParse({ version: 0, segments, ...(cadence === undefined ? {} : { cadence }) })
  if (!result.success) throw new RangeError(sentences(result.error))
  return { plan: result.data as Plan, steps: null }
}

function scheduleOf(parsed: unknown): GivenSchedule {
  if (typeof parsed !== 'object' || parsed === null || !('applied' in parsed)) return barePlan(parsed)
  const result = scheduleSchema.safeParse(parsed)
  if (!result.success) throw new RangeError(sentences(result.error))
  const replay = replayOf(result.data)
  const problem = planProblem(replay.plan)
  if (problem !== undefined) throw new RangeError(problem)
  return replay
}

/** @throws UsageError with a sentence, where the file cannot be read or holds no schedule. */
export function readSchedule(file: string): GivenSchedule {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new UsageError(
      `--schedule must name a JSON file, as \`twostep get schedule RUN --json\` prints it, got ${file}: ${(cause as Error).message}`,
    )
  }
  try {
    return scheduleOf(parsed)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new UsageError(
      `--schedule must name a file with a schedule or a plan, got ${file}: ${cause.message}`,
    )
  }
}
