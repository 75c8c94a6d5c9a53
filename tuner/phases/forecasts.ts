// What a run will end at, by what is done: annealed now, at the planned step, never; or its averaged weights taken as they
// are. Only where held-out losses of averaged weights are seen: what the forecast rests on was measured with them.

import type { Alternative, SignalReading } from '../../protocol/vocabulary.ts'
import {
  type FinalLossInput,
  type Forecast,
  finalLossOf,
  mergedLoss,
  neverAnnealedFit,
  pastLossOf,
} from '../estimators/finalLoss.ts'
import { isSteering, offers } from '../options.ts'
import { earliestSwitchStep, endOf, lengthOf } from '../plan/bounds.ts'
import { annealRateShare } from '../plan/segments.ts'
import { chartPoints } from '../signals/charts.ts'
import type { SignalsReading } from '../signals/signals.ts'
import type { Anneal } from '../state.ts'
import type { Run } from './phase.ts'

type Reading = Pick<SignalsReading, 'gap' | 'averagedLoss'>

/** The lowest averaged weights are kept, whatever comes. */
const keepsLowest = ({ mode, options }: Run): boolean => isSteering(mode) && offers(options, 'checkpoint')

/** @param share of the present rate that is still to be annealed away. */
function inputOf(run: Run, reading: Reading, ahead: number, share = 1): FinalLossInput | null {
  if (reading.averagedLoss.value === null) return null
  const { seen } = run
  const gap = share * Math.max(0, reading.gap.value ?? 0)
  return { points: seen.signals.valley.points, isKept: keepsLowest(run), ahead, gap, stays: 0 }
}

function forecastOf(run: Run, reading: Reading, ahead: number, share = 1): Forecast | null {
  const input = inputOf(run, reading, ahead, share)
  return input === null ? null : finalLossOf(input)
}

/** Held until `switchStep`, then annealed to 0 at `toStep`: a ramp is worth half of its steps. */
export const annealedLoss = (
  run: Run,
  reading: Reading,
  { switchStep, toStep }: { switchStep: number; toStep: number },
): Forecast | null =>
  forecastOf(run, reading, switchStep - run.seen.step + Math.max(0, toStep - switchStep) / 2)

/**
 * What the run would end at, had its anneal begun at a step behind or ahead. Where its length would have been reached by now, that
 * is what averaged weights had there.
 */
export function annealedFromLoss(run: Run, switchStep: number): number | null {
  const end = endOf(run)
  if (end === null || switchStep >= end) return null
  const ahead = (switchStep + end) / 2 - run.seen.step
  const input = { points: run.seen.signals.valley.points, isKept: keepsLowest(run), ahead }
  return ahead < 0 ? pastLossOf(input) : (finalLossOf({ ...input, gap: 0, stays: 0 })?.value ?? null)
}

/** The forecast as it is charted: the value with its 95 % interval. */
export const forecastPoints = (step: number, forecast: Forecast | null): SignalReading[] =>
  forecast === null
    ? []
    : chartPoints(step, {
        forecastLoss: forecast,
        forecastLossLow: forecast.low,
        forecastLossHigh: forecast.high,
      })

/** What an anneal under way ends at: as much as its rate has still to fall is still to be gained. */
export function endOfAnneal(run: Run, course: Anneal, reading: Reading): Forecast | null {
  const { step } = run.seen
  const share = annealRateShare(course, Math.max(step, (course.rest ?? course).fromStep), lengthOf(run))
  return forecastOf(run, reading, (share * Math.max(0, course.toStep - step)) / 2, share)
}

/** The rate is never lowered, and the last weights are the result: the noise stays on them. */
function neverAnnealed(run: Run, reading: Reading, end: number): Forecast | null {
  const input = inputOf(run, reading, end - run.seen.step)
  return input === null ? null : finalLossOf({ ...input, isKept: false, stays: input.gap }, neverAnnealedFit)
}

const alternative = (
  kind: Alternative['kind'],
  switchStep: number | null,
  forecast: Forecast | null,
): Alternative[] => {
  if (forecast === null) return []
  const { value: finalLoss, standardError, low, high } = forecast
  return [{ kind, switchStep, finalLoss, standardError, low, high }]
}

/** @param planned the step at which the two sides of the rule meet; null = it is not known, and the hold ends as it must. */
export function alternativesOf(run: Run, reading: Reading, planned: number | null): readonly Alternative[] {
  const { step, signals } = run.seen
  const end = endOf(run)
  const merged = reading.averagedLoss.value === null ? null : mergedLoss(signals.averagedLosses)
  const taken = alternative('merge', step, merged)
  if (end === null || step >= end) return taken
  const switchStep = planned ?? earliestSwitchStep(run)
  const later = annealedLoss(run, reading, { switchStep, toStep: end })
  return [
    ...(switchStep > step ? alternative('at', switchStep, later) : []),
    ...alternative('now', step, annealedLoss(run, reading, { switchStep: step, toStep: end })),
    ...alternative('never', null, neverAnnealed(run, reading, end)),
    ...taken,
  ]
}
