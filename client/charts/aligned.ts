// Lines of several runs over one x: steps as each job counts them, the share of the run, or the time since its start.
// All pure.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import type { CompareAxis } from '../state/compareAddress.ts'
import type { Columns } from '../state/series.ts'
import { firstStepOf, lastStepOf } from './phases.ts'

export type LinePoint = { readonly x: number; readonly y: number }
/** Stretches without a hole. */
export type AlignedLine = readonly LinePoint[]

/** Seconds from the start to a step: by the steps' own times where the job tells them, else as if all took as long. */
export function secondsAt(run: RunSummary, stepSeconds: Columns | undefined): (step: number) => number {
  const first = firstStepOf(run)
  const taken = Math.max(1, run.step - first)
  const whole = Math.max(0, (Date.parse(run.lastSeenAt) - Date.parse(run.createdAt)) / 1_000)
  const steps = stepSeconds?.step ?? []
  if (steps.length < 2) return (step) => (whole * (step - first)) / taken
  const ends: number[] = []
  let sum = 0
  for (let i = 0; i < steps.length; i++) {
    ends.push(sum)
    const width = (steps[i + 1] ?? run.step) - steps[i]!
    sum += width * (stepSeconds!.last[i] ?? 0)
  }
  return (step) => {
    let low = 0
    for (let high = steps.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if (steps[middle]! <= step) low = middle
      else high = middle - 1
    }
    return ends[low]! + Math.max(0, step - steps[low]!) * (stepSeconds!.last[low] ?? 0)
  }
}

/** Where a step of a run lies on the axis. */
export function axisOf(
  run: RunSummary,
  axis: CompareAxis,
  stepSeconds: Columns | undefined,
): (step: number) => number {
  if (axis === 'step') return (step) => step
  if (axis === 'time') return secondsAt(run, stepSeconds)
  const first = firstStepOf(run)
  const span = Math.max(1, lastStepOf(run) - first)
  return (step) => (step - first) / span
}

/** The last value of each bucket; buckets without one are left out. */
export function alignedLine(columns: Columns | undefined, at: (step: number) => number): AlignedLine {
  if (columns === undefined) return []
  return columns.step.flatMap((step, i) => {
    const y = columns.last[i]
    return y === null || y === undefined || !Number.isFinite(y) ? [] : [{ x: at(step), y }]
  })
}

/** The value that held at x; null before the first point, and after the last. */
export function valueOn(line: AlignedLine, x: number): number | null {
  const last = line.at(-1)
  if (last === undefined || x < line[0]!.x || x > last.x) return null
  return line.findLast((point) => point.x <= x)?.y ?? null
}

/** Names without the words at their start that all of them share, but for the last word. */
export function tellingNames(names: readonly string[]): string[] {
  if (names.length < 2) return [...names]
  const words = names.map((name) => name.split(/(?<=[\s_/-])/))
  let shared = 0
  while (words.every((list) => shared < list.length - 1 && list[shared] === words[0]![shared])) shared++
  return words.map((list) => (shared === 0 ? list.join('') : `…${list.slice(shared).join('')}`))
}

/** Heights of labels, each near its own and none nearer to another than `gap`, in the order given. */
export function spreadLabels(heights: readonly number[], gap: number, least: number, most: number): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a]! - heights[b]!)
  const placed = [...heights]
  let floor = least
  for (const i of order) {
    placed[i] = Math.max(floor, heights[i]!)
    floor = placed[i]! + gap
  }
  let ceiling = most
  for (const i of order.toReversed()) {
    placed[i] = Math.min(ceiling, placed[i]!)
    ceiling = placed[i]! - gap
  }
  return placed
}
