// Painters of what explains a chart: stretches that are unknown or without samples (hatched), a person's
// stretch, reference values with their meaning, samples that are not finite or cut off, the expected end.

import { formatStep } from '../../protocol/numbers.ts'
import { type Of, type Pen, paintDot, topPx, write } from './pen.ts'

export function paintHatch(pen: Pen, fromStep: number, toStep: number, words: readonly string[]): void {
  const { context, palette, spec } = pen
  const [left, right] = [pen.x(fromStep), pen.x(toStep)]
  const bottom = spec.heightPx - spec.bottomPx
  context.save()
  context.beginPath()
  context.rect(left, topPx, right - left, bottom - topPx)
  context.clip()
  context.beginPath()
  const reach = bottom - topPx
  for (let x = left - reach; x < right; x += 8.5) {
    context.moveTo(x, bottom)
    context.lineTo(x + reach, topPx)
  }
  context.globalAlpha = 0.28
  context.strokeStyle = palette['ink-3']
  context.lineWidth = 1.2
  context.setLineDash([])
  context.stroke()
  context.restore()
  context.font = `450 11px ${palette.font}`
  const fits = Math.max(...words.map((text) => context.measureText(text).width)) + 8 < right - left
  const middle = (topPx + bottom) / 2 + 4 - (words.length - 1) * 7
  if (!fits) return
  for (const [line, text] of words.entries())
    write(pen, text, (left + right) / 2, middle + line * 14, 'center', 'ink-2')
}

export function paintGaps(pen: Pen): void {
  if (pen.spec.id !== 'loss') return
  for (const { fromStep, toStep } of pen.frame.gaps) {
    if (pen.x(toStep) - pen.x(fromStep) < 4) continue
    paintHatch(pen, fromStep, toStep, ['no samples', `${formatStep(fromStep)}`, `to ${formatStep(toStep)}`])
  }
}

export function paintZone(pen: Pen, mark: Of<'zone'>): void {
  const { context, palette, spec } = pen
  context.globalAlpha = 0.1
  context.fillStyle = palette[mark.color]
  context.fillRect(pen.x(mark.fromStep), 10, pen.x(mark.toStep) - pen.x(mark.fromStep), spec.heightPx - 10)
  context.globalAlpha = 1
}

/** What each stretch is: of those whose words would lie on one another the first. */
export function zoneTexts(pen: Pen, marks: readonly Of<'zone'>[]): void {
  if (pen.frame.narrow) return
  let taken = Number.NEGATIVE_INFINITY
  for (const { fromStep, toStep, text, color } of marks) {
    const middle = (pen.x(fromStep) + pen.x(toStep)) / 2
    const half = widthOf(pen, text) / 2 + 4
    if (middle - half < taken) continue
    taken = middle + half
    write(pen, text, middle, pen.spec.heightPx - 24, 'center', color, 550)
  }
}

function widthOf({ context, palette }: Pen, text: string): number {
  context.font = `500 11px ${palette.font}`
  return context.measureText(text).width
}

export function paintReference(pen: Pen, mark: Of<'reference'>): void {
  const { context, palette, frame } = pen
  const y = pen.y(mark.value)
  if (y === null) return
  const inline = mark.inline && widthOf(pen, mark.text) + 28 < frame.widthPx
  const room = inline ? widthOf(pen, mark.text) + 14 : 0
  context.beginPath()
  context.moveTo(0, y)
  context.lineTo(frame.widthPx - room, y)
  context.setLineDash([2, 3])
  context.strokeStyle = palette[mark.color]
  context.lineWidth = 1
  context.stroke()
  context.setLineDash([])
  if (inline) write(pen, mark.text, frame.widthPx - 6, y + 4, 'right', 'ink-3')
  else if (!frame.narrow) write(pen, mark.text, frame.widthPx - 6, y + 12, 'right', 'ink-3')
}

/** Crosses whose counts would lie on one another become one. */
const crossesApartPx = 30

export function paintCrosses(pen: Pen, marks: readonly Of<'cross'>[]): void {
  const apart: Of<'cross'>[] = []
  for (const mark of marks) {
    const before = apart.at(-1)
    if (before === undefined || pen.x(mark.step) - pen.x(before.step) >= crossesApartPx) apart.push(mark)
    else apart[apart.length - 1] = { ...before, count: before.count + mark.count }
  }
  for (const mark of apart) paintCross(pen, mark)
}

