// What came of a run that has ended: the loss at its start and at its end, and whether that is any better; and whether the
// job has done what was planned.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { isDrifting } from '../guard/drift.ts'
import { isSteering, offers } from '../options.ts'
import type { TunerState } from '../state.ts'

/** Blocks of training losses whose mean stands for the end. */
const lastBlocks = 3

/**
 * Null while the run goes on. Training losses are compared with training losses: the first block of the run with its last
 * ones; held-out losses of kept weights with that same first block, which is what both began near. `isBetter` null: nothing
 * was reported to tell by, or the loss has changed what it measures.
 */
export function outcomeOf({ course, seen, mode, options }: TunerState): RunSummary['outcome'] {
  if (course.kind !== 'done') return null
  const { blocks, currentMean, currentCount } = seen.signals.lossBlocks
  const { firstLoss } = seen.signals
  const last = blocks.slice(-lastBlocks).map(({ mean }) => mean)
  const recent =
    last.length > 0
      ? last.reduce((sum, mean) => sum + mean, 0) / last.length
      : currentCount > 0
        ? currentMean
        : null
  const heldOut = isSteering(mode) && offers(options, 'heldOutLoss') ? course.keptLoss : null
  const keptLoss = heldOut ?? recent
  const isBroken = course.end === 'diverged' || (seen.guard.badLosses & 1) === 1
  const isBetter = isBroken ? false : firstLoss === null || keptLoss === null ? null : keptLoss < firstLoss
  return { firstLoss, keptLoss, isBetter, isHeldOut: heldOut !== null }
}

/** Since when the job applies another rate than is planned, and which; null = it follows. */
export function driftOf({ seen }: TunerState): RunSummary['drift'] {
  const { since } = seen.drift
  if (since === null || !isDrifting(seen.drift)) return null
  return { sinceStep: since.step, applied: since.applied, planned: since.planned }
}

/** The job went its own way before the switch at that step. */
export const isIgnored = (run: TunerState, switchStep: number): boolean =>
  (driftOf(run)?.sinceStep ?? Infinity) <= switchStep
