// Which of the guard's signs is met (watch.ts says what each is).

import { tripwireNonFiniteMax } from '../../protocol/plan.ts'
import { levelOf, risesNeeded, scatterOf, usualOf } from './levels.ts'
import { bitsOf } from './norms.ts'
import {
  blocksInARow,
  type GuardState,
  guardBlockSteps,
  probesInARow,
  riseDeviations,
  stuckSteps,
} from './watch.ts'

const normHitsNeeded = 5

/** What is met: a key of the record, and its numbers. */
export type Sign = { readonly key: SignKey; readonly values: Readonly<Record<string, number | null>> }
export type SignKey =
  | 'non-finite-loss'
  | 'non-finite-norm'
  | 'non-finite-probe'
  | 'loss-rise'
  | 'forgotten'
  | 'norm-jump'
  | 'loss-stuck'

/** The sign that is met; null = none. O(1). */
export function signOf(state: GuardState): Sign | null {
  const { badLosses, badNorms, badProbes, highBlocks, zeros, others } = state
  if (bitsOf(badLosses) >= tripwireNonFiniteMax)
    return { key: 'non-finite-loss', values: { count: bitsOf(badLosses) } }
  if (bitsOf(badNorms) >= tripwireNonFiniteMax)
    return { key: 'non-finite-norm', values: { count: bitsOf(badNorms) } }
  if (badProbes === probesInARow) return { key: 'non-finite-probe', values: { count: badProbes } }
  if (highBlocks >= blocksInARow) {
    const [steps, from] = [highBlocks * guardBlockSteps, levelOf(state)]
    // The level has followed a slow climb beyond where the run began.
    return from === null || from > (state.first ?? from)
      ? { key: 'forgotten', values: { steps } }
      : { key: 'loss-rise', values: { steps, from, to: state.smoothed } }
  }
  if (zeros >= stuckSteps && others >= stuckSteps && isFarFromZero(state))
    return { key: 'loss-stuck', values: { steps: zeros } }
  if (state.normHits === 0) return null
  const hits = bitsOf(state.normHits)
  return hits >= normHitsNeeded && isRising(state) ? { key: 'norm-jump', values: { hits, of: 10 } } : null
}

/** The loss was not on its way to 0. */
function isFarFromZero(state: GuardState): boolean {
  const level = levelOf(state) ?? state.levels.at(-1) ?? null
  const scatter = usualOf(state)
  return level !== null && scatter > 0 && Math.abs(level) > riseDeviations * scatter
}

/** The newest block lies plainly above the level before it; where no loss is reported nothing speaks against it. */
function isRising(state: GuardState): boolean {
  const { rises, highBlocks, smoothed } = state
  if (smoothed === null) return true
  const scatter = scatterOf(state)
  return highBlocks > 0 || (scatter !== null && rises.length >= risesNeeded && rises.at(-1)! > 2 * scatter)
}

/** Signs that training itself has no numbers any more. Only they may end a run: an evaluation may be broken alone. */
export const isOfNumbers = ({ key }: Sign): boolean => key === 'non-finite-loss' || key === 'non-finite-norm'
