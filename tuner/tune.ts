// The decision engine as one pure function: tune(state, observation) → what the state becomes, which decisions
// were made, what is charted. No time, no chance, no input or output: the same log gives the same decisions
// byte for byte, wherever it is folded. Samples are folded one by one, so how they were batched makes no
// difference. Bad samples (NaN, infinite, late, repeated) never throw: they are counted and left out.
// Cost: O(1) per sample, under 2 ms per probe.

import { evaluatePlan } from '../protocol/plan.ts'
import type {
  Acknowledgement,
  Observation,
  Probe,
  SampleColumns,
  ValleyProbe,
} from '../protocol/vocabulary.ts'
import { handedBack, obeyed } from './commands.ts'
import { guardCheckpoints, rampShare } from './constants.ts'
import { bestAverage } from './estimators/averagedGap.ts'
import { blockSteps } from './estimators/blocks.ts'
import { lossSmoother } from './estimators/lossSmoother.ts'
import {
  divergenceSign,
  isCoolingDown,
  isProbeNormal,
  noDivergence,
  watchProbe,
  watchSample,
} from './guards/divergence.ts'
import { recovered } from './guards/recovery.ts'
import { canRace, nominalBudget, offers } from './options.ts'
import { evaluationDistance } from './planParts.ts'
import { formatRate, formatStep } from './sentences.ts'
import { readRegime, unknownRegime } from './signals/regime.ts'
import {
  chartPoint,
  chartPoints,
  foldLineProbe,
  foldSample,
  foldValleyProbe,
  initialSignals,
  readSignals,
  type Sample,
} from './signals/signals.ts'
import { type TuneResult, type TunerState, tunerVersion } from './state.ts'
import { finished, finishedAtProbe, followedIntoAnneal, isPatienceOver, steer } from './steering.ts'
import { asked, charted, decided, replanned, type Turn, updated, withdrawn } from './turn.ts'
import {
  armRestored,
  beginWarmup,
  foldWarmupProbe,
  foldWarmupSample,
  initialWarmup,
  lacksForRace,
  restoreFailed,
  warmupRule,
} from './warmup.ts'

/** The state before the first observation; the first observation must be `start`. */
export function initialState(): TunerState {
  return {
    tunerVersion,
    runId: '',
    options: {
      name: '',
      project: '',
      tags: [],
      framework: '',
      optimizer: { name: 'unknown', momentum: null },
      budgetSteps: null,
      mode: 'off',
      capabilities: [],
      learningRate: { initial: null, min: null, max: null },
      settings: {},
    },
    mode: 'off',
    budgetSteps: null,
    lifecycle: 'running',
    phase: 'warmup',
    phases: [{ phase: 'warmup', fromStep: 0, toStep: null }],
    step: 0,
    plan: { version: 0, segments: [] },
    actions: [],
    actionCount: 0,
    decisionCount: 0,
    largeLearningRate: null,
    switchStep: null,
    isUndone: false,
    validFromStep: 0,
    awaitedRestore: null,
    warmup: null,
    anneal: null,
    override: null,
    rewarm: null,
    rule: { satisfied: [], evaluatedAtStep: 0 },
    largeSteps: 0,
    signals: initialSignals(null),
    divergence: noDivergence,
    regime: unknownRegime('no samples yet'),
    learningRate: null,
    momentum: null,
    outlook: null,
    remark: null,
  }
}

/** Folds one observation. Never throws on what a run can send; observations come in the order of their numbers. */
export function tune(state: TunerState, observation: Observation): TuneResult {
  const turn = folded({ observation, state, decisions: [], readings: [] })
  return { state: turn.state, decisions: turn.decisions, readings: turn.readings }
}

function folded(turn: Turn): Turn {
  const { observation } = turn
  switch (observation.kind) {
    case 'start':
      return begun(turn, observation)
    case 'samples':
      return foldSamples(turn, observation.columns)
    case 'probe':
      return foldProbe(turn, observation.probe)
    case 'acknowledgement':
      return foldAcknowledgement(turn, observation.acknowledgement)
    case 'command':
      return obeyed(turn, observation.command)
  }
}

// ----------------------------------------------------------------------------------------------- the start

