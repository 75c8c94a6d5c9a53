// Gap share: the part of the loss that annealing would take off at once. Each held-out probe gives s = (L − P)/L, L the raw
// loss and P that of averaged weights, at the rate η of its step; at another rate it counts as s·(η′/η)^1.5, which is how the
// drop after a quick cut of the rate falls inside an anneal (between 1, frozen noise on a quadratic, and 2, noise that falls
// with the loss). So it is known between two probes too, and while the rate falls. The reading is the pseudo-median of the
// last 16, with a robust error; of those at about the present rate alone, where there are enough.
// Averages lag behind a rate that falls quickly, so a probe whose rate lies below .8 of that of the probe before it is left
// out, as is one of training examples, one without an average, and a loss that is not above 0 (it has no share).
// A job that does not tell its rate has η = 1: its share is that of the last probes.
// Constants and what they were chosen on: bench/records/2026-11-28-regime/README.md. Cost: O(16²) per reading.

import type { ValleyProbe } from '../../protocol/vocabulary.ts'
import { bestAverage } from './averagedGap.ts'
import { type Estimate, noEstimate } from './estimator.ts'
import { pseudoMedianEstimate } from './uncertainty.ts'

const sharesKept = 16
/** Below it the scatter says next to nothing, so there is no interval. */
export const gapSharesNeeded = 4
/** Least rate of a probe over that of the one before. */
const steadyRateMin = 0.8
export const gapSharePower = 1.5
/** Rates within this factor of each other are about the same. */
const nearRates = 1.5

type Share = { readonly share: number; readonly rate: number }
export type GapShareState = {
  /** Of the last probes, oldest first, at most 16. */
  readonly shares: readonly Share[]
  /** Rate at the last probe; null = none was told, or there was no probe. */
  readonly lastRate: number | null
}
type Sample = Pick<ValleyProbe, 'set' | 'raw' | 'averaged'> & { readonly learningRate: number | null }

export const gapShare = {
  init: (): GapShareState => ({ shares: [], lastRate: null }),
  update(state: GapShareState, probe: Sample): GapShareState {
    const lastRate = probe.learningRate !== null && probe.learningRate > 0 ? probe.learningRate : null
    // A rate that is told from now on is another unit.
    const isOtherUnit = (lastRate === null) !== (state.lastRate === null)
    const shares = isOtherUnit ? [] : state.shares
    const share = shareOfLoss(probe)
    const isSteady = lastRate === null || lastRate >= steadyRateMin * (state.lastRate ?? 0)
    if (!isSteady || !Number.isFinite(share)) return { shares, lastRate }
    return { shares: [...shares.slice(1 - sharesKept), { share, rate: lastRate ?? 1 }], lastRate }
  },
  /** At a rate (null = it is not told), a share of the loss; may be below 0, where averages still lag behind. */
  read({ shares }: GapShareState, learningRate: number | null): Estimate {
    const rate = learningRate ?? 1
    const near = shares.filter((entry) => Math.max(entry.rate / rate, rate / entry.rate) <= nearRates)
    const used = near.length >= gapSharesNeeded ? near : shares
    if (used.length < gapSharesNeeded) return noEstimate(shares.length, gapSharesNeeded)
    const scaled = used.map((entry) => entry.share * (rate / entry.rate) ** gapSharePower)
    return pseudoMedianEstimate(scaled, gapSharesNeeded)
  },
}

/** (L − P)/L; NaN where there is none. */
function shareOfLoss(probe: Sample): number {
  const best = bestAverage(probe)
  const { loss } = probe.raw
  return best === undefined || probe.set !== 'held-out' || !(loss > 0)
    ? Number.NaN
    : (loss - best.loss) / loss
}
