// The warm-up: how the large rate is found. A range test bounds it from above, a race below that bound (or
// around a rate that was given) chooses it; the winner keeps its weights. Everything a losing arm did counts in
// the budget, and its weights are undone by restoring a checkpoint. Where the job cannot go back, or where a
// measurement says nothing, a stated conservative rate is used and the record says so: never a guess that
// looks like a measurement.

import type { ValleyProbe } from '../protocol/vocabulary.ts'
import {
  raceShareMax,
  rangeAwaitSteps,
  rangeFromRateAdam,
  rangeFromRateSgd,
  rangeGrowthMin,
  rangeOnlyShare,
  rangeShareMax,
  rangeStepsMax,
  rangeToRateAdam,
  rangeToRateSgd,
} from './constants.ts'
import { bestAverage } from './estimators/averagedGap.ts'
import { lossSmoother } from './estimators/lossSmoother.ts'
import { valleySlope } from './estimators/valleySlope.ts'
import { evidenceOfRace } from './evidence.ts'
import { watchAfresh } from './guards/divergence.ts'
import {
  canRace,
  clampedRate,
  conservativeRate,
  isAdam,
  nominalBudget,
  offers,
  rateBounds,
  segmentSteps,
} from './options.ts'
import { nextAwaitStep } from './planParts.ts'
import {
  type Arm,
  advanceRace,
  endArm,
  hasArmDiverged,
  isRaceOver,
  type RaceState,
  raceAround,
  raceBelow,
  raceResult,
  roundSteps,
  startNextArm,
  triedArms,
  watchArm,
} from './rules/race.ts'
import { foldRangeSample, type RangeOutcome, rangeOutcome, startRangeTest } from './rules/rangeTest.ts'
import { formatRate, formatStep } from './sentences.ts'
import { freshSignals, type Sample, type SignalsState } from './signals/signals.ts'
import type { TunerState, WarmupState } from './state.ts'
import {
  type ActionRequest,
  asked,
  decided,
  inPhase,
  replanned,
  type Turn,
  updated,
  withdrawn,
} from './turn.ts'

export const warmupRule = { id: 'range-and-race', version: 1 } as const
export const startCheckpoint = 'start'

/** How this run's warm-up begins; null = there is a rate and no way to search, so it starts large. */
export function initialWarmup(state: TunerState): WarmupState | null {
  const { options, budgetSteps, mode } = state
  if (mode !== 'auto') return null
  const rate = options.learningRate.initial
  if (rate === null) return { kind: 'range', range: startRangeTest(rangeBounds(state)) }
  if (!canRace(options)) return null
  const race = raceAround({
    learningRate: rate,
    fromStep: 0,
    segmentSteps: segmentSteps(budgetSteps),
    budgetSteps: nominalBudget(budgetSteps),
    ...rateBounds(options),
  })
  return race === undefined ? null : { kind: 'race', race }
}

function rangeBounds({ options, budgetSteps }: TunerState) {
  const [from, to] = isAdam(options)
    ? [rangeFromRateAdam, rangeToRateAdam]
    : [rangeFromRateSgd, rangeToRateSgd]
  const toRate = Math.min(to, options.learningRate.max ?? to)
  const fromRate = Math.min(from, toRate / 10)
  const affordable = Math.min(rangeShareMax * nominalBudget(budgetSteps), rangeStepsMax)
  const needed = Math.log(toRate / fromRate) / Math.log(rangeGrowthMin)
  const stepCount = Math.max(
    rangeAwaitSteps,
    Math.ceil(Math.min(affordable, needed) / rangeAwaitSteps) * rangeAwaitSteps,
  )
  return { fromStep: 0, stepCount, fromRate, toRate }
}

/** What the job is asked before its first step. */
export function beginWarmup(turn: Turn): Turn {
  const { warmup, options } = turn.state
  const kept = warmup !== null && warmup.kind !== 'ramp' && offers(options, 'checkpoint')
  const saved = kept ? asked(turn, [{ kind: 'checkpoint', atStep: 0, checkpoint: startCheckpoint }]) : turn
  return warmup?.kind === 'race' ? runNextArm(saved, warmup.race, 0) : saved
}

// ------------------------------------------------------------------------------------------- range test

/** Folds a sample of the warm-up; returns the same turn when nothing is to be decided yet. */
export function foldWarmupSample(turn: Turn, sample: Sample): Turn {
  const { warmup } = turn.state
  if (warmup?.kind === 'range') return foldRange(turn, sample)
  if (warmup?.kind === 'race') return foldArm(turn, warmup.race, sample)
  if (warmup?.kind === 'ramp' && turn.state.step >= warmup.untilStep) return updated(turn, { warmup: null })
  return turn
}

