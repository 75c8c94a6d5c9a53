// How numbers and times are written: at most 3 significant digits, thousands with a comma, no e-notation
// above 0.0001, and every ± is 1.96 standard errors (95 %). Steps and counts are exact whole numbers.
// What is not known is a word, never 0.

/** Half width of a 95 % interval, in standard errors. */
export const standardErrorsIn95 = 1.96

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** A whole number with thousands separated, such as "3,120". */
export function formatCount(value: number): string {
  return grouped.format(value)
}

/**
 * A quantity with at most 3 significant digits: 0.1 is "0.10", 0.32174 is "0.322", 1234 is "1,230".
 * Missing is "not measured"; NaN and infinities keep their names.
 */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return 'not measured'
  // Over HTTP the three non-finite numbers travel by name; Number() reads both forms.
  if (Number.isNaN(Number(value))) return 'NaN'
  if (!Number.isFinite(value)) return Number(value) > 0 ? 'infinite' : '−infinite'
  if (value === 0) return '0'
  const size = Math.abs(value)
  const sign = value < 0 ? '−' : ''
  if (size < 0.0001) return sign + powerOfTen(size)
  const rounded = Number(size.toPrecision(3))
  if (rounded >= 1e15) return sign + powerOfTen(size)
  if (rounded >= 1000) return sign + grouped.format(rounded)
  const text = plainDecimal(rounded)
  return sign + (rounded < 1 && text.length < 4 ? text.padEnd(4, '0') : text)
}

/** Digits of a number with at most 3 significant ones, without e-notation. */
function plainDecimal(value: number): string {
  const exponent = Math.floor(Math.log10(value))
  return value
    .toFixed(Math.max(0, 2 - exponent))
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
}

const superscripts: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
}

function powerOfTen(size: number): string {
  const [digits, exponent] = size.toExponential(2).split('e') as [string, string]
  const power = [...exponent.replace('+', '')].map((character) => superscripts[character]).join('')
  return `${digits.replace(/\.?0+$/, '')} × 10${power}`
}

/**
 * A value and its 95 % half width, both written to the digit that the half width allows (never more than 3
 * significant digits of the value). `plusMinus` is null where the standard error is not known.
 */
export function formatMeasured(
  value: number | null,
  standardError: number | null,
): { readonly value: string; readonly plusMinus: string | null } {
  if (value === null || standardError === null || !Number.isFinite(standardError) || !Number.isFinite(value))
    return { value: formatNumber(value), plusMinus: null }
  const half = Math.abs(standardError) * standardErrorsIn95
  if (half === 0) return { value: formatNumber(value), plusMinus: '0' }
  // One digit of the half width; two where it begins with 1, which would be rounded by up to a third.
  const digits = half.toExponential(0).startsWith('1') ? 1 : 0
  const decimals = Math.min(
    digits - Math.floor(Math.log10(half)),
    2 - Math.floor(Math.log10(Math.abs(value) || half)),
  )
  if (decimals < 1 || decimals > 6)
    return { value: formatNumber(value), plusMinus: formatNumber(Number(half.toPrecision(2))) }
  const rounded = value.toFixed(decimals).replace('-', '−')
  const error = half.toFixed(decimals)
  return {
    value: rounded,
    plusMinus: Number(error) === 0 ? formatNumber(Number(half.toPrecision(1))) : error,
  }
}

/** A loss: 3 significant digits with their zeros, so that a column of them lines up, such as "0.280". */
export function formatLoss(value: number | null | undefined): string {
  const size = Math.abs(value ?? Number.NaN)
  return size >= 0.001 && size < 100 ? (value ?? 0).toPrecision(3).replace('-', '−') : formatNumber(value)
}

/** A share in [0, 1] as a percentage with at most 2 digits, such as "1.8 %". */
export function formatShare(share: number): string {
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return 'under 0.1 %'
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`
}

/** A probability as a percentage: never written as certain where it is not. */
export function formatChance(probability: number): string {
  if (probability > 0 && probability < 0.005) return 'under 1 %'
  return probability < 1 && probability >= 0.995 ? 'over 99 %' : formatShare(probability)
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

/** "1 run", "2 runs". */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
