// The start of a run: the state before the first observation, and what the first one, with the run's options,
// makes of it: a search for the large rate, a ramp to a given one, or watching only.

import type { Observation } from '../../protocol/vocabulary.ts'
import { rampShare } from '../constants.ts'
import { noDivergence } from '../guard/divergence.ts'
import { canRace, conservativeRate, isSteering, nominalBudget, offers } from '../options.ts'
import { initialSequentialTest } from '../phases/large/sequentialTest.ts'
import { lacksForRace, warmupRule } from '../phases/search/largeStart.ts'
import { beginWarmup, initialWarmup } from '../phases/search/warmup.ts'
import { decided, replanned, type Turn, updated } from '../phases/settle.ts'
import { deadlineStep } from '../plan/planOf.ts'
import { formatRate, formatStep } from '../record/sentences.ts'
import { unknownRegime } from '../signals/regime.ts'
import { initialSignals } from '../signals/signals.ts'
import { type TunerState, tunerVersion } from '../state.ts'

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
      optimizer: { name: 'unknown', family: 'other', momentum: null, weightDecay: null },
      budgetSteps: null,
      warmupSteps: null,
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
    lowest: null,
    validFromStep: 0,
    awaitedRestore: null,
    awaitedLargeSteps: null,
    warmup: null,
    anneal: null,
    override: null,
    approval: { pending: null, notBeforeStep: 0 },
    rewarm: null,
    rule: { satisfied: [], evaluatedAtStep: 0 },
    sequential: initialSequentialTest,
    largeSteps: 0,
    signals: initialSignals(null),
    divergence: noDivergence,
    regime: unknownRegime('no probes yet'),
    learningRate: null,
    momentum: null,
    outlook: null,
    keptLoss: null,
    remark: null,
    rivals: null,
  }
}

export function begun(turn: Turn, { runId, options }: Extract<Observation, { kind: 'start' }>): Turn {
  const { budgetSteps, mode } = options
  const base = updated(turn, { runId, options, mode, budgetSteps, signals: initialSignals(budgetSteps) })
  const searching = initialWarmup(base.state)
  const rampSteps = Math.max(1, Math.round(rampShare * nominalBudget(budgetSteps)))
  const isLarge = searching === null
  const started = updated(base, {
    warmup: searching ?? (isSteering(mode) ? { kind: 'ramp', untilStep: rampSteps } : null),
    phase: isLarge ? 'large' : 'warmup',
    phases: [{ phase: isLarge ? 'large' : 'warmup', fromStep: 0, toStep: null }],
    largeLearningRate: isLarge ? rateWithoutSearch(options, mode) : null,
    remark:
      isLarge && isUnmeasured(options, mode) ? 'The large rate is not measured.' : lossOnlyRemark(options),
  })
  return decided(replanned(beginWarmup(started)), {
    kind: 'start',
    summary: startSummary(started.state),
    phaseBefore: started.state.phase,
    rule: warmupRule,
  })
}

const isUnmeasured = ({ learningRate }: TunerState['options'], mode: TunerState['mode']): boolean =>
  isSteering(mode) && learningRate.initial === null

/** A job that is only watched has its own rate. */
function rateWithoutSearch(options: TunerState['options'], mode: TunerState['mode']): number | null {
  return isSteering(mode) ? conservativeRate(options) : options.learningRate.initial
}

function lossOnlyRemark(options: TunerState['options']): string | null {
  const hasProbes = offers(options, 'heldOutLoss') || offers(options, 'microBatchNorms')
  return hasProbes ? null : 'Only the loss is reported. Held-out probes would allow a measured switch.'
}

function startSummary(state: TunerState): string {
  const said = courseSummary(state)
  if (state.mode !== 'approve') return said
  const end =
    state.budgetSteps === null
      ? ', for as long as that takes'
      : `; without an answer the anneal starts at step ${formatStep(deadlineStep(0, state.budgetSteps))}`
  return `${said} Changes of this plan wait for approval${end}.`
}

function courseSummary({ warmup, mode, options, budgetSteps }: TunerState): string {
  const length = budgetSteps === null ? 'without a budget' : `for ${formatStep(budgetSteps)} steps`
  if (mode === 'off') return `Watching only, ${length}: signals are recorded, no advice is given.`
  if (mode === 'advisory') return `Advice only, ${length}: the job keeps its own rate.`
  if (warmup?.kind === 'range')
    return `Starting ${length} with a range test: the rate grows from ${formatRate(warmup.range.fromRate)} until the loss says stop.`
  if (warmup?.kind === 'race')
    return `Starting ${length} with a race: ${formatRate(warmup.race.reference)} against rates above and below it, from the same weights and batches.`
  const rate = options.learningRate.initial
  if (isUnmeasured(options, mode))
    return `Starting ${length} at ${formatRate(conservativeRate(options))}, a conservative rate and not a measured one: its limits leave no range to test.`
  const reason =
    mode === 'approve'
      ? 'in approve mode a given rate is kept'
      : canRace(options)
        ? 'its budget and limits leave no room for a race'
        : lacksForRace
  return `Starting ${length} at the given rate${rate === null ? '' : ` ${formatRate(rate)}`}; ${reason}.`
}
