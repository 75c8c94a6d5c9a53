// Folds samples one by one, so how they were batched makes no difference: cleans what the job reports, hands it
// to the signals and the guard, and then asks what may have to be decided at this step (the end, a search, a
// divergence, an anneal that the plan has begun). Bad samples (NaN, infinite, late, repeated) never throw: they
// are counted and left out. Cost: O(1) per sample.

import { evaluatePlan } from '../protocol/plan.ts'
import type { SampleColumns, ValleyProbe } from '../protocol/vocabulary.ts'
import { evaluationDistance } from './cadence.ts'
import { handedBack } from './commands.ts'
import { blockSteps } from './estimators/blocks.ts'
import { lossSmoother } from './estimators/lossSmoother.ts'
import { finished } from './finish.ts'
import { divergenceSign, isCoolingDown, watchSample } from './guards/divergence.ts'
import { recovered } from './guards/recovery.ts'
import { nominalBudget, offers } from './options.ts'
import { watchedRivals } from './rivals/counterfactuals.ts'
import { formatStep } from './sentences.ts'
import { chartPoint, foldSample, foldValleyProbe, type Sample } from './signals/signals.ts'
import type { TunerState } from './state.ts'
import { steer } from './steering.ts'
import { followedIntoAnneal, isPatienceOver } from './switching.ts'
import { charted, type Turn, updated } from './turn.ts'
import { foldWarmupSample } from './warmup.ts'

type Row = { readonly columns: SampleColumns; readonly index: number }

const at = (column: readonly (number | null)[] | undefined, index: number): number | null =>
  column?.[index] ?? null

/** An entry within [min, max], where what the job reports enters the state as it is; anything else is not known. */
function within(
  column: readonly (number | null)[] | undefined,
  index: number,
  [min, max]: readonly [number, number],
): number | null {
  const value = at(column, index)
  return value !== null && value >= min && value <= max ? value : null
}

/** Above this a rate or a batch size is a mistake, and sums of it might not stay finite. */
const reportedMax = 1e12
const momentumMax = 1 - Number.EPSILON
/** One step counts for at most so many large ones, whatever rate is reported. */
const largeStepsPerStepMax = 100

function sampleAt({ columns, index }: Row): Sample {
  return {
    step: columns.step[index]!,
    loss: at(columns.loss, index),
    learningRate: within(columns.learningRate, index, [0, reportedMax]),
    momentum: within(columns.momentum, index, [0, momentumMax]),
    gradientNormSquared: at(columns.gradientNormSquared, index),
    microGradientNormSquared: at(columns.microGradientNormSquared, index),
    batchSize: within(columns.batchSize, index, [1, reportedMax]),
    microBatchSize: within(columns.microBatchSize, index, [1, reportedMax]),
    stepSeconds: at(columns.stepSeconds, index),
    signalSeconds: at(columns.signalSeconds, index),
  }
}

export function foldSamples(turn: Turn, columns: SampleColumns): Turn {
  let next = turn
  for (let index = 0; index < columns.step.length; index++) next = foldOne(next, sampleAt({ columns, index }))
  return next
}

function foldOne(turn: Turn, sample: Sample): Turn {
  const { state } = turn
  if (sample.step < state.step) return updated(turn, { signals: withLate(state, sample.step) })
  const signals = foldSample(state.signals, sample)
  const learningRate = sample.learningRate ?? rateAssumed(state, sample.step)
  const isValid = state.awaitedRestore === null && sample.step >= state.validFromStep
  const isSteered = state.warmup === null || state.warmup.kind === 'ramp'
  const reference = state.largeLearningRate ?? learningRate
  const next: Turn = {
    ...turn,
    state: {
      ...state,
      signals,
      learningRate,
      momentum: sample.momentum ?? state.momentum,
      step: sample.step + 1,
      largeSteps:
        isValid &&
        isSteered &&
        learningRate !== null &&
        reference !== null &&
        reference > 0 &&
        state.phase !== 'done'
          ? state.largeSteps + Math.min(learningRate / reference, largeStepsPerStepMax)
          : state.largeSteps,
      divergence:
        isValid &&
        isSteered &&
        state.mode === 'auto' &&
        state.phase !== 'done' &&
        !isCoolingDown(state.divergence, sample.step, nominalBudget(state.budgetSteps))
          ? watchSample(state.divergence, {
              loss: sample.loss,
              gradientNorm:
                sample.gradientNormSquared === null ? null : Math.sqrt(sample.gradientNormSquared),
            })
          : state.divergence,
      rivals:
        isValid && sample.loss !== null
          ? watchedRivals(state, {
              kind: 'step',
              step: sample.step,
              loss: sample.loss,
              weightNormSquared: null,
            })
          : state.rivals,
    },
  }
  const smoothed = signals.lossBlocks.blocks === state.signals.lossBlocks.blocks ? next : chartedBlock(next)
  return afterSample(smoothed, sample)
}

/** A job that does not tell its rate is taken to follow the plan; where it goes its own way, nothing is known. */
function rateAssumed({ mode, plan, learningRate }: TunerState, step: number): number | null {
  return mode === 'auto' ? evaluatePlan(plan, step).learningRate : learningRate
}

function withLate(state: TunerState, step: number): TunerState['signals'] {
  const { badSamples } = state.signals
  const isRepeated = step === state.step - 1
  return {
    ...state.signals,
    badSamples: isRepeated
      ? { ...badSamples, repeated: badSamples.repeated + 1 }
      : { ...badSamples, outOfOrder: badSamples.outOfOrder + 1 },
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
  if (state.mode !== 'auto' || state.awaitedRestore !== null) return blockProbed(turn)
  const sign = divergenceSign(state.divergence)
  if (sign !== null) return recovered(turn, sign)
  if (phase === 'anneal') return turn
  const plannedStep = plannedAnnealPassed(state)
  if (plannedStep !== null) return followedIntoAnneal(turn, plannedStep)
  if (isPatienceOver(state) && override === null) return followedIntoAnneal(turn, step)
  return blockProbed(turn)
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
  if (anneal === null || mode !== 'auto') return budgetSteps
  return anneal.toStep + (offers(options, 'heldOutLoss') ? blockSteps(budgetSteps) : 0)
}

function atEnd(turn: Turn): Turn {
  const { anneal, step, mode } = turn.state
  const used = anneal === null || mode !== 'auto' ? ': the budget is used up' : ''
  const kept = mode === 'auto' ? '; the last weights are kept' : ''
  return finished(turn, { keep: 'last', summary: `Finished at step ${formatStep(step)}${used}${kept}.` })
}
