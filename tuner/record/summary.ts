// What the run list and the head of the run page show, as far as the tuner knows it. The server adds what only
// it knows: ids, times, and whether telemetry has stopped.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { cost } from '../estimators/cost.ts'
import { lossSmoother } from '../estimators/lossSmoother.ts'
import { isSteering } from '../options.ts'
import { largeRateOf, phaseOf, switchStepOf, type TunerState } from '../state.ts'
import { isWithin } from './decision.ts'
import { evidenceOfRace } from './evidence.ts'
import { headline } from './headline.ts'
import { driftOf, isIgnored, outcomeOf } from './outcome.ts'

export type TunerSummary = Omit<RunSummary, 'id' | 'state' | 'createdAt' | 'lastSeenAt' | 'stepsPerSecond'>

/** Points of the small curve in the run list. */
const sparkPointsMax = 40

export function summaryOf(run: TunerState): TunerSummary {
  const { options, mode, regime, seen, budgetSteps, plan, phases, person, course } = run
  const { signals } = seen
  return {
    options,
    mode,
    phase: phaseOf(course),
    regime,
    step: seen.step,
    budgetSteps,
    headline: headline(run),
    loss: lossSmoother.read(signals.smoother),
    learningRate: seen.learningRate,
    largeLearningRate: largeRateOf(course),
    switchStep: appliedSwitch(run),
    ...(course.kind === 'search' ? { race: evidenceOfRace(course.race) } : {}),
    plan,
    phases,
    override: person.override,
    decisionCount: run.decisionCount,
    awaitingDecision: person.proposal?.number ?? null,
    ...cost.read(signals.cost),
    spark: sparkOf(signals.lossBlocks.blocks.map(({ mean }) => mean)),
    badSamples: signals.badSamples,
    drift: driftOf(run),
    outcome: outcomeOf(run),
    forecast: forecastOf(run),
    advice: adviceOf(run),
    branches: run.branches.map(({ actionId: _, ...branch }) => branch),
  }
}

/** What was promised when the anneal began, and what came of it. */
function forecastOf({ course }: TunerState): RunSummary['forecast'] {
  if ((course.kind !== 'anneal' && course.kind !== 'done') || course.promised === null) return null
  const { promised } = course
  const reached = course.kind === 'done' ? course.reached : null
  return { ...promised, reached, isInside: isWithin(promised, reached) }
}

/** The switch that the job has followed: one that it did not apply is none. */
function appliedSwitch(run: TunerState): number | null {
  const step = switchStepOf(run.course)
  return step === null || isIgnored(run, step) ? null : step
}

const adviceOf = ({ course, mode }: TunerState): RunSummary['advice'] =>
  !isSteering(mode) && course.kind === 'large' && course.advisedAtStep !== null
    ? { step: course.advisedAtStep, kind: 'switch' }
    : null

/** At most 40 of the block means, evenly spread, the first and the last among them. */
function sparkOf(means: readonly number[]): readonly number[] {
  if (means.length <= sparkPointsMax) return means
  return Array.from(
    { length: sparkPointsMax },
    (_, i) => means[Math.round((i * (means.length - 1)) / (sparkPointsMax - 1))]!,
  )
}
