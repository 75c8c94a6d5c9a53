// Averaged gap D: how far the loss stands above that of averaged weights, which is about what annealing would
// remove. At each valley probe P = the smallest loss over the windows of averaged weights (which window is
// best changes with the rate), and D = the median of the last 8 of (L − P), with a robust error.
// D may be negative (averages that still lag behind the descent); that is told as it is.
// Probes of the other set are left out: the gap of training examples is another quantity.
// Cost: O(8) per probe. A probe without a finite raw and averaged loss leaves the state as it is.

import type { ValleyProbe } from '../../protocol/vocabulary.ts'
import { type Estimate, type Estimator, noEstimate } from './estimator.ts'
import { medianEstimate, probesInMedian } from './uncertainty.ts'

export type AveragedGapOptions = { readonly set?: ValleyProbe['set'] }
export type AveragedGapSample = Pick<ValleyProbe, 'set' | 'raw' | 'averaged'>
export type AveragedGapState = {
  readonly set: ValleyProbe['set']
  /** L − P of the last probes, oldest first, at most 8. */
  readonly gaps: readonly number[]
  readonly averagedLoss: number | null
  readonly bestWindowSteps: number | null
  readonly count: number
}
export type AveragedGapReading = {
  /** D in the loss's unit. */
  readonly gap: Estimate
  /** P of the newest probe; its error is not known from one probe. */
  readonly averagedLoss: Estimate
  /** Length in steps of the window that gave P. */
  readonly bestWindowSteps: number | null
}

export const averagedGap: Estimator<
  AveragedGapOptions,
  AveragedGapState,
  AveragedGapSample,
  AveragedGapReading
> = {
  name: 'averagedGap',
  init({ set = 'held-out' }) {
    if (set !== 'held-out' && set !== 'train')
      throw new RangeError(`set must be "held-out" or "train", got ${JSON.stringify(set)}`)
    return { set, gaps: [], averagedLoss: null, bestWindowSteps: null, count: 0 }
  },
  update(state, probe) {
    const best = bestAverage(probe)
    if (best === undefined || probe.set !== state.set) return state
    const gap = probe.raw.loss - best.loss
    if (!Number.isFinite(gap)) return state
    return {
      set: state.set,
      gaps: [...state.gaps.slice(1 - probesInMedian), gap],
      averagedLoss: best.loss,
      bestWindowSteps: best.windowSteps,
      count: state.count + 1,
    }
  },
  read: ({ gaps, averagedLoss, bestWindowSteps, count }) => ({
    gap: medianEstimate(gaps, 1),
    averagedLoss:
      averagedLoss === null
        ? noEstimate(0, 1)
        : { value: averagedLoss, standardError: null, count, needed: 1 },
    bestWindowSteps,
  }),
}

/** The smallest finite averaged loss of a probe with its window; undefined = none. Ties: the shortest window. */
export function bestAverage(
  probe: Pick<ValleyProbe, 'averaged'>,
): { readonly loss: number; readonly windowSteps: number } | undefined {
  let best: ValleyProbe['averaged'][number] | undefined
  for (const entry of probe.averaged)
    if (Number.isFinite(entry.loss) && (best === undefined || entry.loss < best.loss)) best = entry
  return best
}
