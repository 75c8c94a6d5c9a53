// Stretches of steps that the charts show: made whole, moved and stretched as pure functions. Null is the whole run.

import { formatStep } from '../../protocol/numbers.ts'

export type Range = { readonly from: number; readonly to: number }

/** Fewer steps than these are not shown. */
export const rangeStepsMin = 10

/** Whole steps inside the run, at least 10 of them; null where that is all of it. */
export function tidied(range: Range, whole: Range): Range | null {
  // From its length, so that a range that is moved keeps it wherever its ends fall between two steps.
  const length = Math.max(rangeStepsMin, Math.ceil(range.to - range.from - 1e-6))
  if (length >= whole.to - whole.from) return null
  const from = Math.min(Math.max(whole.from, Math.round(range.from)), whole.to - length)
  return { from, to: from + length }
}

/** Shows `factor` times as many steps; the step at `center` stays where it is. */
export const zoomed = ({ from, to }: Range, center: number, factor: number): Range => ({
  from: center - (center - from) * factor,
  to: center + (to - center) * factor,
})

/** Moved by a share of its length, and stopped at the ends of the run. */
export function panned({ from, to }: Range, share: number, whole: Range): Range {
  const wanted = share * (to - from)
  const by = Math.min(Math.max(wanted, whole.from - from), whole.to - to)
  return { from: from + by, to: to + by }
}

export type Shown = {
  readonly range: Range | null
  /** What was wrong with the address, in words; null = nothing. */
  readonly words: string | null
}

const wholeRun = 'The whole run is shown.'

/** What is shown of a run for the range that the address names, mended where that makes no sense. */
export function shownRange(asked: Range | null, last: number | null, whole: Range, now: number): Shown {
  if (asked === null)
    return {
      range: last === null ? null : tidied({ from: now - last, to: Math.max(now, whole.from + 1) }, whole),
      words: null,
    }
  const { from, to } = asked
  if (!Number.isFinite(from) || !Number.isFinite(to))
    return { range: null, words: `The address names a range that is not two whole numbers. ${wholeRun}` }
  const [first, end] = [Math.min(from, to), Math.max(from, to)]
  const words = (shown: Range) => `steps ${formatStep(shown.from)} to ${formatStep(shown.to)}`
  if (first >= whole.to || end <= whole.from)
    return {
      range: null,
      words: `The address asks for ${words({ from: first, to: end })}, which this run does not have. ${wholeRun}`,
    }
  const range = tidied({ from: Math.max(first, whole.from), to: Math.min(end, whole.to) }, whole)
  if (from > to)
    return {
      range,
      words: `The address has its range the wrong way round: ${words(range ?? whole)} are shown.`,
    }
  return { range, words: null }
}
