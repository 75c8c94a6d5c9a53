// The finish: which weights are kept, and that nothing more is asked of the job.

import { lowestCheckpoint, lowestName } from './lowest.ts'
import { isSteering } from './options.ts'
import {
  type AnnealWatch,
  bestCheckpoint,
  isBestClear,
  isLowestClear,
  type KeptWeights,
} from './rules/annealWatch.ts'
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

/** The best kept weights that are clearly better than the last ones. */
function bestKept(
  watch: AnnealWatch,
  lowest: KeptWeights | null,
  lastLoss: number,
): (KeptWeights & { readonly checkpoint: string }) | null {
  const raw = isBestClear(watch, lastLoss) ? watch.best : null
  const averaged = lowest !== null && isLowestClear(lowest, watch, lastLoss) ? lowest : null
  if (averaged !== null && (raw === null || averaged.loss < raw.loss))
    return { ...averaged, checkpoint: lowestCheckpoint }
  return raw === null ? null : { ...raw, checkpoint: bestCheckpoint }
}

/**
 * The last probe: of the last weights, their average over the last block and the best ones kept in the anneal, the
 * best on the held-out set are kept; the kept ones only where they are better by more than chance.
 */
export function finishedAtProbe(turn: Turn, scores: { last: number; averaged: number | null }): Turn {
  const { last, averaged } = scores
  const { anneal, step, lowest } = turn.state
  // Not `averaged < last`: the last weights may have no loss at all.
  const isAveragedBetter = averaged !== null && !(last <= averaged)
  const lastLoss = isAveragedBetter ? averaged : last
  const best = anneal === null ? null : bestKept(anneal.watch, lowest, lastLoss)
  const loss = best?.loss ?? lastLoss
  const kept =
    best !== null
      ? `the ${best.checkpoint === lowestCheckpoint ? lowestName(turn.state.options) : 'weights'} of step ${formatStep(best.step)} are kept, as the last ones have ${formatNumber(lastLoss)}`
      : isAveragedBetter
        ? 'averaged weights are kept'
        : 'the last weights are kept'
  const keep: Keep = best !== null ? { checkpoint: best.checkpoint } : isAveragedBetter ? 'averaged' : 'last'
  const summary = `Finished at step ${formatStep(step)}: held-out loss ${formatNumber(loss)}; ${kept}.`
  return finished(updated(turn, { keptLoss: Number.isFinite(loss) ? loss : null }), { keep, summary })
}
