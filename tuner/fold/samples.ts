// Folds samples one by one, so how they were batched makes no difference: cleans what the job reports, hands it
// to the signals and the guard, and then asks what may have to be decided at this step (the end, a search, a
// divergence, an anneal that the plan has begun). Bad samples (NaN, infinite, late, repeated) never throw: they
// are counted and left out. Cost: O(1) per sample.

import { evaluatePlan } from '../../protocol/plan.ts'
import type { SampleColumns, ValleyProbe } from '../../protocol/vocabulary.ts'
import { blockSteps } from '../estimators/blocks.ts'
import { lossSmoother } from '../estimators/lossSmoother.ts'
import { divergenceSign, isCoolingDown, sampleSign, watchSample } from '../guard/divergence.ts'
import { recovered } from '../guard/recovery.ts'
import { type Moving, stateWith } from '../moving.ts'
import { isSteering, nominalBudget, offers } from '../options.ts'
import { fallenBack, unansweredExpired } from '../person/approval.ts'
import { fallbackStep, followedIntoAnneal, isPatienceOver } from '../phases/anneal/switching.ts'
import { finished } from '../phases/done.ts'
import { steer } from '../phases/large/steering.ts'
import { foldWarmupSample } from '../phases/search/warmup.ts'
import { charted, type Turn, updated } from '../phases/settle.ts'
import { evaluationDistance } from '../plan/cadence.ts'
import { formatStep } from '../record/sentences.ts'
import { watchedRivals } from '../rivals/counterfactuals.ts'
import { chartPoint, foldSample, foldValleyProbe, type Sample } from '../signals/signals.ts'
import type { TunerState } from '../state.ts'
import { handedBack } from './commands.ts'

type Column = readonly (number | null)[] | undefined

const at = (column: Column, index: number): number | null => column?.[index] ?? null

/** An entry within [min, max], where what the job reports enters the state as it is; anything else is not known. */
function within(column: Column, index: number, { min, max }: { min: number; max: number }): number | null {
  const value = at(column, index)
  return value !== null && value >= min && value <= max ? value : null
}

/** Beyond these a rate, a momentum or a batch size is a mistake, and sums of it might not stay finite. */
const rates = { min: 0, max: 1e12 } as const
const momenta = { min: 0, max: 1 - Number.EPSILON } as const
const batchSizes = { min: 1, max: 1e12 } as const
/** One step counts for at most so many large ones, whatever rate is reported. */
const largeStepsPerStepMax = 100

const sampleAt = (columns: SampleColumns, index: number): Sample => ({
  step: columns.step[index]!,
  loss: at(columns.loss, index),
  learningRate: within(columns.learningRate, index, rates),
  momentum: within(columns.momentum, index, momenta),
  gradientNormSquared: at(columns.gradientNormSquared, index),
  microGradientNormSquared: at(columns.microGradientNormSquared, index),
  preconditionedGradientNormSquared: at(columns.preconditionedGradientNormSquared, index),
  preconditionedMicroGradientNormSquared: at(columns.preconditionedMicroGradientNormSquared, index),
  batchSize: within(columns.batchSize, index, batchSizes),
  microBatchSize: within(columns.microBatchSize, index, batchSizes),
  stepSeconds: at(columns.stepSeconds, index),
  signalSeconds: at(columns.signalSeconds, index),
})

/**
 * The usual sample moves seven fields and decides nothing. So those are folded by themselves, and a whole state is
 * made of them only where something may have to be decided: that is three times as fast.
 */
