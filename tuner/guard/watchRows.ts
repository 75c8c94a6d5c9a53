// The guard's watch over many rows at once, where none of them is odd: what watch.ts makes of them one by one, to the last bit.
// Cost: some ten operations a row, and a block's end.

import type { SampleColumns } from '../../protocol/vocabulary.ts'
import type { Rows } from '../estimators/estimator.ts'
import { normsOver } from './norms.ts'
import { signOf } from './signs.ts'
import { endBlock, type GuardState, guardBlockSteps, stuckSteps } from './watch.ts'

/** Nothing of late was odd, so that the next sound row is none that is to be told of. */
export const isCalm = (state: GuardState, step: number): boolean =>
  step >= state.blindUntilStep &&
  state.badLosses === 0 &&
  state.badNorms === 0 &&
  state.normHits === 0 &&
  state.zeros === 0 &&
  signOf(state) === null

/** Rows until the guard's block is full. */
export const rowsLeft = ({ count }: GuardState): number => guardBlockSteps - count

type Watched = Rows & {
  /** The smoothed loss that the plan's limit lies at; null = it has none. */
  readonly limit: number | null
}

/**
 * Folds rows of one block whose losses are sound and not 0, from a calm state on, up to the first at which something may have to be decided:
 * a block's end, a high norm, a passed limit. `to`: one past it.
 */
export function watchedOver(
  before: GuardState,
  columns: Pick<SampleColumns, 'loss' | 'gradientNormSquared'>,
  { from, to: end, limit }: Watched,
): { readonly guard: GuardState; readonly to: number } {
  const { norms, to } = normsOver(before, columns.gradientNormSquared, { from, to: end })
  const losses = lossesOver(before, columns.loss!, { from, to, limit })
  // The limit is passed before what else ended the rows: so they end there.
  if (losses.to < to) return watchedOver(before, columns, { from, to: losses.to, limit })
  const { sum, squares } = losses
  const isFull = losses.count >= guardBlockSteps
  // Each field is named: spreading them takes longer than all the rows.
  const guard: GuardState = {
    badLosses: before.badLosses,
    badNorms: norms.badNorms,
    badProbes: before.badProbes,
    zeros: before.zeros,
    others: Math.min(before.others + to - from, stuckSteps),
    sum: isFull ? 0 : sum,
    squares: isFull ? 0 : squares,
    count: isFull ? 0 : losses.count,
    lastLoss: losses.last,
    smoothed: losses.smoothed,
    levels: before.levels,
    scatters: before.scatters,
    rises: before.rises,
    highBlocks: before.highBlocks,
    leap: before.leap,
    sinceLeap: before.sinceLeap,
    healed: before.healed,
    firstScatter: before.firstScatter,
    first: before.first,
    lowest: before.lowest,
    hasLearned: before.hasLearned,
    normMean: norms.normMean,
    normVariance: norms.normVariance,
    normCount: norms.normCount,
    normHits: norms.normHits,
    batchSize: norms.batchSize,
    trips: before.trips,
    blindUntilStep: before.blindUntilStep,
    unheardRows: before.unheardRows,
    passed: before.passed,
    checkpoints: before.checkpoints,
  }
  if (!isFull) return { guard, to }
  return { guard: endBlock(guard, sum / guardBlockSteps, Math.sqrt(squares / (2 * guardBlockSteps))), to }
}

function lossesOver(state: GuardState, losses: readonly (number | null)[], { from, to, limit }: Watched) {
  let { sum, squares, count } = state
  let last = state.lastLoss ?? losses[from]!
  let smoothed = state.smoothed ?? losses[from]!
  let i = from
  let isPassed = false
  for (; i < to && !isPassed; i++) {
    const loss = losses[i]!
    const step = loss - last
    sum += loss
    squares += step * step
    count++
    last = loss
    smoothed += (loss - smoothed) / 10
    isPassed = limit !== null && smoothed > limit
  }
  return { sum, squares, count, last, smoothed, to: i }
}
