// What becomes of a command that was sent: the job hears of it with its next report, and the rates that it reports after
// that tell whether it follows. The page says no more than the run's own reports show.

import { formatStep } from '../../protocol/numbers.ts'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { ControlAnswer, RunSummary } from '../../protocol/vocabulary.ts'
import { type Columns, indexAt } from '../state/series.ts'

/** What is known of a command from the answer to it. */
export type Sent = {
  /** Steps that the run had reported by then. */
  readonly atStep: number
  /** When the run was last heard of by then. */
  readonly seenAt: string
  /** Whether the rates ahead are others than before. */
  readonly changesRates: boolean
}

export const sentOf = ({ run }: ControlAnswer, changesRates: boolean): Sent => ({
  atStep: run.step,
  seenAt: run.lastSeenAt,
  changesRates,
})

/** A reported rate counts as the planned one to within this share: rates travel as text. */
const sameShare = 0.01

type Fated = Pick<RunSummary, 'plan' | 'learningRate'>

/** The first reported step from `fromStep` on whose rate is the plan's, if all after it are as well; null = none yet. */
function followedFrom(run: Fated, rates: Columns | undefined, fromStep: number): number | null {
  if (rates === undefined) return null
  let first: number | null = null
  for (let i = indexAt(rates.step, fromStep - 1) + 1; i < rates.step.length; i++) {
    const rate = rates.last[i]
    if (rate === null || rate === undefined) continue
    const planned = evaluatePlan(run.plan, rates.step[i]!).learningRate
    const follows = Math.abs(rate - planned) <= sameShare * Math.max(rate, planned)
    if (follows) first ??= rates.step[i]!
    else first = null
  }
  return first
}

/** Whether the job has reported since, and so has heard of it. */
export const isHeard = (sent: Sent, run: Pick<RunSummary, 'step' | 'lastSeenAt'>): boolean =>
  run.step > sent.atStep || Date.parse(run.lastSeenAt) > Date.parse(sent.seenAt)

/**
 * @param heardAtStep steps that the run had reported when the job first reported again; null = it has not
 * @param rates the series of the applied rate, as far as the page has it
 * @returns a sentence for beside the button
 */
export function fateWords(
  sent: Sent,
  heardAtStep: number | null,
  run: Fated,
  rates: Columns | undefined,
): string {
  if (heardAtStep === null) return 'Sent. The job applies it at its next report.'
  const since = `The job has it since its report at step ${formatStep(heardAtStep)}`
  // Where the chart of the rate is closed the page has no rates to look at.
  const isSeen = rates !== undefined || run.learningRate === null
  if (!sent.changesRates || !isSeen || run.plan.segments.length === 0) return `${since}.`
  const applied = followedFrom(run, rates, sent.atStep)
  if (applied !== null) return `Applied at step ${formatStep(applied)}.`
  return run.learningRate === null
    ? `${since}; it reports no rate.`
    : `${since}; its rates do not show it yet.`
}
