// The averaged weights of the lowest held-out level so far, kept on the job's side from the large phase on. On data
// that is seen many times the valley itself turns up, and then these are the weights to go back to and to anneal
// from, and at worst the result: an average over steps is nearly as low as an anneal from there.

import type { RunOptions } from '../../../protocol/vocabulary.ts'
import { lowestProbes } from '../../constants.ts'
import { mean } from '../../estimators/uncertainty.ts'
import { isSteering, offers } from '../../options.ts'
import { askedCheckpoint, type Turn, updated } from '../settle.ts'

export const lowestCheckpoint = 'lowest'

/** The kept weights in words. */
export const lowestName = (options: RunOptions): string =>
  offers(options, 'averagedWeights') ? 'averaged weights' : 'weights'

/** Keeps the averaged weights, or the present ones of a job that has none, where the mean of the last probes is lower than ever before. */
export function withLowest(turn: Turn): Turn {
  const { mode, options, signals, lowest, step, phase } = turn.state
  if (phase === 'done' || !isSteering(mode) || !offers(options, 'checkpoint', 'heldOutLoss')) return turn
  const recent = signals.averagedLosses.slice(-lowestProbes)
  const level = mean(recent)
  if (recent.length < lowestProbes || (lowest !== null && !(level < lowest.loss))) return turn
  const isAveraged = offers(options, 'averagedWeights')
  const asks = askedCheckpoint(turn, {
    atStep: step,
    checkpoint: lowestCheckpoint,
    ...(isAveraged ? { weights: 'averaged' } : {}),
  })
  return updated(asks, { lowest: { step, loss: level } })
}
