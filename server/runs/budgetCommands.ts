// Another budget of a run that goes on, as what the log gets of it.

import type { Command, RunSummary } from '../../protocol/vocabulary.ts'
import { checkRunning } from './runErrors.ts'

/**
 * What another budget is in the log: nothing where it is not named or the same as before.
 * @throws ServerError `run-finished`.
 */
export function budgetCommands(
  run: RunSummary,
  budgetSteps: number | null | undefined,
  reason: string,
  by: string,
): Command[] {
  if (budgetSteps === undefined || budgetSteps === run.budgetSteps) return []
  checkRunning(run, 'to train on, start a new run, with a runId of its own, from the weights that you have')
  return [{ kind: 'set-budget', budgetSteps, reason, by }]
}