function foldRange(turn: Turn, sample: Sample): Turn {
  const { warmup } = turn.state
  if (warmup?.kind !== 'range') return turn
  const { loss, gradientNormSquared, step } = sample
  const { fromRate, toRate } = warmup.range
  const applied = turn.state.learningRate ?? fromRate
  const learningRate = Math.min(Math.max(applied, fromRate), toRate)
  const gradientNorm = gradientNormSquared === null ? null : Math.sqrt(gradientNormSquared)
  const range = foldRangeSample(warmup.range, { step, learningRate, loss, gradientNorm })
  const next = updated(turn, { warmup: { kind: 'range', range } })
  const outcome = rangeOutcome(range, turn.state.step)
  if (outcome.kind !== 'running') return endRange(next, outcome)
  return turn.state.step >= (turn.state.plan.awaitAtStep ?? 0) ? replanned(next) : next
}

function endRange(turn: Turn, outcome: Exclude<RangeOutcome, { kind: 'running' }>): Turn {
  const { state } = turn
  const { options, budgetSteps, warmup } = state
  const lossFirst = warmup?.kind === 'range' ? warmup.range.lossFirst : null
  if (outcome.kind === 'no-descent')
    return withoutMeasurement(turn, `the loss never fell below its start before ${outcome.sign}`)
  const bound = outcome.kind === 'found' ? outcome.divergenceRate : outcome.largestRate
  if (!canRace(options)) return rangeOnly(turn, outcome, bound, lacksForRace)
  const race = raceBelow({
    divergenceRate: bound,
    fromStep: state.step,
    segmentSteps: segmentSteps(budgetSteps),
    budgetSteps: nominalBudget(budgetSteps),
    lossFirst,
  })
  if (race === undefined) return rangeOnly(turn, outcome, bound, 'the budget is too short for a race')
  const found =
    outcome.kind === 'found'
      ? `Training diverges at about ${formatRate(bound)} (${outcome.sign}).`
      : `Training did not diverge up to ${formatRate(bound)}, the end of the range.`
  const { from, to } = ratesOf(race.arms)
  const racing = updated(turn, { warmup: { kind: 'race', race } })
  // The job waits for this answer at the next multiple of ten steps, so that is where the first arm starts.
  return decided(runNextArm(racing, race, nextAwaitStep(state.step - 1)), {
    kind: 'lower',
    summary: `${found} ${race.arms.length} smaller rates, ${from} to ${to}, now race from the start weights.`,
    phaseBefore: 'warmup',
    rule: warmupRule,
  })
}

function ratesOf(arms: readonly Arm[]): { from: string; to: string } {
  const rates = arms.map(({ learningRate }) => learningRate)
  return { from: formatRate(Math.min(...rates)), to: formatRate(Math.max(...rates)) }
}

/** Why there is no race. */
export const lacksForRace =
  'racing other rates needs the capabilities checkpoint, heldOutLoss and averagedWeights'

/** A job without a held-out loss, that cannot go back, or a short budget: a tenth of the divergence rate, named as such. */
function rangeOnly(
  turn: Turn,
  outcome: Exclude<RangeOutcome, { kind: 'running' | 'no-descent' }>,
  bound: number,
  lacking: string,
): Turn {
  const rate = clampedRate(turn.state.options, bound * rangeOnlyShare)
  const back: ActionRequest[] = offers(turn.state.options, 'checkpoint')
    ? [restore(startCheckpoint, turn.state.step)]
    : []
  const why = outcome.kind === 'found' ? outcome.sign : 'the range ended'
  const summary = `Large step ${formatRate(rate)}: a tenth of ${formatRate(bound)}, where ${why}. Evidence is insufficient for more: ${lacking}.`
  return startLarge(asked(turn, back), {
    rate,
    largeSteps: 0,
    summary,
    kind: 'lower',
    remark: 'The large rate was not raced.',
  })
}

/** Nothing usable was measured: the conservative rate from the start weights, below what is known to diverge. */
function withoutMeasurement(turn: Turn, reason: string, rateMax = Number.MAX_VALUE): Turn {
  const { options } = turn.state
  const rate = clampedRate(options, Math.min(conservativeRate(options), rateMax))
  const back: ActionRequest[] = offers(turn.state.options, 'checkpoint')
    ? [restore(startCheckpoint, turn.state.step)]
    : []
  const summary = `Large step ${formatRate(rate)}, a conservative rate and not a measured one: ${reason}.`
  return startLarge(asked(withdrawn(turn), back), {
    rate,
    largeSteps: 0,
    summary,
    kind: 'lower',
    remark: 'The large rate is not measured.',
  })
}

// ------------------------------------------------------------------------------------------------- race

const restore = (checkpoint: string, atStep: number): ActionRequest => ({
  kind: 'restore',
  atStep,
  checkpoint,
  rewindData: true,
  skipBatches: 0,
})

