// The averaged weights of the lowest held-out loss so far, kept on the job's side from the large phase on. On data that is
// seen many times the valley itself turns up, and then these are the weights to go back to and to anneal from, and at
// worst the result: an average over steps is nearly as low as an anneal from there. The lowest of many probes is low by
// chance as well; so at the end they are scored anew against the last ones, and kept only if plainly better (ending.ts).

import { isSteering, offers } from '../options.ts'
import type { KeptWeights } from '../state.ts'
import { type Keep, keptCheckpoint } from './enter.ts'
import type { ActionRequest, Draft, Run } from './phase.ts'

/** The weights to keep from here on, and the request for them; null = those that are kept stay. */
export function newlyKept(run: Run): { readonly kept: KeptWeights; readonly ask: ActionRequest } | null {
  const { mode, options, seen, kept } = run
  if (!isSteering(mode) || !offers(options, 'checkpoint', 'heldOutLoss')) return null
  const loss = seen.signals.averagedLosses.at(-1)
  if (loss === undefined || (kept !== null && !(loss < kept.loss))) return null
  const weights = offers(options, 'averagedWeights') ? ({ weights: 'averaged' } as const) : {}
  return {
    kept: { step: seen.step, loss },
    ask: { kind: 'checkpoint', atStep: seen.step, checkpoint: keptCheckpoint, ...weights },
  }
}

/**
 * The weights of a run that ends where nothing was annealed to the end, by hand or with its steps: the averages where the last
 * probe found them better, since at a large rate they are nearly what an anneal would reach. No earlier ones: their
 * comparison would take a probe that nobody waits for.
 */
export function weightsAtHand({ mode, options, course, seen }: Run): {
  readonly keep: Keep
  readonly values: Draft['values']
} {
  const { probeLosses, averagedLosses } = seen.signals
  const lastLoss = probeLosses.at(-1)
  const averagedLoss = averagedLosses.at(-1)
  // In a search the averages are those of an arm.
  const isKnown = isSteering(mode) && offers(options, 'averagedWeights') && course.kind !== 'search'
  if (!isKnown || averagedLoss === undefined || lastLoss === undefined || averagedLoss >= lastLoss)
    return { keep: 'last', values: {} }
  return { keep: 'averaged', values: { averagedLoss, lastLoss: Number.isFinite(lastLoss) ? lastLoss : null } }
}
