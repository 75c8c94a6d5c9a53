// The race on a run: which arm the job runs next and from which weights, what its samples and its last probe say,
// and the large phase that begins with the winner. Everything a losing arm did counts in the budget, and its
// weights are undone by restoring a checkpoint. A job that does not wait for answers ends the race.

import type { ValleyProbe } from '../protocol/vocabulary.ts'
import { raceShareMax, rangeAwaitSteps, rangeOnlyShare } from './constants.ts'
import { bestAverage } from './estimators/averagedGap.ts'
import { lossSmoother } from './estimators/lossSmoother.ts'
import { restore, startCheckpoint, startLarge, withoutMeasurement } from './largeStart.ts'
import { clampedRate, nominalBudget, rateBounds } from './options.ts'
import {
  type Arm,
  advanceRace,
  endArm,
  hasArmDiverged,
  isRaceOver,
  type RaceState,
  startNextArm,
  triedArms,
  watchArm,
} from './rules/race.ts'
import { raceResult } from './rules/raceResult.ts'
import { formatRate, formatStep } from './sentences.ts'
import type { Sample } from './signals/signals.ts'
import type { TunerState } from './state.ts'
import { type ActionRequest, asked, replanned, type Turn, updated, withdrawn } from './turn.ts'

const armCheckpoint = (arm: number): string => `arm-${arm}`

export function ratesOf(arms: readonly Arm[]): { from: string; to: string } {
  const rates = arms.map(({ learningRate }) => learningRate)
  return { from: formatRate(Math.min(...rates)), to: formatRate(Math.max(...rates)) }
}

/** Starts the next arm of the round, or the next round, or ends the race. */
export function runNextArm(turn: Turn, race: RaceState, step: number): Turn {
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
export function foldArm(turn: Turn, race: RaceState, sample: Sample): Turn {
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