const armCheckpoint = (arm: number): string => `arm-${arm}`

/** Starts the next arm of the round, or the next round, or ends the race. */
function runNextArm(turn: Turn, race: RaceState, step: number): Turn {
  const started = startNextArm(race, step)
  if (started?.current) {
    const { arm, fromStep, toStep } = started.current
    const from = started.arms[arm]!.checkpoint ?? startCheckpoint
    const isFirstOfAll = fromStep === 0
    const withState = updated(turn, { warmup: { kind: 'race', race: started } })
    return replanned(
      asked(withState, [
        ...(isFirstOfAll ? [] : [restore(from, fromStep)]),
        { kind: 'probe', atStep: toStep, probe: 'valley' },
        { kind: 'checkpoint', atStep: toStep, checkpoint: armCheckpoint(arm) },
      ]),
    )
  }
  const advanced = advanceRace(race, rateBounds(turn.state.options))
  return isRaceOver(advanced) ? endRace(turn, advanced) : runNextArm(turn, advanced, step)
}

/** Until the job has gone back for an arm, what it reports belongs to other weights. */
const isArmAwaited = ({ actions }: TunerState): boolean => actions.some(({ kind }) => kind === 'restore')

/** The running arm's watch; an arm that comes apart leaves at once. */
function foldArm(turn: Turn, race: RaceState, sample: Sample): Turn {
  const { current } = race
  if (current === null) return turn
  if (isArmAwaited(turn.state)) {
    // Weights that diverged are worth waiting for the restore; others have gone on alone long enough.
    const patienceSteps = areWeightsSound(turn.state, race, sample)
      ? 2 * (current.toStep - current.fromStep)
      : raceShareMax * nominalBudget(turn.state.budgetSteps)
    return turn.state.step > current.fromStep + patienceSteps ? abandonRace(turn, race, sample) : turn
  }
  const watched = watchArm(race, sample)
  const next = watched === race ? turn : updated(turn, { warmup: { kind: 'race', race: watched } })
  if (hasArmDiverged(watched)) {
    const ended = endArm(watched, { loss: null, ranSteps: 0, checkpoint: '' })
    // A few steps of grace, the same for every way of batching: the job learns of it at its next report.
    return runNextArm(withdrawn(next), ended, Math.min(current.toStep, sample.step + 1 + rangeAwaitSteps))
  }
  // The job has gone on alone for as long as the arm itself: the race cannot be continued fairly.
  const overdue = turn.state.step > current.toStep + (current.toStep - current.fromStep)
  return overdue ? abandonRace(next, race, sample) : next
}

/** The probe at an arm's end. Other probes in the warm-up say nothing about an arm. */
export function foldWarmupProbe(turn: Turn, probe: ValleyProbe): Turn {
  const { warmup } = turn.state
  if (warmup?.kind !== 'race' || warmup.race.current === null || isArmAwaited(turn.state)) return turn
  const { race } = warmup
  const { arm, fromStep, toStep } = warmup.race.current
  if (probe.step < toStep) return turn
  const loss = bestAverage(probe)?.loss ?? probe.raw.loss
  const ended = endArm(race, { loss, ranSteps: toStep - fromStep, checkpoint: armCheckpoint(arm) })
  // The arm's checkpoint action is still to be acknowledged, so nothing is withdrawn here.
  return runNextArm(turn, ended, Math.max(toStep, probe.step))
}

function endRace(turn: Turn, race: RaceState): Turn {
  const result = raceResult(race)
  if (result.kind === 'no-arm-left') {
    const slowest = Math.min(...race.arms.map(({ learningRate }) => learningRate))
    return withoutMeasurement(turn, 'every rate of the race diverged', slowest * rangeOnlyShare)
  }
  const { winner, optimum } = result
  const rate = clampedRate(turn.state.options, result.learningRate)
  const tried = triedArms(race)
  const { from, to } = ratesOf(tried)
  const back = winner.checkpoint === null ? [] : [restore(winner.checkpoint, turn.state.step)]
  const dropped: ActionRequest[] = [
    startCheckpoint,
    ...race.arms.flatMap(({ checkpoint }) => checkpoint ?? []),
  ].map((checkpoint) => ({
    kind: 'drop',
    atStep: turn.state.step,
    checkpoint,
  }))
  const diverged = tried.filter((arm) => arm.diverged).length
  const summary =
    `Large step ${formatRate(rate)}: of ${tried.length} rates from ${from} to ${to}, averaged weights did best near ` +
    `${formatRate(optimum)}${diverged === 0 ? '' : `, and ${diverged} diverged`}; ${formatStep(turn.state.step)} steps of search.`
  return startLarge(asked(turn, [...back, ...dropped]), {
    rate,
    largeSteps: (winner.stepCount * winner.learningRate) / rate,
    summary,
    kind: rate > race.reference ? 'raise' : 'lower',
    remark: null,
    race,
    winner,
  })
}

