// What the page writes beyond plain numbers, which protocol/numbers.ts writes for all programs alike: values that may be
// missing, values with their error (every ± is 1.96 standard errors, 95 %), chances, and times. What is not known is a
// word, never 0.

import { formatNumber, formatPercent, formatPlural } from '../../protocol/numbers.ts'

/** Half width of a 95 % interval, in standard errors. */
export const standardErrorsIn95 = 1.96

/** A value in one of the number formats, or that it is not measured. */
export const formatKnown = (
  value: number | null | undefined,
  format: (value: number) => string = formatNumber,
): string => (value === null || value === undefined ? 'not measured' : format(value))

/** What needs more is written with an exponent, as everywhere. */
const decimalsMax = 4

export type MeasuredWords = { readonly value: string; readonly plusMinus: string | null }

/**
 * A value and its 95 % half width, both written to the digit that the half width allows: only here a 0 at the end
 * stands, as it was measured. The value gets 2 significant digits at least, as in a sentence, and 3 at most.
 * `plusMinus` is null where the standard error is not known; the value is then in the format given.
 */
export function formatMeasured(
  value: number | null,
  standardError: number | null,
  format: (value: number) => string = formatNumber,
): MeasuredWords {
  if (value === null || standardError === null || !Number.isFinite(standardError) || !Number.isFinite(value))
    return { value: formatKnown(value, format), plusMinus: null }
  const half = Math.abs(standardError) * standardErrorsIn95
  if (half === 0) return { value: formatNumber(value), plusMinus: '0' }
  // One digit of the half width; two where it begins with 1, which would be rounded by up to a third.
  const digits = half.toExponential(0).startsWith('1') ? 1 : 0
  const byHalf = digits - Math.floor(Math.log10(half))
  const first = Math.floor(Math.log10(Math.abs(value)))
  const decimals = value === 0 ? byHalf : Math.min(Math.max(byHalf, 1 - first), 2 - first)
  if (decimals < 1 || decimals > decimalsMax)
    return { value: formatNumber(value), plusMinus: formatNumber(Number(half.toPrecision(2))) }
  const error = half.toFixed(decimals)
  return {
    value: value.toFixed(decimals),
    plusMinus: Number(error) === 0 ? formatNumber(Number(half.toPrecision(1))) : error,
  }
}

/** A value with its 95 % interval, which need not lie evenly about it. */
export const formatWithin = ({ value, low, high }: { value: number; low: number; high: number }): string =>
  `${formatNumber(value)} (${formatRange({ low, high })})`
export const formatRange = ({ low, high }: { low: number; high: number }): string =>
  `${formatNumber(low)} to ${formatNumber(high)}`

/** A probability as a percentage: never written as certain where it is not. */
export function formatChance(probability: number): string {
  const words = formatPercent(probability)
  return words === '100 %' && probability < 1 ? 'over 99 %' : words
}

/** A stretch of time in words: "40 s", "9 min", "2 h 5 min", "3 days". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.round(whole / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 || hours >= 10 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.round(hours / 24)} days`
}

/** How long ago an ISO time was: "now" under 3 s. An unreadable time is "at an unknown time". */
export function formatAgo(isoTime: string, nowMs: number): string {
  const then = Date.parse(isoTime)
  if (Number.isNaN(then)) return 'at an unknown time'
  const seconds = (nowMs - then) / 1000
  if (seconds < 3) return 'now'
  const hours = Math.floor(seconds / 3600)
  if (hours >= 24) return `${formatPlural(Math.floor(hours / 24), 'day')} ago`
  return hours >= 1 ? `${hours} h ago` : `${formatDuration(seconds)} ago`
}
