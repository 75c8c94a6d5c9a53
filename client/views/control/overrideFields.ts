// Reads the three fields of an override. The server has the last word; this saves a journey for what is
// plainly not a rate or lies in the past.

import { formatRate, formatStep } from '../../../protocol/numbers.ts'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import type { OverrideBody } from '../../connection/api.ts'

export type OverrideFields = { readonly rate: string; readonly until: string; readonly reason: string }
export type OverrideCheck = {
  readonly body: OverrideBody | null
  readonly errors: { readonly rate?: string; readonly until?: string; readonly reason?: string }
  /** What will happen to a rate outside the run's limits; null = nothing. */
  readonly note: string | null
}

/** The request behind the fields, or a sentence for each field that cannot be sent. */
export function checkOverride(
  fields: OverrideFields,
  run: Pick<RunSummary, 'step' | 'options'>,
): OverrideCheck {
  const errors: { rate?: string; until?: string; reason?: string } = {}
  const rate = fields.rate.trim() === '' ? Number.NaN : Number(fields.rate.replace(',', '.'))
  if (!Number.isFinite(rate) || rate < 0)
    errors.rate = 'Learning rate must be a number of 0 or more, such as 0.05.'
  const until = Number(fields.until.replaceAll(',', '').trim() || Number.NaN)
  if (!Number.isInteger(until) || until <= run.step)
    errors.until = `Until step must be a whole number above the present step, ${formatStep(run.step)}.`
  const reason = fields.reason.trim()
  if (reason === '') errors.reason = 'Reason must not be empty: it is kept in the record.'
  const { min, max } = run.options.learningRate
  const note =
    max !== null && rate > max
      ? `Clamped to ${formatRate(max)}, this run’s maximum.`
      : min !== null && rate < min
        ? `Raised to ${formatRate(min)}, this run’s minimum.`
        : null
  const sound = Object.keys(errors).length === 0
  return { body: sound ? { learningRate: rate, untilStep: until, reason } : null, errors, note }
}

/** What the slider goes over, as powers of ten: the run's limits, else two decades below the rate and one above it. */
export function sliderDecades(run: Pick<RunSummary, 'options' | 'learningRate' | 'largeLearningRate'>): {
  readonly low: number
  readonly high: number
} {
  const { min, max, initial } = run.options.learningRate
  const middle = run.largeLearningRate || run.learningRate || initial || 0.1
  const high = Math.log10(max !== null && max > 0 ? max : middle * 10)
  const low = Math.log10(min !== null && min > 0 ? min : middle / 100)
  return low < high ? { low, high } : { low: high - 3, high }
}

/** The rate that will hold, for the ghost on the chart. */
export function clampedTo(run: Pick<RunSummary, 'options'>, rate: number): number {
  const { min, max } = run.options.learningRate
  return Math.min(max ?? Number.POSITIVE_INFINITY, Math.max(min ?? 0, rate))
}
