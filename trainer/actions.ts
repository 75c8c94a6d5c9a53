// Does what the server asks of the training side, and says how it went: each action is answered by exactly one
// acknowledgement, and one that cannot be done is answered with the sentence that says why.

import type { Acknowledgement, Action } from '../protocol/vocabulary.ts'
import type { KeepChoice, SessionTrainer } from './trainer.ts'

export type ActionContext = {
  readonly trainer: SessionTrainer
  /** The rates are given by a schedule: weights must not be taken back under it. */
  readonly isFixed: boolean
  /** `checkpoints`: to be scored as well. */
  probe(kind: 'valley' | 'line', checkpoints?: readonly string[]): Promise<void>
  restored(): void
  setPaused(paused: boolean): void
  finished(keep: KeepChoice): void
}

/** What is to be said of it ('' = nothing). Rejects with a sentence if it cannot be done. */
async function perform(action: Action, context: ActionContext): Promise<string> {
  const { trainer } = context
  switch (action.kind) {
    case 'checkpoint': {
      const dropped = trainer.checkpoint(action.checkpoint, action.weights)
      return dropped.length > 0 ? `dropped ${dropped.join(', ')} to make room` : ''
    }
    case 'restore':
      trainer.restore(action.checkpoint, { rewindData: action.rewindData, skipBatches: action.skipBatches })
      context.restored()
      return ''
    case 'drop':
      return trainer.drop(action.checkpoint) ? '' : `there was no checkpoint ${action.checkpoint}`
    case 'probe':
      await context.probe(action.probe, action.checkpoints)
      return ''
    case 'pause':
    case 'resume':
      context.setPaused(action.kind === 'pause')
      return ''
    case 'finish':
      trainer.keep(action.keep)
      context.finished(action.keep)
      return ''
    case 'branch':
      throw new Error('the built-in trainer anneals no copies')
  }
}

export async function performAction(action: Action, context: ActionContext): Promise<Acknowledgement> {
  const answer = (status: Acknowledgement['status'], detail: string): Acknowledgement => ({
    actionId: action.id,
    status,
    step: context.trainer.stepCount,
    detail,
  })
  if (action.kind === 'restore' && context.isFixed)
    return answer('unsupported', 'the run follows a given schedule, so no weights are taken back')
  try {
    return answer('done', await perform(action, context))
  } catch (cause) {
    return answer('failed', cause instanceof Error ? cause.message : String(cause))
  }
}
