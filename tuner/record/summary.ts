// What the run list and the head of the run page show, as far as the tuner knows it. The server adds what only
// it knows: ids, times, and whether telemetry has stopped.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { cost } from '../estimators/cost.ts'
import { lossSmoother } from '../estimators/lossSmoother.ts'
import type { TunerState } from '../state.ts'
import { headline } from './headline.ts'

export type TunerSummary = Omit<RunSummary, 'id' | 'state' | 'createdAt' | 'lastSeenAt' | 'stepsPerSecond'>

/** Points of the small curve in the run list. */
const sparkPointsMax = 40

export function summaryOf(state: TunerState): TunerSummary {
  const {
    options,
    mode,
    phase,
    regime,
    step,
    budgetSteps,
    learningRate,
    largeLearningRate,
    switchStep,
    plan,
    phases,
    override,
  } = state
  return {
    options,
    mode,
    phase,
    regime,
    step,
    budgetSteps,
    headline: headline(state),
    loss: lossSmoother.read(state.signals.smoother).value,
    learningRate,
    largeLearningRate,
    switchStep,
    plan,
    phases,
    override,
    decisionCount: state.decisionCount,
    awaitingDecision: state.approval.pending?.number ?? null,
    ...cost.read(state.signals.cost),
    spark: sparkOf(state.signals.lossBlocks.blocks.map(({ mean }) => mean)),
    badSamples: { ...state.signals.badSamples, nonFiniteNorms: 0, skipped: 0, farAhead: 0 },
    drift: null,
    outcome: null,
    advice: null,
  }
}

/** At most 40 of the block means, evenly spread, the first and the last among them. */
function sparkOf(means: readonly number[]): readonly number[] {
  if (means.length <= sparkPointsMax) return means
  return Array.from(
    { length: sparkPointsMax },
    (_, i) => means[Math.round((i * (means.length - 1)) / (sparkPointsMax - 1))]!,
  )
}
