// Lists of numbers straight from the bytes of a JSON text: what JSON.parse would give, in half of its time. A list that
// is not of the plain kind (numbers, null and the three names of non-finite numbers, with nothing but single spaces between them)
// is left to JSON.parse and its sentences.
//
// A decimal of up to 18 digits is d·10^e with d = a·10^k + b, where a and b have nine digits at most: whole numbers that a
// processor adds up without rounding, and of which a·10^k is an exact double. Where d is below 10^15 and |e| ≤ 22 all parts are
// exact, so one division or product is rightly rounded (Clinger 1990, "How to read floating point numbers accurately"). Longer
// ones are carried as a sum of two doubles (Dekker 1971), whose error is below 2^-95 of the value; where that could turn the
// rounding, and for all other exponents, the text goes to Number(). Cost: one look at each byte, and some 30 operations for a
// number of 17 digits.

import { Buffer } from 'node:buffer'
import { nonFiniteNames } from '../../protocol/nonFinite.ts'

const powers = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
const exactDigits = 15
/** Digits of each of the two parts. */
const partDigits = 9
const digitsMax = 2 * partDigits
const powerMax = 22
/** Bound of the relative error of a sum of two doubles as computed here. */
const sumError = 2 ** -95
const splitter = 2 ** 27 + 1

/** (high·10^k + low)·10^exponent with k ≤ 9 digits in `low`, rightly rounded; NaN where that is not certain. */
function decimalOf(high: number, low: number, digits: number, exponent: number): number {
  const product = digits > partDigits ? high * powers[digits - partDigits]! : high
  const head = product + low
  if (digits <= exactDigits) return exponent < 0 ? head / powers[-exponent]! : head * powers[exponent]!
  // What the sum lost.
  const lost = low - (head - product)
  if (exponent === 0) return certain(head, lost)
  if (exponent < 0) {
    const divisor = powers[-exponent]!
    const quotient = head / divisor
    const back = quotient * divisor
    const rest = head - back - lostIn(quotient, divisor, back) + lost
    return certain(quotient, rest / divisor)
  }
  const factor = powers[exponent]!
  const whole = head * factor
  return certain(whole, lostIn(head, factor, whole) + lost * factor)
}

/** Of digits that were taken, times 10^exponent; NaN = not certain. */
function numberOf(high: number, low: number, digits: number, exponent: number): number {
  if (digits === 0) return 0
  if (digits > digitsMax || exponent < -powerMax || exponent > powerMax) return Number.NaN
  return decimalOf(high, low, digits, exponent)
}

/** a·b − p where p is the rounded product: Dekker's, exact while nothing overflows. */
function lostIn(a: number, b: number, product: number): number {
  const splitA = splitter * a
  const splitB = splitter * b
  const highA = splitA - (splitA - a)
  const highB = splitB - (splitB - b)
  const lowA = a - highA
  const lowB = b - highB
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB)
}

/** The double next to head + rest; NaN where the error of `rest` could make it another one. */
function certain(head: number, rest: number): number {
  const error = head * sumError
  const value = head + (rest - error)
  return value === head + (rest + error) ? value : Number.NaN
}

const [zero, dot, minus, plus] = [0x30, 0x2e, 0x2d, 0x2b]
const [comma, close, open, space, quote] = [0x2c, 0x5d, 0x5b, 0x20, 0x22]
const [letterE, letterSmallE, letterSmallN] = [0x45, 0x65, 0x6e]
/** Far beyond what a double has: a power is counted no further. */
const powerBound = 10_000
const noPower = 10 * powerBound
const words = [
  { bytes: Buffer.from('null'), value: null },
  ...nonFiniteNames.map((name) => ({ bytes: Buffer.from(`"${name}"`), value: Number(name) })),
]

/** What a digit stands for; other bytes, and none, give 10 or more. Written as numbers, as looking up names takes longer. */
const digitOf = (byte: number): number => (byte >= 0x30 ? byte - 0x30 : 10)
const isDigit = (byte: number): boolean => digitOf(byte) <= 9