/** Whether the job's present weights are better than those of the start. */
function areWeightsSound({ signals }: TunerState, { lossFirst }: RaceState, { loss }: Sample): boolean {
  const smoothed = lossSmoother.read(signals.smoother).value
  return Number.isFinite(loss ?? 0) && smoothed !== null && lossFirst !== null && smoothed < lossFirst
}

/**
 * The job left the race (it was cut off from the server): its present weights go on at the rate that it has
 * held since, if they are better than those of the start; else it goes back to the start.
 */
function abandonRace(turn: Turn, race: RaceState, sample: Sample): Turn {
  const { state } = turn
  const applied = state.learningRate ?? race.arms[race.current!.arm]!.learningRate
  const rate = clampedRate(state.options, applied)
  const isSound = areWeightsSound(state, race, sample)
  const summary = `Large step ${formatRate(rate)}: the race was cut short, because the job trained on without an answer.`
  const back = isSound ? [] : [restore(startCheckpoint, state.step)]
  return startLarge(asked(withdrawn(turn), back), {
    rate,
    largeSteps: 0,
    summary,
    kind: 'lower',
    remark: 'The race was cut short.',
  })
}

/** The job restored an arm's checkpoint later than planned (it was between two reports): the arm moves with it. */
export function armRestored(turn: Turn, step: number): Turn {
  const { warmup } = turn.state
  if (warmup?.kind !== 'race' || warmup.race.current === null || step <= warmup.race.current.fromStep)
    return turn
  const { arm, fromStep, toStep } = warmup.race.current
  const moved = { arm, fromStep: step, toStep: toStep + step - fromStep }
  const kept = withdrawn(
    turn,
    ({ atStep, kind }) => atStep === toStep && (kind === 'probe' || kind === 'checkpoint'),
  )
  const next = updated(kept, { warmup: { kind: 'race', race: { ...warmup.race, current: moved } } })
  return replanned(
    asked(next, [
      { kind: 'probe', atStep: moved.toStep, probe: 'valley' },
      { kind: 'checkpoint', atStep: moved.toStep, checkpoint: armCheckpoint(arm) },
    ]),
  )
}

/** A restore that the job could not do ends the search: its present weights go on. */
export function restoreFailed(turn: Turn, detail: string): Turn {
  const { warmup, options } = turn.state
  if (warmup === null) return turn
  const running = warmup.kind === 'race' ? warmup.race.current : null
  const rate =
    warmup.kind === 'race' && running !== null
      ? clampedRate(options, warmup.race.arms[running.arm]!.learningRate)
      : conservativeRate(options)
  const summary = `Large step ${formatRate(rate)}: the search was cut short, because a checkpoint could not be restored${detail === '' ? '' : ` (${detail})`}.`
  return startLarge(withdrawn(turn), {
    rate,
    largeSteps: 0,
    summary,
    kind: 'lower',
    remark: 'The search was cut short.',
  })
}

// -------------------------------------------------------------------------------------- the large phase

type LargeStart = {
  readonly rate: number
  readonly largeSteps: number
  readonly summary: string
  readonly kind: 'raise' | 'lower'
  readonly remark: string | null
  readonly race?: RaceState
  readonly winner?: Arm
}

function startLarge(turn: Turn, start: LargeStart): Turn {
  const { signals, budgetSteps, divergence, step } = turn.state
  const large = updated(inPhase(turn, 'large'), {
    warmup: null,
    largeLearningRate: start.rate,
    largeSteps: start.largeSteps,
    signals: withRaceProbes(freshSignals(signals, budgetSteps), start),
    divergence: watchAfresh(divergence),
    validFromStep: step,
    remark: start.remark,
  })
  return decided(replanned(large), {
    kind: start.kind,
    summary: start.summary,
    phaseBefore: 'warmup',
    rule: warmupRule,
    evidence: start.race === undefined ? [] : evidenceOfRace(start.race),
  })
}

/**
 * The winner's own probes are the first ones of its valley. Its first round is left out: it averaged over a
 * warm-up of the rate.
 */
function withRaceProbes(signals: SignalsState, { race, winner, rate }: LargeStart): SignalsState {
  if (race === undefined || winner === undefined) return signals
  const lengths = winner.losses.map((_, round) => roundSteps(race.rounds, round, race.segmentSteps))
  let stepCount = 0
  let { valley } = signals
  for (const [round, averagedLoss] of winner.losses.entries()) {
    stepCount += lengths[round]!
    if (round > 0)
      valley = valleySlope.update(valley, {
        runLength: (stepCount * winner.learningRate) / rate,
        averagedLoss,
      })
  }
  return { ...signals, valley }
}
