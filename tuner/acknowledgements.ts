// What the job says about the actions that it was asked for. A restore decides how the run goes on; a checkpoint
// that could not be made is forgotten; anything else just leaves the list.

import type { Acknowledgement } from '../protocol/vocabulary.ts'
import { notRestored } from './guards/recovery.ts'
import { armRestored } from './raceSearch.ts'
import type { TunerState } from './state.ts'
import { replanned, type Turn, updated } from './turn.ts'
import { restoreFailed, winnerNotRestored } from './warmup.ts'

export function foldAcknowledgement(turn: Turn, acknowledgement: Acknowledgement): Turn {
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
  return isDone ? moved : notRestored(moved, detail)
}

/** A climb of the same length from another step on. */
const movedTo = (step: number, rewarm: NonNullable<TunerState['rewarm']>): TunerState['rewarm'] => ({
  ...rewarm,
  fromStep: step,
  toStep: step + rewarm.toStep - rewarm.fromStep,
})

/** A checkpoint that could not be made is not one to go back to. */
function withoutCheckpoint(turn: Turn, name: string): Turn {
  const { divergence } = turn.state
  return updated(turn, {
    divergence: { ...divergence, checkpoints: divergence.checkpoints.filter((entry) => entry.name !== name) },
  })
}
