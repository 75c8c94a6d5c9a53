// Many sound rows to the estimators at once, each by its columns: what signals.ts makes of them one by one, to the last bit.

import type { SampleColumns } from '../../protocol/vocabulary.ts'
import { filledOver } from '../estimators/blocks.ts'
import { spentOver } from '../estimators/cost.ts'
import type { Rows } from '../estimators/estimator.ts'
import { noiseOver } from '../estimators/gradientNoise.ts'
import { smoothedOver } from '../estimators/lossSmoother.ts'
import { firstLosses, type SignalsState } from './signals.ts'

/** The first losses of a run are looked at one by one. */
export const areFirstLossesKnown = ({ firstCount }: SignalsState): boolean => firstCount >= firstLosses

/**
 * Folds rows with finite losses, of which all but the last lie within the block of losses that is being filled. Norms are finite
 * or not measured, batch sizes sound or not told, none is skipped.
 * @param origin the step that the run's own counter began at
 */
export function foldedOver(
  state: SignalsState,
  columns: SampleColumns,
  rows: Rows & { readonly origin: number },
): SignalsState {
  const { step, loss, batchSize, microBatchSize } = columns
  // Each field is named: spreading them takes longer than the rows.
  return {
    smoother: smoothedOver(state.smoother, step, loss!, rows),
    lossBlocks: filledOver(state.lossBlocks, step, loss!, rows),
    noise: noiseOver(state.noise, columns, rows),
    preconditionedNoise: noiseOver(
      state.preconditionedNoise,
      {
        gradientNormSquared: columns.preconditionedGradientNormSquared,
        microGradientNormSquared: columns.preconditionedMicroGradientNormSquared,
        batchSize,
        microBatchSize,
      },
      rows,
    ),
    curvature: state.curvature,
    gap: state.gap,
    gapShare: state.gapShare,
    valley: state.valley,
    cost: spentOver(state.cost, columns.stepSeconds, columns.signalSeconds, rows),
    batchSize: lastOf(batchSize, rows) ?? state.batchSize,
    probeLosses: state.probeLosses,
    averagedLosses: state.averagedLosses,
    averagedSteps: state.averagedSteps,
    probeSeconds: state.probeSeconds,
    firstLoss: state.firstLoss,
    firstCount: state.firstCount,
    badSamples: state.badSamples,
  }
}

/** The last number that a column has in rows; null = none. */
export function lastOf(column: readonly (number | null)[] | undefined, { from, to }: Rows): number | null {
  for (let i = to - 1; column !== undefined && i >= from; i--) {
    const value = column[i]!
    if (value !== null) return value
  }
  return null
}
