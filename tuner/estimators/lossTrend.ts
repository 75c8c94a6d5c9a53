// Trend of the training loss: Theil–Sen slope over the last 64 complete blocks, the median of the slopes of all
// pairs of block means (up to 29 % of the blocks may be outliers). It is the only progress signal where the
// job reports nothing but its loss. Unit: loss per step; negative = improving.
// Error: half the width of Sen's distribution-free 95 % interval (the slopes of rank (N ∓ C)/2, where
// C = 1.96·√(n(n−1)(2n+5)/18) is Kendall's; Sen 1968) over 1.96, times the factor for correlated blocks.
// Cost: O(1) per sample; a reading selects among up to 2,016 slopes. Bad samples: see blocks.ts.

import { quickselect } from 'simple-statistics'
import { type Block, type BlocksOptions, type BlocksSample, type BlocksState, blocks } from './blocks.ts'
import { type Estimate, type Estimator, noEstimate } from './estimator.ts'
import { cautiousFactor } from './uncertainty.ts'

// Loss trend. Chosen: 64 blocks are 2,016 pairs, a fraction of a millisecond.
const trendBlocksMax = 64
const trendBlocksNeeded = 8

export const lossTrend: Estimator<BlocksOptions, BlocksState, BlocksSample, Estimate> = {
  name: 'lossTrend',
  init: blocks.init,
  update: blocks.update,
  read: (state) => trendOfBlocks(blocks.read(state)),
}

/** Theil–Sen slope per step of the last 64 blocks' means over their first steps; 8 blocks are needed. */
export function trendOfBlocks(series: readonly Block[]): Estimate {
  const recent = series.slice(-trendBlocksMax)
  const n = recent.length
  if (n < trendBlocksNeeded) return noEstimate(n, trendBlocksNeeded)
  const slopes = slopesOf(recent)
  const value = (ranked(slopes, (slopes.length - 1) >> 1) + ranked(slopes, slopes.length >> 1)) / 2
  if (!Number.isFinite(value)) return noEstimate(n, trendBlocksNeeded)
  const residuals = recent.map((block) => block.mean - value * block.step)
  const rankSpread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  // As scipy's theilslopes: 0-based ranks, the lower one less 1, both kept inside the list.
  const lower = Math.max(0, Math.round((slopes.length - rankSpread) / 2) - 1)
  const upper = Math.min(slopes.length - 1, Math.round((slopes.length + rankSpread) / 2))
  const error = ((ranked(slopes, upper) - ranked(slopes, lower)) / (2 * 1.96)) * cautiousFactor(residuals, 2)
  return { value, standardError: Number.isFinite(error) ? error : null, count: n, needed: trendBlocksNeeded }
}

function slopesOf(recent: readonly Block[]): number[] {
  const slopes: number[] = []
  for (const [i, a] of recent.entries()) {
    for (let j = i + 1; j < recent.length; j++) {
      const b = recent[j]!
      slopes.push((b.mean - a.mean) / (b.step - a.step))
    }
  }
  return slopes
}

/** The value of a 0-based rank; puts the list in another order. */
function ranked(values: number[], rank: number): number {
  quickselect(values, rank)
  return values[rank]!
}