export function foldSamples(turn: Turn, columns: SampleColumns): Turn {
  let settled = turn
  let moving: Moving = turn.state
  let quietUntil = quietUntilStep(turn.state)
  for (let index = 0; index < columns.step.length; index++) {
    const sample = sampleAt(columns, index)
    const { blocks } = moving.signals.lossBlocks
    const isLate = sample.step < moving.step
    moving = isLate ? withLate(moving, sample.step) : moved(settled.state, moving, sample)
    const isBlockEnd = moving.signals.lossBlocks.blocks !== blocks
    const isQuiet = !isBlockEnd && moving.step < quietUntil && sampleSign(moving.divergence) === null
    if (isLate || isQuiet) continue
    const next = withMoved(settled, moving)
    settled = afterSample(isBlockEnd ? chartedBlock(next) : next, sample)
    moving = settled.state
    quietUntil = quietUntilStep(settled.state)
  }
  return moving === settled.state ? settled : withMoved(settled, moving)
}

const withMoved = (turn: Turn, moving: Moving): Turn => ({ ...turn, state: stateWith(turn.state, moving) })

/** The moving fields after a sample; the others are those of `state`. */
function moved(state: TunerState, moving: Moving, sample: Sample): Moving {
  const learningRate = sample.learningRate ?? rateAssumed(state, moving, sample.step)
  const isValid = state.awaitedRestore === null && sample.step >= state.validFromStep
  const isSteered = state.warmup === null || state.warmup.kind === 'ramp'
  const isCounted = isValid && isSteered && state.phase !== 'done'
  const reference = state.largeLearningRate ?? learningRate
  const isWatched =
    isCounted && !isCoolingDown(moving.divergence, sample.step, nominalBudget(state.budgetSteps))
  const { gradientNormSquared } = sample
  return {
    signals: foldSample(moving.signals, sample),
    learningRate,
    momentum: sample.momentum ?? moving.momentum,
    step: sample.step + 1,
    largeSteps:
      isCounted && learningRate !== null && reference !== null && reference > 0
        ? moving.largeSteps + Math.min(learningRate / reference, largeStepsPerStepMax)
        : moving.largeSteps,
    divergence: isWatched
      ? watchSample(moving.divergence, {
          loss: sample.loss,
          gradientNorm: gradientNormSquared === null ? null : Math.sqrt(gradientNormSquared),
        })
      : moving.divergence,
    rivals:
      isValid && sample.loss !== null
        ? watchedRivals(
            state,
            { kind: 'step', step: sample.step, loss: sample.loss, weightNormSquared: null },
            moving,
          )
        : moving.rivals,
  }
}

/** A job that does not tell its rate is taken to follow the plan; where it goes its own way, nothing is known. */
function rateAssumed({ mode, plan }: TunerState, { learningRate }: Moving, step: number): number | null {
  return isSteering(mode) ? evaluatePlan(plan, step).learningRate : learningRate
}

function withLate(moving: Moving, step: number): Moving {
  const { signals, learningRate, momentum, largeSteps, divergence, rivals } = moving
  const { badSamples } = signals
  const isRepeated = step === moving.step - 1
  const counted = isRepeated
    ? { ...badSamples, repeated: badSamples.repeated + 1 }
    : { ...badSamples, outOfOrder: badSamples.outOfOrder + 1 }
  return {
    signals: { ...signals, badSamples: counted },
    learningRate,
    momentum,
    step: moving.step,
    largeSteps,
    divergence,
    rivals,
  }
}

/** The smoothed loss is charted once a block. */
function chartedBlock(turn: Turn): Turn {
  const { signals, step } = turn.state
  return charted(turn, chartPoint('lossSmoothed', step - 1, lossSmoother.read(signals.smoother).value))
}

/** What may have to be decided once a sample is folded. */
function afterSample(turn: Turn, sample: Sample): Turn {
  const { state } = turn
  const { phase, warmup, override, step } = state
  if (phase === 'done') return turn
  const end = endStepOf(state)
  if (end !== null && step >= end) return atEnd(turn)
  if (override !== null && step >= override.untilStep) return handedBack(turn, ', as its last step has come')
  if (warmup !== null) return foldWarmupSample(turn, sample)
  if (!isSteering(state.mode) || state.awaitedRestore !== null) return blockProbed(turn)
  const sign = divergenceSign(state.divergence)
  if (sign !== null) return recovered(turn, sign)
  if (phase === 'anneal') return turn
  const plannedStep = plannedAnnealPassed(state)
  if (plannedStep !== null) return followedIntoAnneal(turn, plannedStep)
  const timely = unansweredExpired(turn)
  if (isPatienceOver(state) && override === null) return fallenBack(timely)
  return blockProbed(timely)
}

