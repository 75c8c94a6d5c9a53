// How true the promises of finished runs were, from their summaries alone: no log is folded. Where it says 95 % and fewer come
// true, forecasts are too sure; where the intervals are wide, they say little. Both are told.

import { median } from 'simple-statistics'
import type { ForecastCalibration, RunSummary } from '../../protocol/vocabulary.ts'
import type { Storage } from '../storage/storage.ts'

/** The newest finished runs that are looked at. */
export const calibratedRunsMax = 1_000
/** Widths over the loss, from which bins begin: up to 5, 15 and 50 % of it, and beyond. */
const binsFrom = [0, 0.05, 0.15, 0.5] as const

type Outcome = {
  readonly isInside: boolean
  readonly isAbove: boolean
  /** Width over the loss; null = the loss is 0. */
  readonly width: number | null
}

/** Null = nothing was promised, or nothing is known of what came. */
function outcomeOf({ forecast }: Pick<RunSummary, 'forecast'>): Outcome | null {
  if (forecast?.reached == null || forecast.isInside === null) return null
  const { low, high, reached, isInside } = forecast
  const width = reached === 0 ? null : (high - low) / Math.abs(reached)
  return { isInside, isAbove: reached > high, width }
}

const tallyOf = (outcomes: readonly Outcome[]) => ({
  count: outcomes.length,
  inside: outcomes.filter(({ isInside }) => isInside).length,
})

export function calibrationOf(runs: readonly Pick<RunSummary, 'forecast'>[]): ForecastCalibration {
  const outcomes = runs.flatMap((run) => outcomeOf(run) ?? [])
  const widths = outcomes.flatMap(({ width }) => (width === null ? [] : [width]))
  const above = outcomes.filter(({ isAbove }) => isAbove).length
  const { count, inside } = tallyOf(outcomes)
  return {
    runs: runs.length,
    count,
    inside,
    below: count - inside - above,
    above,
    widthMedian: widths.length === 0 ? null : median(widths),
    bins: binsFrom.map((from, i) => {
      const to = binsFrom[i + 1] ?? Number.POSITIVE_INFINITY
      const own = outcomes.filter(({ width }) => width !== null && width >= from && width < to)
      return { from, ...tallyOf(own) }
    }),
  }
}

/** @param within the only project whose runs count; null = all do */
export async function forecastCalibration(
  storage: Storage,
  now: number,
  within: string | null = null,
): Promise<ForecastCalibration> {
  const bound = within === null ? {} : { within }
  const { runs } = await storage.listRuns({ state: 'finished', limit: calibratedRunsMax, now, ...bound })
  return calibrationOf(runs.map(({ summary }) => summary))
}
