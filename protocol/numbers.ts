// How numbers read: at most three significant digits, thousands with a comma, no e-notation above 0.0001. The same
// everywhere, so that a decision's sentence, the page and the command line write one number one way.

/** A loss, gain or rate: 0.0213 → "0.0213", 12.345 → "12.3", 0.00001 → "1e-5". */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  if (magnitude < 1e-4) return value.toExponential(1).replace('.0e', 'e')
  if (magnitude >= 1000) return formatStep(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

/** A learning rate: two significant digits are enough to read, three where the first is 1. */
export function formatRate(rate: number): string {
  if (!Number.isFinite(rate) || rate === 0) return String(rate)
  const digits = String(Math.abs(rate).toExponential()).startsWith('1') ? 3 : 2
  const rounded = Number(rate.toPrecision(digits))
  return Math.abs(rounded) < 1e-4 ? rounded.toExponential() : String(rounded)
}

/** A whole number with thousands separated: 12345 → "12,345". */
export function formatStep(step: number): string {
  const digits = String(Math.abs(Math.round(step)))
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, ',')
  return step < 0 ? `-${grouped}` : grouped
}

/** "1 step", "12 steps". */
export const formatPlural = (count: number, noun: string): string =>
  `${formatStep(count)} ${noun}${count === 1 ? '' : 's'}`

/** A share in [0, 1] as a percentage: 0.0182 → "1.8 %". An accuracy is told apart by more digits: 0.9783 → "97.83 %". */
export function formatPercent(share: number, digits = 2): string {
  return `${Number((100 * share).toPrecision(digits))} %`
}

/** "0.021 vs 0.013": two values to compare, with digits enough to tell them apart and no more. */
export function formatPair(a: number, b: number): string {
  const larger = Math.max(Math.abs(a), Math.abs(b))
  if (!(larger > 0) || !Number.isFinite(larger)) return `${formatNumber(a)} vs ${formatNumber(b)}`
  if (larger < 1e-4 || larger >= 1000) return `${formatNumber(a)} vs ${formatNumber(b)}`
  const decimals = 1 - Math.floor(Math.log10(larger))
  const text = (value: number, places: number) => String(Number(value.toFixed(Math.max(0, places))))
  // A third digit where two would make different values look the same.
  const places = a !== b && text(a, decimals) === text(b, decimals) ? decimals + 1 : decimals
  return `${text(a, places)} vs ${text(b, places)}`
}
