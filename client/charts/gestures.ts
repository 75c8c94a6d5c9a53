// What the pointers over a plot are doing, as values: a stretch being selected, the run being moved, two fingers that
// stretch it. Every position is in px from the plot's left edge; a range is what the plot showed when the gesture began,
// so that a gesture is exact however many events it has.

import type { Range } from './ranges.ts'

/** A drag shorter than this is a press, in px. */
export const dragPxMin = 6

export type Gesture =
  | { readonly kind: 'select'; readonly start: number; readonly end: number }
  | { readonly kind: 'pan'; readonly start: number; readonly end: number; readonly range: Range }
  | {
      readonly kind: 'pinch'
      readonly start: readonly [number, number]
      readonly end: readonly [number, number]
      readonly range: Range
    }

export const stepAt = ({ from, to }: Range, px: number, widthPx: number): number =>
  from + ((to - from) * px) / Math.max(1, widthPx)

/** Whether the pointer has gone far enough to mean more than a press. */
export const isDrag = (gesture: Gesture): boolean =>
  gesture.kind === 'pinch' || Math.abs(gesture.end - gesture.start) >= dragPxMin

/** The range that a gesture makes of the plot; null while a selection is under way. */
export function rangeOf(gesture: Gesture, widthPx: number): Range | null {
  if (gesture.kind === 'select') return null
  const { range } = gesture
  if (gesture.kind === 'pan') {
    const by = ((gesture.start - gesture.end) * (range.to - range.from)) / Math.max(1, widthPx)
    return { from: range.from + by, to: range.to + by }
  }
  // The steps that were under the two fingers stay under them.
  const [first, second] = gesture.start.map((px) => stepAt(range, px, widthPx)) as [number, number]
  const apart = gesture.end[1] - gesture.end[0]
  const perPx = (second - first) / (Math.abs(apart) < dragPxMin ? dragPxMin * Math.sign(apart || 1) : apart)
  const from = first - gesture.end[0] * perPx
  return { from, to: from + widthPx * perPx }
}

/** The steps that were selected. */
export function selectedRange(
  { start, end }: { start: number; end: number },
  range: Range,
  widthPx: number,
): Range {
  const [left, right] = [Math.min(start, end), Math.max(start, end)]
  return { from: stepAt(range, left, widthPx), to: stepAt(range, right, widthPx) }
}

/** Share of the range that one px of a wheel zooms or moves by. */
const zoomPerPx = 0.004
const linePx = 16

export type Turn =
  | { readonly kind: 'zoom'; readonly factor: number }
  | { readonly kind: 'pan'; readonly px: number }

/**
 * What a turn of the wheel means: with Ctrl or the command key, and as a trackpad's pinch, zoom; to the side, move; up and
 * down is the page's own scroll, and null here.
 */
export function turnOf(
  event: Pick<WheelEvent, 'deltaX' | 'deltaY' | 'deltaMode' | 'ctrlKey' | 'metaKey'>,
): Turn | null {
  const unit = event.deltaMode === 1 ? linePx : 1
  const [x, y] = [event.deltaX * unit, event.deltaY * unit]
  if (event.ctrlKey || event.metaKey) {
    const turned = Math.min(200, Math.max(-200, y))
    return turned === 0 ? null : { kind: 'zoom', factor: Math.exp(turned * zoomPerPx) }
  }
  return Math.abs(x) > Math.abs(y) ? { kind: 'pan', px: x } : null
}
