// Averaged gap D: how far the loss stands above that of averaged weights, which is about what annealing would
// remove. At each valley probe P = the smallest loss over the windows of averaged weights (which window is
// best changes with the rate), and D = the median of the last 8 of (L − P), with a robust error.
// D may be negative (averages that still lag behind the descent); that is told as it is.
// Probes of training examples are left out: their gap is another quantity.
// Cost: O(8) per probe. A probe without a finite raw and averaged loss leaves the state as it is.

import type { ValleyProbe } from '../../protocol/vocabulary.ts'
import { type Estimate, type Estimator, noEstimate } from './estimator.ts'
import { medianEstimate, probesInMedian } from './uncertainty.ts'

type Sample = Pick<ValleyProbe, 'set' | 'raw' | 'averaged'>
export type AveragedGapState = {
  /** L − P of the last probes, oldest first, at most 8. */
  readonly gaps: readonly number[]
  readonly averagedLoss: number | null
  readonly count: number
}

export const averagedGap = {
  init: (): AveragedGapState => ({ gaps: [], averagedLoss: null, count: 0 }),
  update(state: AveragedGapState, probe: Sample): AveragedGapState {
    const best = bestAverage(probe)
    if (best === undefined || probe.set !== 'held-out') return state
    const gap = probe.raw.loss - best.loss
    if (!Number.isFinite(gap)) return state
    return {
      gaps: [...state.gaps.slice(1 - probesInMedian), gap],
      averagedLoss: best.loss,
      count: state.count + 1,
    }
  },
  /** D in the loss's unit, and P of the newest probe, whose error is not known from one probe. */
  read: ({
    gaps,
    averagedLoss: value,
    count,
  }: AveragedGapState): { gap: Estimate; averagedLoss: Estimate } => ({
    gap: medianEstimate(gaps, 1),
    averagedLoss: { ...noEstimate(count, 1), value },
  }),
} satisfies Estimator<AveragedGapState, Sample>

/** The smallest finite averaged loss of a probe with its window; undefined = none. Ties: the shortest window. */
export function bestAverage({
  averaged,
}: Pick<ValleyProbe, 'averaged'>): ValleyProbe['averaged'][number] | undefined {
  let best: ValleyProbe['averaged'][number] | undefined
  for (const entry of averaged)
    if (Number.isFinite(entry.loss) && (best === undefined || entry.loss < best.loss)) best = entry
  return best
}