function paintCross(pen: Pen, mark: Of<'cross'>): void {
  const { context, palette, frame } = pen
  const x = pen.x(mark.step)
  // Under the glyph of a decision that stands there.
  const isTaken = frame.lines.some(({ step }) => Math.abs(pen.x(step) - x) < crossesApartPx / 2)
  const top = isTaken ? 14.5 : 2.5
  context.beginPath()
  context.moveTo(x - 3.5, top)
  context.lineTo(x + 3.5, top + 7)
  context.moveTo(x + 3.5, top)
  context.lineTo(x - 3.5, top + 7)
  context.strokeStyle = palette.bad
  context.lineWidth = 1.8
  context.setLineDash([])
  context.stroke()
  write(pen, formatStep(mark.count), x + 6, top + 7.5, 'left', 'bad', 550)
}

export function paintCut(pen: Pen, mark: Of<'cut'>): void {
  const { context, palette } = pen
  const x = Math.max(9, pen.x(mark.step) + 9)
  context.beginPath()
  context.moveTo(x - 3.5, 14)
  context.lineTo(x, 8)
  context.lineTo(x + 3.5, 14)
  context.closePath()
  context.fillStyle = palette['ink-3']
  context.fill()
  if (!pen.frame.narrow) write(pen, mark.text, x + 8, 15, 'left', 'ink-3')
}

export function paintEnd(pen: Pen, mark: Of<'end'>): void {
  const { context, palette, frame } = pen
  const y = pen.y(mark.value)
  // One step of room: the last step of a run is one before its end.
  if (y === null || mark.step > frame.to + 1) return
  const x = Math.min(pen.x(mark.step), frame.widthPx) - 4
  const [high, low] = [pen.y(mark.high) ?? y, pen.y(mark.low) ?? y]
  context.beginPath()
  context.moveTo(x, high)
  context.lineTo(x, low)
  context.strokeStyle = palette.anneal
  context.lineWidth = 1.4
  context.setLineDash([])
  context.stroke()
  for (const end of [high, low]) {
    context.beginPath()
    context.moveTo(x - 3, end)
    context.lineTo(x + 3, end)
    context.stroke()
  }
  paintDot(pen, x, y, 3, 'surface', 'anneal')
  const reached = pen.y(mark.reached)
  if (reached !== null) paintDot(pen, x, reached, 3, 'ink', 'surface')
  write(
    pen,
    widthOf(pen, mark.text) + 16 < x ? mark.text : mark.short,
    x - 8,
    reached === null ? besideEnd(pen, high, low) : farFrom(pen, y),
    'right',
    'ink-2',
    500,
  )
}

/** Above the interval, or below it where there is no room. */
function besideEnd({ spec }: Pen, high: number, low: number): number {
  return high - 7 < topPx + 8 ? Math.min(spec.heightPx - spec.bottomPx - 3, low + 16) : high - 7
}

/** Where the samples before the end are not: in the other half of the plot. */
function farFrom({ spec }: Pen, y: number): number {
  const isLow = y > (topPx + spec.heightPx - spec.bottomPx) / 2
  return isLow ? topPx + 12 : spec.heightPx - spec.bottomPx - 6
}

export function paintZeroRow(pen: Pen): void {
  const { context, palette, frame, spec } = pen
  context.beginPath()
  context.moveTo(0, spec.heightPx - 7)
  context.lineTo(frame.widthPx, spec.heightPx - 7)
  context.setLineDash([2, 3])
  context.strokeStyle = palette.line
  context.lineWidth = 1
  context.stroke()
  context.setLineDash([])
}

/** An arrow along the bottom, from where the run was to where its weights are from. */
export function paintBack(pen: Pen, mark: Of<'back'>): void {
  const { context, palette, spec } = pen
  const [from, to] = [pen.x(mark.step), pen.x(mark.toStep)]
  const y = spec.heightPx - spec.bottomPx - 7
  context.beginPath()
  context.moveTo(from, y)
  context.lineTo(to, y)
  context.moveTo(to + 5, y - 3.5)
  context.lineTo(to, y)
  context.lineTo(to + 5, y + 3.5)
  context.setLineDash([])
  context.strokeStyle = palette['ink-2']
  context.lineWidth = 1.3
  context.stroke()
  paintDot(pen, from, y, 2.4, 'ink-2', 'surface')
  if (widthOf(pen, mark.text) + 12 < from - to)
    write(pen, mark.text, (from + to) / 2, y - 5, 'center', 'ink-2', 500)
}