function begun(turn: Turn, { runId, options }: Extract<Observation, { kind: 'start' }>): Turn {
  const { budgetSteps, mode, learningRate } = options
  const base = updated(turn, { runId, options, mode, budgetSteps, signals: initialSignals(budgetSteps) })
  const searching = initialWarmup(base.state)
  const rampSteps = Math.max(1, Math.round(rampShare * nominalBudget(budgetSteps)))
  const isLarge = searching === null
  const started = updated(base, {
    warmup: searching ?? (mode === 'auto' ? { kind: 'ramp', untilStep: rampSteps } : null),
    phase: isLarge ? 'large' : 'warmup',
    phases: [{ phase: isLarge ? 'large' : 'warmup', fromStep: 0, toStep: null }],
    largeLearningRate: isLarge ? learningRate.initial : null,
    remark: lossOnlyRemark(options),
  })
  return decided(replanned(beginWarmup(started)), {
    kind: 'start',
    summary: startSummary(started.state),
    phaseBefore: started.state.phase,
    rule: warmupRule,
  })
}

function lossOnlyRemark(options: TunerState['options']): string | null {
  const hasProbes = offers(options, 'heldOutLoss') || offers(options, 'microBatchNorms')
  return hasProbes ? null : 'Only the loss is reported. Held-out probes would allow a measured switch.'
}

function startSummary({ warmup, mode, options, budgetSteps }: TunerState): string {
  const length = budgetSteps === null ? 'without a budget' : `for ${formatStep(budgetSteps)} steps`
  if (mode === 'off') return `Watching only, ${length}: signals are recorded, no advice is given.`
  if (mode === 'advisory') return `Advice only, ${length}: the job keeps its own rate.`
  if (warmup?.kind === 'range')
    return `Starting ${length} with a range test: the rate grows from ${formatRate(warmup.range.fromRate)} until the loss says stop.`
  if (warmup?.kind === 'race')
    return `Starting ${length} with a race: ${warmup.race.arms.map(({ learningRate }) => formatRate(learningRate)).join(', ')} from the same weights and batches.`
  const rate = options.learningRate.initial
  const reason = canRace(options) ? 'its budget and limits leave no room for a race' : lacksForRace
  return `Starting ${length} at the given rate${rate === null ? '' : ` ${formatRate(rate)}`}; ${reason}.`
}

// ---------------------------------------------------------------------------------------------- the samples

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

