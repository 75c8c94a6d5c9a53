// The ground truth of a checkpoint, by fork: whether lowering the rate takes a large part off the loss at once.
// Thresholds were set before the first label was seen (bench/records/2026-11-24-regime).

import type { CheckpointTruth } from '../traces/format.ts'

export const largeDropMin = 0.1
/** What a drop must exceed the one of staying by, so that it is not the luck of one iterate. */
export const largeExcessMin = 0.05
export const smallDropMax = 0.03

export const lossSets = ['train', 'heldOut'] as const
export type LossSet = (typeof lossSets)[number]

export type Label = 'large-step' | 'small-step' | 'between' | 'not finite'

/** Shares of the loss that go over the fork: at a tenth of the rate, and at the rate itself. */
export type Drops = { readonly drop: number; readonly staying: number }

/** @throws RangeError if the checkpoint lacks one of the two forks. */
export function dropsOf({ before, forks, step }: CheckpointTruth, set: LossSet): Drops {
  const share = (rateFactor: number): number => {
    const fork = forks.find((entry) => entry.rateFactor === rateFactor)
    if (fork === undefined)
      throw new RangeError(
        `forks of the checkpoint at step ${step} must hold rate factor ${rateFactor}, got none`,
      )
    return 1 - fork[set].loss / before[set].loss
  }
  return { drop: share(0.1), staying: share(1) }
}

export function labelOf({ drop, staying }: Drops): Label {
  if (!Number.isFinite(drop) || !Number.isFinite(staying)) return 'not finite'
  const excess = drop - staying
  if (drop >= largeDropMin && excess >= largeExcessMin) return 'large-step'
  return drop <= smallDropMax || excess <= 0 ? 'small-step' : 'between'
}
