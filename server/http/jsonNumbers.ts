// Lists of numbers straight from the bytes of a JSON text: what JSON.parse would give, in two thirds of its time. A list that
// is not of the plain kind (numbers, null and the three names of non-finite numbers, with nothing but single spaces between them)
// is left to JSON.parse and its sentences.
//
// A decimal of up to 19 digits is d·10^e with d = high·10^k + low. Where d is below 10^15 and |e| ≤ 22 both are exact doubles,
// so one division or product is rightly rounded (Clinger 1990, "How to read floating point numbers accurately"). Longer ones are
// carried as a sum of two doubles (Dekker 1971), whose error is below 2^-95 of the value; where that could turn the
// rounding, and for all other exponents, the text goes to Number(). Cost: one look at each byte, and some 30 operations for a
// number of 17 digits.

import { Buffer } from 'node:buffer'
import { nonFiniteNames } from '../../protocol/nonFinite.ts'

const powers = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
const exactDigits = 15
const digitsMax = 19
const powerMax = 22
/** Bound of the relative error of a sum of two doubles as computed here. */
const sumError = 2 ** -95
const splitter = 2 ** 27 + 1

/** high·10^k + low, over or times 10^|e|, rightly rounded; NaN where that is not certain. All are exact doubles. */
function decimalOf(high: number, low: number, lowDigits: number, exponent: number): number {
  const scale = powers[lowDigits]!
  const product = high * scale
  const head = product + low
  // What the sum and the product lost.
  const lost = lostIn(high, scale, product) + (low - (head - product))
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

const [zero, nine, dot, minus, plus] = [0x30, 0x39, 0x2e, 0x2d, 0x2b]
const [comma, close, open, space, quote] = [0x2c, 0x5d, 0x5b, 0x20, 0x22]
const [letterE, letterSmallE, letterSmallN] = [0x45, 0x65, 0x6e]
/** Far beyond what a double has: a power is counted no further. */
const powerBound = 10_000
const noPower = 10 * powerBound
const words = [
  { bytes: Buffer.from('null'), value: null },
  ...nonFiniteNames.map((name) => ({ bytes: Buffer.from(`"${name}"`), value: Number(name) })),
]

const isDigit = (byte: number): boolean => byte >= zero && byte <= nine

/** Reads lists; `end` is where the last one ended. */
export class NumberLists {
  private readonly bytes: Buffer
  /** One past what was read last. */
  end = 0
  // Of the number that is being read: its digits as high·10^lowDigits + low, and how many there are.
  private high = 0
  private low = 0
  private lowDigits = 0
  private digits = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** The list whose opening bracket stands at a place; undefined = it is not of the plain kind, or has a number beyond a double. */
  read(from: number, entriesMax: number): (number | null)[] | undefined {
    const { bytes } = this
    const values: (number | null)[] = []
    if (bytes[from] !== open) return undefined
    for (let at = from + 1; values.length < entriesMax; at = this.end + 1) {
      if (bytes[at] === space) at++
      const first = bytes[at]
      const isTaken =
        first === quote || first === letterSmallN ? this.word(at, values) : this.number(at, values)
      if (!isTaken) return undefined
      if (bytes[this.end] === comma) continue
      if (bytes[this.end] !== close) return undefined
      this.end++
      return values
    }
    return undefined
  }

  private word(from: number, into: (number | null)[]): boolean {
    for (const { bytes, value } of words) {
      const end = from + bytes.length
      if (end > this.bytes.length || bytes.compare(this.bytes, from, end) !== 0) continue
      this.end = end
      into.push(value)
      return true
    }
    return false
  }

  /** Takes the number that begins at a place, where it is one of JSON and finite. Handing it over would put it on the heap. */
  private number(from: number, into: (number | null)[]): boolean {
    const { bytes } = this
    this.high = 0
    this.low = 0
    this.lowDigits = 0
    this.digits = 0
    const isNegative = bytes[from] === minus
    let at = isNegative ? from + 1 : from
    if (!isDigit(bytes[at]!)) return false
    // No number begins with a 0 that another digit follows.
    if (bytes[at] !== zero) at = this.takeDigits(at)
    else if (isDigit(bytes[++at]!)) return false
    let exponent = 0
    if (bytes[at] === dot) {
      const fraction = ++at
      if (!isDigit(bytes[at]!)) return false
      // Zeros in front of the first digit are none that count.
      if (this.digits === 0) while (bytes[at] === zero) at++
      at = this.takeDigits(at)
      exponent = fraction - at
    }
    this.end = at
    if (bytes[at] === letterSmallE || bytes[at] === letterE) {
      const power = this.power(at + 1)
      if (power === noPower) return false
      exponent += power
    }
    const value = this.value(exponent)
    if (!Number.isNaN(value)) into.push(isNegative ? -value : value)
    else {
      const parsed = Number(bytes.toString('latin1', from, this.end))
      if (!Number.isFinite(parsed)) return false
      into.push(parsed)
    }
    return true
  }

  /** Takes the digits from a place on; where they end. */
  private takeDigits(from: number): number {
    const { bytes } = this
    let { high, low, digits, lowDigits } = this
    let at = from
    for (let byte = bytes[at]!; byte >= zero && byte <= nine; byte = bytes[++at]!) {
      if (digits++ < exactDigits) high = high * 10 + (byte - zero)
      else {
        low = low * 10 + (byte - zero)
        lowDigits++
      }
    }
    this.high = high
    this.low = low
    this.digits = digits
    this.lowDigits = lowDigits
    return at
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

  /** Of the digits that were taken, times 10^exponent; NaN = not certain. */
  private value(exponent: number): number {
    const { high, low, digits, lowDigits } = this
    if (high === 0) return 0
    if (digits > digitsMax || exponent < -powerMax || exponent > powerMax) return Number.NaN
    if (lowDigits > 0) return decimalOf(high, low, lowDigits, exponent)
    return exponent < 0 ? high / powers[-exponent]! : high * powers[exponent]!
  }
}
