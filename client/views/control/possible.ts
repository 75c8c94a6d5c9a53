// What a person can have done to a run now, and why not where not. The server has the last word; this saves a journey, and
// gives a disabled button its reason.

import { formatStep } from '../../../protocol/numbers.ts'
import { undoableUntil } from '../../../protocol/plan.ts'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import { elapsedOf, endStepOf, firstStepOf } from '../../charts/phases.ts'
import { whyNotControl } from '../../state/access.ts'

export type Wish =
  | 'override'
  | 'switch-now'
  | 'undo-switch'
  | 'branch'
  | 'pause'
  | 'finish'
  | 'mode'
  | 'budget'
  /** What is possible of an ended run, too: its name, and its end. */
  | 'details'

export const hasEnded = ({ state }: Pick<RunSummary, 'state'>): boolean =>
  state === 'finished' || state === 'diverged'
export const isSteered = ({ mode }: Pick<RunSummary, 'mode'>): boolean =>
  mode === 'auto' || mode === 'approve'

/** The last step at which a switch can be undone; null = at any, as there is no budget. */
export function undoUntilOf(run: RunSummary): number | null {
  const end = endStepOf(run)
  return end === null ? null : undoableUntil(firstStepOf(run), end)
}

/** No step of the run has been reported. */
export const isUnheard = (run: Pick<RunSummary, 'options' | 'phases' | 'step' | 'loss'>): boolean =>
  elapsedOf(run) === 0 && run.loss === null

function whyNotUndo(run: RunSummary): string | null {
  if (run.phase !== 'anneal') return 'There is no switch to undo.'
  const until = undoUntilOf(run)
  return until !== null && run.step > until
    ? `Too late to undo: under 20 % of the budget is left since step ${formatStep(until)}.`
    : null
}

function whyNotBranch(run: RunSummary): string | null {
  if (!run.options.capabilities.includes('branch')) return 'The job does not offer to anneal copies.'
  if (run.phase === 'warmup') return 'Rates are still being tried.'
  if (run.phase === 'anneal') return 'The anneal is already under way.'
  if (run.state === 'paused') return 'The run is paused.'
  return run.branches.some(({ state }) => state === 'asked') ? 'A copy is being annealed already.' : null
}

/** Why a wish cannot be met now, as a sentence; null = it can. */
export function whyNot(run: RunSummary, wish: Wish): string | null {
  const forbidden = whyNotControl()
  if (forbidden !== null) return forbidden
  if (wish === 'details') return null
  if (hasEnded(run)) return 'The run has ended.'
  // These reach the job in every mode.
  if (wish === 'mode' || wish === 'budget' || wish === 'pause' || wish === 'finish') return null
  if (!isSteered(run)) return `Nothing is steered in the mode ${run.mode}.`
  if (wish === 'undo-switch') return whyNotUndo(run)
  if (wish === 'branch') return whyNotBranch(run)
  if (wish !== 'switch-now') return null
  if (isUnheard(run)) return 'Nothing has been reported yet.'
  return run.phase === 'anneal' ? 'The anneal is already under way.' : null
}
