// The race on a run: which rate the job runs next and from which weights, what its samples and its last probe say,
// and how the run goes on from the winner. Everything a losing arm did counts in the budget, and its
// weights are undone by restoring a checkpoint. How a race ends early is in raceEnding.ts.

import type { ValleyProbe } from '../../../protocol/vocabulary.ts'
import { raceShareMax, rangeAwaitSteps } from '../../constants.ts'
import { bestAverage } from '../../estimators/averagedGap.ts'
import type { Score } from '../../estimators/pairedLoss.ts'
import { nominalBudget, rateBounds } from '../../options.ts'
import type { Sample } from '../../signals/signals.ts'
import type { TunerState } from '../../state.ts'
import { asked, replanned, type Turn, updated, withdrawn } from '../settle.ts'
import { restore, startCheckpoint } from './largeStart.ts'
import { endArm, hasArmDiverged, type RaceState, startArm, watchArm } from './race.ts'
import { nextRate } from './raceClimb.ts'
import { abandonRace, areWeightsSound, endRace } from './raceEnding.ts'

const armCheckpoint = (arm: number): string => `arm-${arm}`

/** Starts the next arm at a step, or ends the race. */
export function runNextArm(turn: Turn, race: RaceState, step: number): Turn {
  const rate = nextRate(race, rateBounds(turn.state.options))
  if (rate === undefined) return endRace(turn, race)
  const started = startArm(race, rate, step)
  const { arm, fromStep, toStep } = started.current!
  const withState = updated(turn, { warmup: { kind: 'race', race: started } })
  return replanned(
    asked(withState, [
      ...(fromStep === 0 ? [] : [restore(startCheckpoint, fromStep)]),
      { kind: 'probe', atStep: toStep, probe: 'valley' },
      { kind: 'checkpoint', atStep: toStep, checkpoint: armCheckpoint(arm) },
    ]),
  )
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
    const ended = endArm(watched, { score: null, ranSteps: 0, checkpoint: '' })
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
  const ranSteps = toStep - fromStep
  const ended = endArm(race, { score: scoreOf(probe), ranSteps, checkpoint: armCheckpoint(arm) })
  // The arm's checkpoint action is still to be acknowledged, so nothing is withdrawn here.
  return runNextArm(turn, ended, Math.max(toStep, probe.step))
}

/** P with its parts: of the best window of averaged weights, or of the weights themselves where there is none. */
export function scoreOf({ raw, averaged, examples }: ValleyProbe): Score {
  const best = bestAverage({ averaged })
  const entry = averaged.find(({ windowSteps }) => windowSteps === best?.windowSteps) ?? raw
  return { loss: entry.loss, parts: entry.lossByPart ?? [], examples }
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
