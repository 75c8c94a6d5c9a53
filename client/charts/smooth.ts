// Smoothing of a noisy column for the eye: at each entry a straight line is fitted to the neighbours within a window of
// steps to both sides, near ones counting more (tricube weights), and its value there is taken. Two-sided, so the curve
// does not lag; a line and not a mean, so it does not bend at the ends of the data either. The window is in steps, not in
// entries, and therefore the same however far the samples were thinned. Cost: entries × entries in the window; where those
// are many, neighbours are first taken together as their mean, in cells that are a small part of the window.
// After W. S. Cleveland, "Robust locally weighted regression and smoothing scatterplots" (1979), without its robust weights.

import { bucketsWhere, type Columns, type Gap } from '../state/series.ts'
import { isBroken } from './pen.ts'
import { niceDistance } from './scale.ts'
import type { Points } from './spec.ts'

/** Of the shown steps, to each side. */
const usualShare = 0.01
const windowMin = 3

/** The window that is taken where nobody chose one, in steps to each side: about a hundredth of what is shown, as a round number. */
export const usualWindow = (shownSteps: number): number =>
  Math.max(windowMin, niceDistance(Math.max(1, shownSteps * usualShare)))

/** The windows that the slider offers, from none on. */
export function windowChoices(runSteps: number): readonly number[] {
  const choices = [0, windowMin]
  const most = Math.max(windowMin, runSteps / 5)
  for (let window = 5; window <= most; window = niceDistance(window * 1.01)) choices.push(window)
  return choices
}

type Sums = { weight: number; x: number; xx: number; y: number; xy: number }

function take(sums: Sums, offset: number, y: number, weight: number): void {
  sums.weight += weight
  sums.x += weight * offset
  sums.xx += weight * offset * offset
  sums.y += weight * y
  sums.xy += weight * offset * y
}

/** The fitted line's value at offset 0; the mean where a line is not determined. */
function fittedAtZero({ weight, x, xx, y, xy }: Sums): number {
  const spread = weight * xx - x * x
  return spread > 1e-9 * weight * xx ? (xx * y - x * xy) / spread : y / weight
}

/**
 * The smoothed course of a column's last values. An entry of samples that are all not finite has none, and like a gap it is
 * not smoothed over; one without any sample is left out.
 * @param windowSteps to each side; 0 = the values as they are.
 */
export function smoothed(columns: Columns, windowSteps: number, gaps: readonly Gap[]): Points {
  const step: number[] = []
  const values: (number | null)[] = []
  for (const [i, at] of columns.step.entries()) {
    const value = columns.last[i] ?? null
    if (value === null && (columns.nonFinite[i] ?? 0) === 0) continue
    step.push(at)
    values.push(value)
  }
  if (windowSteps <= 0) return { step, value: values }
  const reach = windowSteps + 1
  const given: Weighed = { step, value: values, weight: step.map(() => 1) }
  const spacing = (step.at(-1)! - step[0]!) / (step.length - 1)
  const points =
    reach > entriesPerReachMax * spacing ? takenTogether(given, reach / cellsPerReach, gaps) : given
  return { step: points.step, value: points.step.map((_, i) => fittedAt(points, i, reach, gaps)) }
}

/** Entries to one side from which on they are taken together, and then the cells to one side. */
const entriesPerReachMax = 160
const cellsPerReach = 64

/** `weight`: entries that a point stands for. */
type Weighed = Points & { readonly weight: readonly number[] }

/** Neighbours within a cell of so many steps as their mean; never over a gap or over what has no value. */
function takenTogether({ step, value }: Points, cellSteps: number, gaps: readonly Gap[]): Weighed {
  const together = { step: [] as number[], value: [] as (number | null)[], weight: [] as number[] }
  let begin = Number.NEGATIVE_INFINITY
  for (const [i, at] of step.entries()) {
    const y = value[i] ?? null
    const last = together.step.length - 1
    const before = together.value[last] ?? null
    const isNear = at - begin < cellSteps && y !== null && before !== null
    if (isNear && !(gaps.length > 0 && isBroken(gaps, step[i - 1]!, at))) {
      const weight = ++together.weight[last]!
      together.step[last]! += (at - together.step[last]!) / weight
      together.value[last] = before + (y - before) / weight
      continue
    }
    begin = at
    together.step.push(at)
    together.value.push(y)
    together.weight.push(1)
  }
  return together
}

function fittedAt(
  { step, value, weight }: Weighed,
  i: number,
  reach: number,
  gaps: readonly Gap[],
): number | null {
  if (value[i] === null) return null
  const at = step[i]!
  const sums: Sums = { weight: 0, x: 0, xx: 0, y: 0, xy: 0 }
  for (const direction of [-1, 1] as const) {
    for (let k = direction < 0 ? i : i + 1; k >= 0 && k < step.length; k += direction) {
      const y = value[k]
      const offset = step[k]! - at
      if (y == null || Math.abs(offset) >= reach) break
      if (gaps.length > 0 && isBroken(gaps, at + Math.min(offset, 0), at + Math.max(offset, 0))) break
      take(sums, offset / reach, y, weight[k]! * (1 - (Math.abs(offset) / reach) ** 3) ** 3)
    }
  }
  return fittedAtZero(sums)
}

/** Samples in an entry on average, from which on the server's own smoothed course is the better source. */
const thinnedFrom = 2
/** The server looks back only (tuner/estimators/lossSmoother.ts): its course lags by its time constant. */
const serverLagSteps = 10

/**
 * What is smoothed: the samples, or where an entry holds one sample of several, the course that the server has smoothed with
 * all of them in sight, shifted back by its lag. It needs several points in the window.
 */
export function smoothingSource(raw: Columns, ofServer: Columns | undefined, windowSteps: number): Columns {
  const samples = raw.count.reduce((sum, count) => sum + count, 0)
  if (ofServer === undefined || samples < thinnedFrom * raw.step.length) return raw
  const { step } = ofServer
  const spacing = (step.at(-1)! - step[0]!) / (step.length - 1)
  if (!(spacing <= windowSteps / 2)) return raw
  const known = bucketsWhere(ofServer, (at) => at - serverLagSteps >= raw.step[0]!)
  return { ...known, step: known.step.map((at) => at - serverLagSteps) }
}
