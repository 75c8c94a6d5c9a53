// The ground truth of a checkpoint: whether lowering the rate takes a large part off the loss at once, by a short fork, or
// by an anneal over a tenth of the budget. Thresholds were set before the first label was seen
// (bench/records/2026-11-24-regime).

import type { CheckpointTruth, TraceRun } from '../traces/format.ts'

export const largeDropMin = 0.1
/** What a drop must exceed the one of staying by, so that it is not the luck of one iterate. */
export const largeExcessMin = 0.05
export const smallDropMax = 0.03

export const lossSets = ['train', 'heldOut'] as const
export type LossSet = (typeof lossSets)[number]

/** By fork, with the loss of either set, and by anneal with the training loss. */
export const labelSets = [...lossSets, 'annealed'] as const
export type LabelSet = (typeof labelSets)[number]

export type Label = 'large-step' | 'small-step' | 'between' | 'no label'

/** Shares of the loss that go: at a tenth of the rate, or annealed, and at the rate itself. */
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
  if (!Number.isFinite(drop) || !Number.isFinite(staying)) return 'no label'
  const excess = drop - staying
  if (drop >= largeDropMin && excess >= largeExcessMin) return 'large-step'
  return drop <= smallDropMax || excess <= 0 ? 'small-step' : 'between'
}

const tenth = 0.1

/** Over an anneal of a tenth of the budget; NaN where the run was not scored at its end, so that nothing says what staying brings. */
export function annealDropsOf(
  { checkpoints, final }: TraceRun,
  { share, before, anneals }: CheckpointTruth,
): Drops {
  const isLater = (entry: CheckpointTruth) => Math.abs(entry.share - share - tenth) < 1e-9
  const later = share + tenth > 1 - 1e-9 ? final : checkpoints.find(isLater)?.before
  const annealed = anneals.find(({ name }) => name === 'tenth')
  const gone = (loss: number | undefined) => 1 - (loss ?? Number.NaN) / before.train.loss
  return { drop: gone(annealed?.train.loss), staying: gone(later?.train.loss) }
}
