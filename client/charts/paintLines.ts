// Painters of what was measured or is planned: lines, bands, and the spans of raw samples. A line is broken
// where telemetry is missing or a value is not a number; it is never joined over either.

import { isBroken, type Of, type Pen, paintDot, topPx, write } from './pen.ts'

function tracePath(pen: Pen, step: readonly number[], value: readonly (number | null)[]): Path2D {
  const path = pen.path()
  let before: number | null = null
  for (let i = 0; i < step.length; i++) {
    const y = pen.y(value[i])
    if (y === null) {
      before = null
      continue
    }
    const at = step[i]!
    if (before === null || isBroken(pen.frame.gaps, before, at)) path.moveTo(pen.x(at), y)
    else path.lineTo(pen.x(at), y)
    before = at
  }
  return path
}

export function paintLine(pen: Pen, mark: Of<'line'>): void {
  const { context, palette, frame } = pen
  const path = tracePath(pen, mark.points.step, mark.points.value)
  context.setLineDash([...(mark.dash ?? [])])
  if (mark.rim) {
    context.globalAlpha = 0.7
    context.strokeStyle = palette.surface
    context.lineWidth = mark.width + 2
    context.stroke(path)
    context.globalAlpha = 1
  }
  context.strokeStyle = palette[mark.color]
  context.lineWidth = mark.width
  context.stroke(path)
  context.setLineDash([])
  if (mark.dots === undefined && mark.dash === undefined) paintAlone(pen, mark)
  const shown = mark.points.step.filter((step) => step >= frame.from && step <= frame.to).length
  if (mark.dots !== undefined && shown * mark.dots * 3 <= frame.widthPx) paintDots(pen, mark, mark.dots)
  if (mark.dash !== undefined && mark.points.value.at(-1) === 0) {
    const y = pen.y(0)
    if (y !== null) paintDot(pen, pen.x(mark.points.step.at(-1)!), y, 3, 'surface', mark.color)
  }
}

/** A point between two breaks has no length as a line: it is a dot. */
function paintAlone(pen: Pen, { points, color, width }: Of<'line'>): void {
  const { step, value } = points
  const isJoined = (i: number, k: number) =>
    value[k] != null && !isBroken(pen.frame.gaps, step[Math.min(i, k)]!, step[Math.max(i, k)]!)
  for (let i = 0; i < step.length; i++) {
    const y = pen.y(value[i])
    if (y === null || (i > 0 && isJoined(i, i - 1)) || (i + 1 < step.length && isJoined(i, i + 1))) continue
    paintDot(pen, pen.x(step[i]!), y, width, color, color)
  }
}

function paintDots(pen: Pen, mark: Of<'line'>, radius: number): void {
  for (let i = 0; i < mark.points.step.length; i++) {
    const y = pen.y(mark.points.value[i])
    if (y !== null)
      paintDot(
        pen,
        pen.x(mark.points.step[i]!),
        y,
        pen.frame.narrow ? radius * 0.7 : radius,
        mark.color,
        mark.rim ? 'surface' : mark.color,
      )
  }
}

/** Half of the width of the bar of one point. */
const aloneHalfPx = 3

export function paintBand(pen: Pen, mark: Of<'band'>): void {
  const { context, palette } = pen
  context.fillStyle = palette[mark.color]
  context.globalAlpha = mark.alpha
  let start = 0
  const { step } = mark
  const sound = (i: number) => pen.y(mark.low[i]) !== null && pen.y(mark.high[i]) !== null
  while (start < step.length) {
    let end = start
    while (
      end < step.length &&
      sound(end) &&
      (end === start || !isBroken(pen.frame.gaps, step[end - 1]!, step[end]!))
    )
      end++
    // One measured point alone: its interval is a bar.
    if (end === start + 1) {
      const [x, high, low] = [pen.x(step[start]!), pen.y(mark.high[start])!, pen.y(mark.low[start])!]
      context.fillRect(x - aloneHalfPx, high, 2 * aloneHalfPx, low - high)
    } else if (end > start) {
      context.beginPath()
      for (let i = start; i < end; i++) context.lineTo(pen.x(step[i]!), pen.y(mark.high[i])!)
      for (let i = end - 1; i >= start; i--) context.lineTo(pen.x(step[i]!), pen.y(mark.low[i])!)
      context.fill()
    }
    start = Math.max(end, start + 1)
  }
  context.globalAlpha = 1
}

/** Up to this many samples are drawn as dots as well. */
const fewSamples = 20

export function paintSpikes(pen: Pen, mark: Of<'spikes'>): void {
  const path = pen.path()
  let before: number | null = null
  let last = 0
  // A few samples would be too short a line to see.
  const few = mark.step.length <= fewSamples
  for (let i = 0; i < mark.step.length; i++) {
    const low = pen.y(mark.min[i])
    const high = pen.y(mark.max[i])
    if (low === null || high === null) {
      before = null
      continue
    }
    const x = pen.x(mark.step[i]!)
    const [near, far] = Math.abs(low - last) < Math.abs(high - last) ? [low, high] : [high, low]
    if (before === null || isBroken(pen.frame.gaps, before, mark.step[i]!)) path.moveTo(x, near)
    else path.lineTo(x, near)
    path.lineTo(x, far)
    if (few) paintDot(pen, x, far, 1.5, mark.color, mark.color)
    last = far
    before = mark.step[i]!
  }
  const { context, palette } = pen
  context.setLineDash([])
  context.globalAlpha = mark.alpha
  context.strokeStyle = palette[mark.color]
  context.lineWidth = 1
  context.stroke(path)
  context.globalAlpha = 1
}

/** From one label's line of text to the next, in px. */
const labelRowPx = 12.5
/** The glyphs of decisions stand at the top. */
const glyphsPx = 8

/** Names of lines at their first points, which are dots: each on the first row on which it touches no other, over the dots
 *  where there is room for all rows, else under them. */
export function paintLabels(pen: Pen): void {
  const { context, palette, frame } = pen
  context.font = `500 11px ${palette.font}`
  const named = pen.spec.marks.flatMap((mark) => {
    if (mark.kind !== 'line' || mark.label === undefined) return []
    const { step, value } = mark.points
    const [x, width] = [pen.x(step[0]!), context.measureText(mark.label).width]
    const left = Math.max(2, Math.min(x - 3, frame.widthPx - width - 2))
    return [{ text: mark.label, color: mark.color, x, y: pen.y(value[0]) ?? topPx, left, width }]
  })
  const ends: number[] = []
  const placed = named
    .toSorted((a, b) => a.x - b.x)
    .map((label) => {
      const free = ends.findIndex((end) => end + 8 < label.left)
      const row = free < 0 ? ends.length : free
      ends[row] = label.left + label.width
      return { ...label, row }
    })
  const highest = Math.min(...named.map(({ y }) => y))
  const isOver = highest - 8 - ends.length * labelRowPx > topPx + glyphsPx
  for (const { text, color, x, y, left, row } of placed) {
    paintDot(pen, x, y, 3, 'surface', color)
    write(
      pen,
      text,
      left,
      isOver ? y - 8 - row * labelRowPx : y + 18 + row * labelRowPx,
      'left',
      'ink-2',
      500,
    )
  }
}
