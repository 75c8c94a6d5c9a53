// What the job says about the actions that it was asked for. A restore decides how the run goes on; a checkpoint
// that could not be made is forgotten; anything else just leaves the list.

import type { Acknowledgement } from '../protocol/vocabulary.ts'
import { armRestored } from './raceSearch.ts'
import { replanned, type Turn, updated } from './turn.ts'
import { restoreFailed } from './warmup.ts'

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
