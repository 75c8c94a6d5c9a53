// The finish: which weights are kept, and that nothing more is asked of the job.

import { isSteering } from './options.ts'
import { formatNumber, formatStep } from './sentences.ts'
import { asked, decided, inPhase, replanned, type Turn, updated, withdrawn } from './turn.ts'

export type Keep = 'last' | 'averaged' | { readonly checkpoint: string }

/** Ends the run. `scores` compares the candidates on the held-out set, where there is one. */
export function finished(turn: Turn, options: { keep: Keep; summary: string }): Turn {
  const { state, observation } = turn
  // Advice ends by itself: only a job that is steered, or a person, is asked to stop.
  const isAsked = isSteering(state.mode) || observation.kind === 'command'
  const ended = updated(
    inPhase(
      withdrawn(turn, () => true),
      'done',
    ),
    {
      anneal: null,
      warmup: null,
      override: null,
      rewarm: null,
      lifecycle: 'finished',
    },
  )
  const asks = isAsked ? asked(ended, [{ kind: 'finish', atStep: state.step, keep: options.keep }]) : ended
  return decided(replanned(asks), {
    kind: 'finish',
    summary: options.summary,
    phaseBefore: state.phase,
    rule: { id: 'finish', version: 1 },
  })
}

/** The last probe: the better of the last weights and their average over the last block is kept. */
export function finishedAtProbe(turn: Turn, scores: { last: number; averaged: number | null }): Turn {
  const { last, averaged } = scores
  // Not `averaged < last`: the last weights may have no loss at all.
  const isAveragedBetter = averaged !== null && !(last <= averaged)
  const loss = isAveragedBetter ? averaged : last
  const kept = isAveragedBetter ? 'averaged weights are kept' : 'the last weights are kept'
  const summary = `Finished at step ${formatStep(turn.state.step)}: held-out loss ${formatNumber(loss)}; ${kept}.`
  return finished(turn, { keep: isAveragedBetter ? 'averaged' : 'last', summary })
}
