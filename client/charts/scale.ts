// Vertical scales and their ticks, as functions of values. A scale maps a value to [0, 1] over its range
// (outside it the result leaves [0, 1]; the painter clips). Logarithmic scales take values above 0 only;
// 0 or less has no place on them and maps to null, so that it is never drawn as a small number.

import { linearLabels, logLabel } from './ticks.ts'

export type Tick = { readonly value: number; readonly label: string }
export type Scale = {
  readonly kind: 'linear' | 'log'
  readonly low: number
  readonly high: number
  readonly ticks: readonly Tick[]
}

/** Position of a value on the scale, 0 at `low` and 1 at `high`; null where it has none. */
export function positionOn(scale: Scale, value: number | null | undefined): number | null {
  if (value === null || value === undefined || !Number.isFinite(value)) return null
  if (scale.kind === 'linear') return (value - scale.low) / (scale.high - scale.low)
  if (value <= 0) return null
  return Math.log(value / scale.low) / Math.log(scale.high / scale.low)
}

/** Smallest of 1, 2, 5 × 10ⁿ that is at least `rough` (> 0). */
export function niceDistance(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  for (const factor of [1, 2, 5]) if (factor * power >= rough * (1 - 1e-9)) return factor * power
  return 10 * power
}

/** Round values from low to high, at most `countMax` of them (≥ 2); none for an empty or non-finite range. */
export function niceValues(low: number, high: number, countMax: number): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return []
  const distance = niceDistance((high - low) / Math.max(1, countMax - 1))
  const values: number[] = []
  for (let k = Math.ceil(low / distance - 1e-9); k * distance <= high + distance * 1e-9; k++)
    values.push(Number((k * distance).toPrecision(12)))
  return values
}

/** A linear scale around the extremes given; a single value gets room on both sides, none at all gives [0, 1]. */
export function linearScale(low: number, high: number, tickCountMax: number): Scale {
  let from = low
  let to = high
  if (!Number.isFinite(low) || !Number.isFinite(high) || high < low) [from, to] = [0, 1]
  if (to === from) {
    const room = Math.abs(from) * 0.1 || 1
    ;[from, to] = [from - room, to + room]
  }
  const room = (to - from) * 0.04
  const scale = { kind: 'linear', low: from - room, high: to + room } as const
  const values = niceValues(scale.low, scale.high, tickCountMax)
  const labels = linearLabels(values)
  return { ...scale, ticks: values.map((value, i) => ({ value, label: labels[i]! })) }
}

/** The end of a logarithmic scale is at least so many times its start, so that ticks fall inside. */
const logSpanMin = 4

/** A logarithmic scale around two values above 0; without such a pair, one decade around 1. */
export function logScale(low: number, high: number, tickCountMax: number): Scale {
  const sound = low > 0 && high >= low && Number.isFinite(high)
  const [least, most] = sound ? [low, high] : [0.3, 3]
  const middle = Math.sqrt(least) * Math.sqrt(most)
  const from = Math.min(least / 1.25, middle / Math.sqrt(logSpanMin))
  const to = Math.max(most * 1.25, middle * Math.sqrt(logSpanMin))
  return { kind: 'log', low: from, high: to, ticks: logTicks(from, to, tickCountMax) }
}

/** Multiples of powers of ten that an axis may name, the most first. */
const logFactors = [
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 2, 3, 5, 7],
  [1, 2, 5],
  [1, 3],
] as const

/**
 * Ticks of a logarithmic axis: as many multiples of powers of ten as there is room for, else the powers alone, thinned
 * evenly when there are more than `countMax`.
 */
export function logTicks(low: number, high: number, countMax: number): Tick[] {
  if (!(low > 0 && high > low && Number.isFinite(high))) return []
  const first = Math.ceil(Math.log10(low) - 1e-9)
  const last = Math.floor(Math.log10(high) + 1e-9)
  const inside = (factors: readonly number[]) => {
    const values: number[] = []
    for (let power = first - 1; power <= last; power++)
      for (const factor of factors) {
        const value = Number((factor * 10 ** power).toPrecision(6))
        if (value >= low && value <= high) values.push(value)
      }
    return values
  }
  if (last - first + 1 <= countMax)
    for (const factors of logFactors) {
      const values = inside(factors)
      if (values.length <= countMax && values.length > 1)
        return values.map((value) => ({ value, label: logLabel(value) }))
    }
  const every = Math.max(1, Math.ceil((last - first + 1) / countMax))
  const ticks: Tick[] = []
  for (let power = last; power >= first; power -= every) {
    const value = Number((10 ** power).toPrecision(6))
    ticks.unshift({ value, label: logLabel(value) })
  }
  return ticks
}

/** Least and greatest finite value of several lists; null = there is none. */
export function extremesOf(...lists: readonly (readonly (number | null)[])[]): [number, number] | null {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const list of lists)
    for (const value of list) {
      if (value === null || !Number.isFinite(value)) continue
      if (value < low) low = value
      if (value > high) high = value
    }
  return low <= high ? [low, high] : null
}

/** The value below which a share of the finite ones lie (nearest rank); null = there is none. */
export function quantileOf(values: readonly (number | null)[], share: number): number | null {
  const finite = values.filter((value): value is number => value !== null && Number.isFinite(value))
  if (finite.length === 0) return null
  finite.sort((a, b) => a - b)
  return finite[Math.min(finite.length - 1, Math.max(0, Math.ceil(share * finite.length) - 1))]!
}

/** Widths of the usual half that the fitted range reaches above the middle. */
const fenceWidths = 6

/**
 * The range of a line that is worth looking at: from its least usual value up to where the lower half of its values says
 * that it is still usual, so that neither the fall of a run's start nor what a search reached flattens the rest. It
 * knows of no phase. Null = no value.
 */
export function fittedRange(values: readonly (number | null)[]): [number, number] | null {
  const all = extremesOf(values)
  const [low, middle] = [quantileOf(values, 0.05), quantileOf(values, 0.5)]
  if (all === null || low === null || middle === null) return null
  const fence = middle + fenceWidths * (middle - low)
  return [all[0], Math.max(middle, Math.min(all[1], fence))]
}