function foldSamples(turn: Turn, columns: SampleColumns): Turn {
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

// ----------------------------------------------------------------------------------------------- the probes

function foldProbe(turn: Turn, probe: Probe): Turn {
  const { state } = turn
  if (state.phase === 'done' || state.awaitedRestore !== null || probe.step < state.validFromStep) return turn
  // A probe counts the steps taken so far; a job may report it before any sample of the step it follows.
  const arrived = probe.step > state.step ? updated(turn, { step: probe.step }) : turn
  if (probe.kind === 'valley') return foldValley(arrived, probe)
  if (probe.kind === 'fork') return arrived
  const signals = foldLineProbe(state.signals, probe, state.learningRate)
  return watchedRegime(updated(arrived, { signals }))
}

function foldValley(turn: Turn, probe: ValleyProbe): Turn {
  const { state } = turn
  const { step } = probe
  const charts = [
    ...chartPoint('probeLoss', step, probe.raw.loss),
    ...chartPoint('probeAccuracy', step, probe.raw.accuracy ?? null),
    ...chartPoint('averagedLoss', step, bestAverage(probe)?.loss ?? null),
    ...chartPoint('averagedAccuracy', step, bestScore(probe)),
  ]
  const seen = charted(turn, charts)
  if (state.warmup !== null && state.warmup.kind !== 'ramp') return foldWarmupProbe(seen, probe)
  const next = updated(seen, {
    signals: foldValleyProbe(state.signals, probe, state.largeSteps),
    divergence: watchProbe(state.divergence, probe.raw.loss),
  })
  return afterProbe(watchedRegime(next), probe)
}

function bestScore(probe: ValleyProbe): number | null {
  const best = bestAverage(probe)
  return probe.averaged.find(({ windowSteps }) => windowSteps === best?.windowSteps)?.accuracy ?? null
}

function watchedRegime(turn: Turn): Turn {
  const { state } = turn
  const reading = readSignals(state.signals)
  const regime = readRegime(state.signals, reading, state.awaitedRestore !== null)
  return charted(updated(turn, { regime }), [
    ...chartPoints(reading, state.step),
    ...chartPoint('regimeIndex', state.step, regime.index),
    ...chartPoint('regimeIndexLow', state.step, regime.low),
    ...chartPoint('regimeIndexHigh', state.step, regime.high),
  ])
}

function afterProbe(turn: Turn, probe: ValleyProbe): Turn {
  const { state } = turn
  const sign = state.mode === 'auto' ? divergenceSign(state.divergence) : null
  if (sign !== null) return recovered(turn, sign)
  if (state.phase === 'anneal') {
    const end = state.mode === 'auto' ? state.anneal?.toStep : state.budgetSteps
    const isLast = end != null && probe.step >= end
    return isLast
      ? finishedAtProbe(turn, { last: probe.raw.loss, averaged: bestAverage(probe)?.loss ?? null })
      : saved(turn)
  }
  if (state.mode === 'off') return turn
  return saved(steer(turn))
}

/** Keeps the weights of a normal probe to come back to. */
function saved(turn: Turn): Turn {
  const { state } = turn
  const { divergence, step, largeSteps, phase, mode } = state
  if (
    phase === 'done' ||
    mode !== 'auto' ||
    !offers(state.options, 'checkpoint') ||
    !isProbeNormal(divergence)
  )
    return turn
  const last = divergence.checkpoints.at(-1)
  if (last !== undefined && step - last.step < nominalBudget(state.budgetSteps) / 100) return turn
  const used = divergence.checkpoints.map(({ name }) => name)
  const unused = Array.from({ length: guardCheckpoints }, (_, i) => `good-${i}`).find(
    (name) => !used.includes(name),
  )
  const name = unused ?? used[0]!
  const kept = divergence.checkpoints.filter((entry) => entry.name !== name)
  // A checkpoint under this name that was not made yet is not wanted any more.
  const free = withdrawn(turn, (action) => action.kind === 'checkpoint' && action.checkpoint === name)
  return updated(asked(free, [{ kind: 'checkpoint', atStep: step, checkpoint: name }]), {
    divergence: { ...divergence, checkpoints: [...kept, { name, step, largeSteps }] },
  })
}

// -------------------------------------------------------------------------------------- acknowledgements

function foldAcknowledgement(turn: Turn, acknowledgement: Acknowledgement): Turn {
  const { actionId, status, step, detail } = acknowledgement
  const action = turn.state.actions.find(({ id }) => id === actionId)
  if (action === undefined) return turn
  const next = updated(turn, { actions: turn.state.actions.filter(({ id }) => id !== actionId) })
  if (action.kind === 'restore') return restored(next, { actionId, isDone: status === 'done', step, detail })
  if (action.kind === 'checkpoint' && status !== 'done') return withoutCheckpoint(next, action.checkpoint)
  return next
}

function restored(
  turn: Turn,
  options: { actionId: string; isDone: boolean; step: number; detail: string },
): Turn {
  const { state } = turn
  const { actionId, isDone, step, detail } = options
  if (state.warmup !== null) return isDone ? armRestored(turn, step) : restoreFailed(turn, detail)
  const isAwaited = state.awaitedRestore === actionId
  const valid = updated(turn, {
    awaitedRestore: isAwaited ? null : state.awaitedRestore,
    validFromStep: Math.max(state.validFromStep, step),
  })
  const { rewarm } = valid.state
  if (!isAwaited || rewarm === null) return valid
  const length = rewarm.toStep - rewarm.fromStep
  return replanned(updated(valid, { rewarm: { ...rewarm, fromStep: step, toStep: step + length } }))
}

/** A checkpoint that could not be made is not one to go back to. */
function withoutCheckpoint(turn: Turn, name: string): Turn {
  const { divergence } = turn.state
  return updated(turn, {
    divergence: { ...divergence, checkpoints: divergence.checkpoints.filter((entry) => entry.name !== name) },
  })
}