/**
 * Up to this step `afterSample` has nothing to do, unless a sign of divergence comes or a block of losses ends.
 * Whatever it is taught to do at a step belongs here as well; too small a number costs time, and no more.
 */
function quietUntilStep(state: TunerState): number {
  const { phase, warmup, override, mode, awaitedRestore, budgetSteps, plan, signals, approval } = state
  if (phase === 'done') return Infinity
  if (warmup !== null && warmup.kind !== 'ramp') return 0
  const { blocks, blockSteps: block } = signals.lossBlocks
  const last = blocks.at(-1)
  const ends = [endStepOf(state) ?? Infinity, override?.untilStep ?? Infinity, warmup?.untilStep ?? Infinity]
  if (last !== undefined && last.step + block >= state.step) ends.push(last.step + block)
  if (isSteering(mode) && awaitedRestore === null) {
    if (divergenceSign(state.divergence) !== null) return 0
    if (phase === 'large' && budgetSteps !== null) ends.push(fallbackStep(state, budgetSteps))
    ends.push(approval.pending?.expiresAtStep ?? Infinity)
    const anneal = plan.segments.find((segment) => segment.phase === 'anneal')
    if (phase !== 'anneal' && anneal !== undefined) ends.push(anneal.fromStep)
  }
  return Math.min(...ends)
}

/** The client follows its plan: where that says anneal, the run is annealing, whatever we have decided since. */
function plannedAnnealPassed({ plan, step, override }: TunerState): number | null {
  if (override !== null) return null
  const first = plan.segments.find(({ phase }) => phase === 'anneal')
  return first !== undefined && step > first.fromStep ? first.fromStep : null
}

/** Without held-out probes the block means of the training loss stand in for P, at the probes' distance. */
function blockProbed(turn: Turn): Turn {
  const { state } = turn
  if (
    offers(state.options, 'heldOutLoss') ||
    !offers(state.options, 'microBatchNorms') ||
    state.phase !== 'large'
  )
    return turn
  const blocks = state.signals.lossBlocks.blocks
  const last = blocks.at(-1)
  const isNew = last !== undefined && state.step === last.step + state.signals.lossBlocks.blockSteps
  if (!isNew || state.step - state.rule.evaluatedAtStep < evaluationDistance(state)) return turn
  const recent = blocks.slice(-3)
  const loss = recent.reduce((sum, block) => sum + block.mean, 0) / recent.length
  return steer(updated(turn, { signals: foldBlockProbe(state, loss) }))
}

function foldBlockProbe(state: TunerState, loss: number): TunerState['signals'] {
  const probe: ValleyProbe = {
    kind: 'valley',
    step: state.step,
    set: 'train',
    examples: 1,
    seconds: 0,
    raw: { loss },
    averaged: [],
  }
  return foldValleyProbe(state.signals, probe, state.largeSteps)
}

/**
 * Where the run ends without a last probe: at the end of the anneal, or of the budget where there is none. A
 * last probe that was asked for is waited for one block longer, in case samples overtake it.
 */
function endStepOf({ anneal, budgetSteps, options, mode }: TunerState): number | null {
  if (anneal === null || !isSteering(mode)) return budgetSteps
  return anneal.toStep + (offers(options, 'heldOutLoss') ? blockSteps(budgetSteps) : 0)
}

function atEnd(turn: Turn): Turn {
  const { anneal, step, mode } = turn.state
  const used = anneal === null || !isSteering(mode) ? ': the budget is used up' : ''
  const kept = isSteering(mode) ? '; the last weights are kept' : ''
  return finished(turn, { keep: 'last', summary: `Finished at step ${formatStep(step)}${used}${kept}.` })
}