/** Reads lists; `end` is where the last one ended. */
export class NumberLists {
  private readonly bytes: Buffer
  /** One past what was read last. */
  end = 0
  /** Of the list before: the next one of a batch is as long. */
  private length = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** The list whose opening bracket stands at a place; undefined = it is not of the plain kind, or has a number beyond a double. */
  read(from: number, entriesMax: number): (number | null)[] | undefined {
    const { bytes } = this
    // Made as long as it will be, as growing costs as much as filling.
    const values: (number | null)[] = this.length === 0 ? [] : new Array(this.length)
    if (bytes[from] !== open) return undefined
    let count = 0
    for (let at = from + 1; count < entriesMax; at = this.end + 1) {
      if (bytes[at] === space) at++
      const first = bytes[at]
      const isTaken =
        first === quote || first === letterSmallN
          ? this.word(at, values, count)
          : this.number(at, values, count)
      if (!isTaken) return undefined
      count++
      if (bytes[this.end] === comma) continue
      if (bytes[this.end] !== close) return undefined
      this.end++
      values.length = count
      this.length = count
      return values
    }
    return undefined
  }

  private word(from: number, into: (number | null)[], index: number): boolean {
    for (const { bytes, value } of words) {
      const end = from + bytes.length
      if (end > this.bytes.length || bytes.compare(this.bytes, from, end) !== 0) continue
      this.end = end
      into[index] = value
      return true
    }
    return false
  }

  /** Takes the number that begins at a place, where it is one of JSON and finite. Handing it over would put it on the heap. */
  private number(from: number, into: (number | null)[], index: number): boolean {
    const { bytes } = this
    const isNegative = bytes[from] === minus
    let at = isNegative ? from + 1 : from
    let digit = digitOf(bytes[at]!)
    if (digit > 9) return false
    let [high, low, digits] = [0, 0, 0]
    // No number begins with a 0 that another digit follows.
    if (digit === 0) {
      digit = digitOf(bytes[++at]!)
      if (digit <= 9) return false
    }
    for (; digit <= 9; digit = digitOf(bytes[++at]!))
      if (digits++ < partDigits) high = (Math.imul(high, 10) + digit) | 0
      else low = (Math.imul(low, 10) + digit) | 0
    let exponent = 0
    if (bytes[at] === dot) {
      const fraction = at + 1
      digit = digitOf(bytes[++at]!)
      if (digit > 9) return false
      // Zeros in front of the first digit are none that count.
      if (digits === 0) while (digit === 0) digit = digitOf(bytes[++at]!)
      for (; digit <= 9 && digits < partDigits; digit = digitOf(bytes[++at]!)) {
        high = (Math.imul(high, 10) + digit) | 0
        digits++
      }
      for (; digit <= 9; digit = digitOf(bytes[++at]!)) {
        low = (Math.imul(low, 10) + digit) | 0
        digits++
      }
      exponent = fraction - at
    }
    this.end = at
    if (bytes[at] === letterSmallE || bytes[at] === letterE) {
      const power = this.power(at + 1)
      if (power === noPower) return false
      exponent += power
    }
    const value = numberOf(high, low, digits, exponent)
    if (Number.isNaN(value)) return this.parsed(from, into, index)
    into[index] = isNegative ? -value : value
    return true
  }

  /** A number up to `end` as the engine reads it. */
  private parsed(from: number, into: (number | null)[], index: number): boolean {
    const value = Number(this.bytes.toString('latin1', from, this.end))
    if (!Number.isFinite(value)) return false
    into[index] = value
    return true
  }

  /** What follows an e; `noPower` = it is no JSON. */
  private power(from: number): number {
    const { bytes } = this
    const isDown = bytes[from] === minus
    let at = isDown || bytes[from] === plus ? from + 1 : from
    if (!isDigit(bytes[at]!)) return noPower
    let power = 0
    for (; isDigit(bytes[at]!); at++) if (power < powerBound) power = power * 10 + (bytes[at]! - zero)
    this.end = at
    return isDown ? -power : power
  }
}
