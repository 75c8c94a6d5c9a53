// How exactly a run's rates are known, and so how near a formula must come to stand for one. Clients send nine
// significant digits, some of them of a rate that their framework keeps in 32 bits; others send doubles as they are.
//
// Of a rounded rate the true one lies anywhere in its cell, and a formula within the cell gives the very rate after the
// same rounding. Cells are made smaller by `margin`, as the last bits of cos, log and power differ between languages.

export type Precision =
  /** Rounded to so many significant digits. */
  | { readonly kind: 'digits'; readonly digits: number }
  /** The nearest 32-bit number, written with nine digits. */
  | { readonly kind: 'single' }
  /** Full doubles: a formula must be this near, relatively. */
  | { readonly kind: 'relative'; readonly tolerance: number }
export type Cell = { readonly low: number; readonly high: number }

/** Relative distance at which a formula may stand for rates that are given as full doubles. */
export const relativeTolerance = 1e-12
/** Above this many digits rounding is finer than the formulas' own rounding errors. */
const digitsMax = 12
/** What clients send. */
const clientDigits = 9
const margin = 1e-5

/** Significant digits and decimal exponent of the shortest text that gives the number again. */
function decimalsOf(rate: number): { digits: number; exponent: number; mantissa: string } {
  const [mantissa = '0', exponent = '0'] = rate.toExponential().split('e')
  return { digits: mantissa.replace('.', '').length, exponent: Number(exponent), mantissa }
}

/** The numbers that become this rate when they are rounded to so many digits. */
function digitsCell(rate: number, digits: number): Cell {
  const { exponent, mantissa } = decimalsOf(rate)
  const half = Number(`5e${exponent - digits}`) * (1 - margin)
  // Below a power of ten numbers lie ten times as dense.
  return { low: rate - (mantissa === '1' ? half / 10 : half), high: rate + half }
}

/** A 32-bit number half-way between two of nine digits: languages round it to different sides. */
function isHalfWay(single: number): boolean {
  const { digits, mantissa } = decimalsOf(single)
  return digits === clientDigits + 1 && mantissa.endsWith('5')
}

function isSingle(rate: number): boolean {
  const single = Math.fround(rate)
  if (Number(single.toPrecision(clientDigits)) === rate) return true
  return isHalfWay(single) && decimalsOf(rate).digits <= clientDigits
}

/**
 * The coarsest rounding that all rates have been through, but never less than nine digits: where a formula cannot be
 * rounded, as on a device that computes in 32 bits, what it leaves out must not be seen.
 */
export function precisionOf(rates: Iterable<number>): Precision {
  let digits = clientDigits
  let allSingle = true
  for (const rate of rates) {
    digits = Math.max(digits, decimalsOf(rate).digits)
    allSingle &&= isSingle(rate)
  }
  if (allSingle) return { kind: 'single' }
  return digits <= digitsMax ? { kind: 'digits', digits } : { kind: 'relative', tolerance: relativeTolerance }
}

const word = new DataView(new ArrayBuffer(4))
/** The next 32-bit number above (1) or below (−1) a positive one. */
function neighbour(single: number, by: 1 | -1): number {
  word.setFloat32(0, single)
  word.setInt32(0, word.getInt32(0) + by)
  return word.getFloat32(0)
}

/** Where a formula may lie to stand for a rate of 0 or more. */
export function cellOf(precision: Precision, rate: number): Cell {
  if (rate === 0) return { low: 0, high: 0 }
  if (precision.kind === 'relative') {
    const half = rate * precision.tolerance * 0.99
    return { low: rate - half, high: rate + half }
  }
  if (precision.kind === 'single') {
    const single = Math.fround(rate)
    if (isHalfWay(single)) return { low: rate, high: rate }
    const below = ((single - neighbour(single, -1)) / 2) * (1 - margin)
    const above = ((neighbour(single, 1) - single) / 2) * (1 - margin)
    return { low: single - below, high: single + above }
  }
  return digitsCell(rate, precision.digits)
}
