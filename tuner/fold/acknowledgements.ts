// What the job says about the actions that it was asked for. A restore decides how the run goes on; a checkpoint
// that could not be made is forgotten; anything else just leaves the list.

import type { Acknowledgement } from '../../protocol/vocabulary.ts'
import { valleyUpTo } from '../estimators/valleySlope.ts'
import { notRestored } from '../guard/recovery.ts'
import { undoRule, watchRule } from '../phases/anneal/annealing.ts'
import { bestCheckpoint, switchCheckpoint } from '../phases/anneal/annealWatch.ts'
import { lowestCheckpoint } from '../phases/anneal/lowest.ts'
import { finishedUncompared } from '../phases/done.ts'
import { armRestored } from '../phases/search/raceSearch.ts'
import { restoreFailed, winnerNotRestored } from '../phases/search/warmup.ts'
import { decided, replanned, type Turn, updated } from '../phases/settle.ts'
import type { AnnealState, TunerState } from '../state.ts'

export function foldAcknowledgement(turn: Turn, acknowledgement: Acknowledgement): Turn {
  const { actionId, status, step, detail } = acknowledgement
  const action = turn.state.actions.find(({ id }) => id === actionId)
  if (action === undefined) return turn
  const next = updated(turn, { actions: turn.state.actions.filter(({ id }) => id !== actionId) })
  if (action.kind === 'restore')
    return restored(next, {
      actionId,
      checkpoint: action.checkpoint,
      isDone: status === 'done',
      step,
      detail,
    })
  if (action.kind === 'checkpoint' && status !== 'done') return withoutCheckpoint(next, action.checkpoint)
  // Without the comparison, what the probes of the anneal say is all there is.
  if (action.kind === 'probe' && action.checkpoints !== undefined && status !== 'done')
    return finishedUncompared(next)
  return next
}

function restored(
  turn: Turn,
  options: { actionId: string; checkpoint: string; isDone: boolean; step: number; detail: string },
): Turn {
  const { state } = turn
  const { actionId, checkpoint, isDone, step, detail } = options
  const isAwaited = state.awaitedRestore === actionId
  // A guard may ask for one in a ramp as well: that is not the search's.
  if (state.warmup !== null && !isAwaited)
    return isDone ? armRestored(turn, step) : restoreFailed(turn, detail)
  const valid = updated(turn, {
    awaitedRestore: isAwaited ? null : state.awaitedRestore,
    validFromStep: Math.max(state.validFromStep, step),
  })
  if (!isAwaited) return isDone ? valid : winnerNotRestored(valid, detail)
  const { rewarm } = valid.state
  const moved = rewarm === null ? valid : replanned(updated(valid, { rewarm: movedTo(step, rewarm) }))
  return isDone ? wentBack(moved) : goingOn(withoutCheckpoint(moved, checkpoint), checkpoint, detail)
}

/** The weights are those of an earlier point: what was measured beyond it is forgotten. */
function wentBack(turn: Turn): Turn {
  const { awaitedLargeSteps: largeSteps, signals } = turn.state
  if (largeSteps === null) return turn
  const valley = valleyUpTo(signals.valley, largeSteps)
  return updated(turn, { largeSteps, awaitedLargeSteps: null, signals: { ...signals, valley } })
}

/** The job could not go back: whose restore it was says what goes on from the present weights. */
function goingOn(turn: Turn, checkpoint: string, detail: string): Turn {
  const next = updated(turn, { awaitedLargeSteps: null })
  if (checkpoint !== switchCheckpoint && checkpoint !== lowestCheckpoint) return notRestored(next, detail)
  const { phase } = next.state
  const said = detail === '' ? '' : ` (${detail})`
  const course = phase === 'anneal' ? 'the anneal is cut short' : 'the rate climbs back'
  return decided(next, {
    kind: phase === 'anneal' ? 'lower' : 'undo',
    summary: `The earlier weights could not be restored${said}: ${course} from the present ones.`,
    phaseBefore: phase,
    rule: phase === 'anneal' ? watchRule : undoRule,
  })
}

/** A climb of the same length from another step on. */
const movedTo = (step: number, rewarm: NonNullable<TunerState['rewarm']>): TunerState['rewarm'] => ({
  ...rewarm,
  fromStep: step,
  toStep: step + rewarm.toStep - rewarm.fromStep,
})

/** A checkpoint that could not be made is not one to go back to. */
function withoutCheckpoint(turn: Turn, name: string): Turn {
  const { divergence, anneal, lowest } = turn.state
  return updated(turn, {
    lowest: name === lowestCheckpoint ? null : lowest,
    anneal: anneal === null ? null : annealWithout(anneal, name),
    divergence: { ...divergence, checkpoints: divergence.checkpoints.filter((entry) => entry.name !== name) },
  })
}

function annealWithout(anneal: AnnealState, name: string): AnnealState {
  if (name === bestCheckpoint) return { ...anneal, watch: { ...anneal.watch, best: null } }
  return name === switchCheckpoint ? { ...anneal, isCheckpointed: false } : anneal
}
