// The plan as a function of the state: whatever changed (a decision, an override, the budget), the plan is made
// anew from what is known now, so there is one place that says what a client is asked to do.

import type { Segment, Tripwire } from '../../protocol/vocabulary.ts'
import {
  raceLossRiseFactor,
  rangeAwaitSteps,
  switchRemainingMin,
  tripwireLossFactor,
  tripwireNormFactor,
  tripwireRateFactor,
} from '../constants.ts'
import { lossSmoother } from '../estimators/lossSmoother.ts'
import { riseLimit } from '../estimators/riseLimit.ts'
import { conservativeRate, isSteering, momentumOf } from '../options.ts'
import type { TunerState } from '../state.ts'
import { cadenceOf, evaluationDistance } from './cadence.ts'
import {
  annealSegments,
  armSegments,
  fallbackSwitchStep,
  type Horizon,
  largeSegments,
  overrideSegments,
  type PlanParts,
  rangeSegments,
  segment,
} from './segments.ts'

const horizonOf = (state: TunerState): Horizon => ({
  step: state.step,
  budgetSteps: state.budgetSteps,
  momentum: momentumOf(state.options),
})

export function planParts(state: TunerState): PlanParts {
  const segments = courseOf(state)
  const { override, step, phase } = state
  const steered =
    override === null
      ? segments
      : overrideSegments(horizonOf(state), {
          learningRate: override.learningRate,
          untilStep: override.untilStep,
          phase,
          after: segments,
        })
  return {
    segments: steered,
    tripwire: tripwireOf(state),
    cadence: cadenceOf(state),
    awaitAtStep: awaitStepOf(state, step),
  }
}

/** The tuner's own course, before a person's override. In advisory mode that is the job's own rate, held. */
function courseOf(state: TunerState): readonly Segment[] {
  const horizon = horizonOf(state)
  const { step, phase, warmup, anneal } = state
  if (!isSteering(state.mode)) {
    const rate = state.learningRate ?? conservativeRate(state.options)
    return [
      segment(phase === 'done' ? 'done' : 'large', {
        fromStep: step,
        toStep: step + 1,
        from: rate,
        to: rate,
      }),
    ]
  }
  if (phase === 'done')
    return [segment('done', { fromStep: step, toStep: step + 1, from: 0, to: 0 }, horizon.momentum)]
  if (warmup?.kind === 'range') return rangeSegments(horizon, warmup.range, conservativeRate(state.options))
  if (warmup?.kind === 'race' && warmup.race.current !== null) {
    const { arm, fromStep, toStep } = warmup.race.current
    const { learningRate: rate } = warmup.race.arms[arm]!
    return armSegments(horizon, { rate, fromStep, toStep })
  }
  if (anneal !== null) {
    const { fromStep, fromRate } = anneal.rest ?? anneal
    return annealSegments(horizon, { fromStep, toStep: anneal.toStep, rate: fromRate })
  }
  const rate = state.largeLearningRate ?? conservativeRate(state.options)
  const ramp = rampOf(state, rate)
  if (ramp === null) return largeSegments(horizon, { rate, switchStep: plannedSwitchStep(state) })
  const after = largeSegments(
    { ...horizon, step: ramp.toStep },
    { rate, switchStep: plannedSwitchStep(state) },
  )
  return [segment('large', { ...ramp, to: rate }, horizon.momentum), ...after]
}

function rampOf(state: TunerState, rate: number): { from: number; fromStep: number; toStep: number } | null {
  const { warmup, rewarm, step } = state
  if (rewarm !== null && rewarm.toStep > step)
    return { from: rewarm.fromRate, fromStep: rewarm.fromStep, toStep: rewarm.toStep }
  if (warmup?.kind === 'ramp') return { from: rate / 10, fromStep: 0, toStep: warmup.untilStep }
  return null
}

/**
 * Where the plan puts the anneal: at the step that the evidence points to, but not before the next probe can
 * be judged; without evidence where the fallback plan has it. Where a person must approve, at the last moment.
 */
export function plannedSwitchStep(state: TunerState): number | null {
  const { step, budgetSteps, mode, outlook, isUndone } = state
  if (budgetSteps === null) return null
  const deadline = deadlineStep(step, budgetSteps)
  if (mode === 'approve') return deadline
  const patience = step + 2 * evaluationDistance(state) + 1
  const fallback = isUndone ? deadline : fallbackSwitchStep(step, budgetSteps)
  return Math.min(Math.max(outlook?.earliestStep ?? fallback, patience), deadline)
}

/** The switch is forced here: the last tenth of the budget begins. */
export const deadlineStep = (step: number, budgetSteps: number): number =>
  Math.max(step, Math.floor((1 - switchRemainingMin) * budgetSteps))

function tripwireOf(state: TunerState): Tripwire | null {
  const { warmup, signals, largeLearningRate, anneal, phase } = state
  if (!isSteering(state.mode) || phase === 'done') return null
  if (warmup?.kind === 'range')
    return { lossAbove: null, gradientNormAbove: null, thenLearningRate: warmup.range.fromRate }
  if (warmup?.kind === 'race' && warmup.race.current !== null) {
    const { learningRate } = warmup.race.arms[warmup.race.current.arm]!
    const { lossFirst } = warmup.race
    return {
      lossAbove: lossFirst === null ? null : riseLimit(lossFirst, raceLossRiseFactor),
      gradientNormAbove: null,
      thenLearningRate: learningRate * tripwireRateFactor * tripwireRateFactor,
    }
  }
  // After a search the smoothed loss begins afresh: until its first sample the blocks alone say where the loss is.
  const levels = [lossSmoother.read(signals.smoother).value, signals.lossBlocks.blocks.at(-1)?.mean ?? null]
  const known = levels.filter((level) => level !== null)
  const rate = anneal?.fromRate ?? largeLearningRate ?? conservativeRate(state.options)
  const { normMean, normCount } = state.divergence
  return {
    lossAbove: known.length === 0 ? null : riseLimit(Math.max(...known), tripwireLossFactor),
    gradientNormAbove: normCount < 20 ? null : tripwireNormFactor * normMean,
    thenLearningRate: rate * tripwireRateFactor,
  }
}

/** Where a client that can afford it waits for the answer. */
function awaitStepOf(state: TunerState, step: number): number | null {
  const { warmup, anneal, phase, budgetSteps } = state
  if (!isSteering(state.mode) || phase === 'done') return null
  if (warmup?.kind === 'range') return Math.min(nextAwaitStep(step), warmup.range.toStep)
  if (warmup?.kind === 'race') return warmup.race.current?.toStep ?? null
  return anneal?.toStep ?? budgetSteps
}

/** In the range test the job asks each ten steps. */
export const nextAwaitStep = (step: number): number =>
  (Math.floor(step / rangeAwaitSteps) + 1) * rangeAwaitSteps
