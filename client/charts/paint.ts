// Paints a chart's values on a canvas, in order: phases, what is unknown, decisions, what was measured, the
// present, words. The caller has set transform and clip. Past is solid, future dashed, unknown hatched.

import { paintBand, paintLine, paintSpikes } from './paintLines.ts'
import {
  paintCross,
  paintCut,
  paintEnd,
  paintGaps,
  paintHatch,
  paintReference,
  paintZeroRow,
  paintZone,
  zoneText,
} from './paintNotes.ts'
import type { ColorName, Palette } from './palette.ts'
import { type ChartLine, type Frame, type Of, type Pen, penFor } from './pen.ts'
import type { Stretch } from './phases.ts'
import type { ChartSpec, Mark } from './spec.ts'

const tints: Readonly<Record<Stretch['phase'], { color: ColorName; past: number; planned: number }>> = {
  warmup: { color: 'warm-tint', past: 1, planned: 0.5 },
  large: { color: 'large-tint', past: 0.62, planned: 0.28 },
  anneal: { color: 'anneal-tint', past: 0.85, planned: 0.5 },
  done: { color: 'warm-tint', past: 0, planned: 0 },
}

/** The phases as tints, behind everything. */
export function paintGround(
  context: CanvasRenderingContext2D,
  spec: ChartSpec,
  frame: Frame,
  palette: Palette,
): void {
  const { x } = penFor(context, spec, frame, palette)
  for (const { phase, fromStep, toStep, planned } of frame.stretches) {
    const tint = tints[phase]
    context.globalAlpha = planned ? tint.planned : tint.past
    context.fillStyle = palette[tint.color]
    context.fillRect(x(fromStep), 0, x(toStep) - x(fromStep), spec.heightPx)
  }
  context.globalAlpha = 1
}

/** Marks, decision lines, and the lines of the present and of the chosen decision. */
export function paintMarks(
  context: CanvasRenderingContext2D,
  spec: ChartSpec,
  frame: Frame,
  palette: Palette,
): void {
  const pen = penFor(context, spec, frame, palette)
  context.lineJoin = 'round'
  context.lineCap = 'butt'
  const paintKinds = (kinds: readonly Mark['kind'][]) => {
    for (const mark of spec.marks) if (kinds.includes(mark.kind)) paintMark(pen, mark)
  }
  paintKinds(['hatch', 'zone', 'zeroRow'])
  paintGaps(pen)
  for (const line of frame.lines) paintDecisionLine(pen, line)
  paintKinds(['spikes', 'band', 'line'])
  paintVertical(pen, frame.nowStep, 'ink', frame.silent ? [3, 3] : [], frame.chosenStep === null ? 1.25 : 1)
  if (frame.chosenStep !== null) paintVertical(pen, frame.chosenStep, 'ink', [], 1.25)
  paintKinds(['reference', 'cross', 'cut', 'end'])
  for (const mark of spec.marks) if (mark.kind === 'zone') zoneText(pen, mark)
}

type Painters = { readonly [Kind in Mark['kind']]: (pen: Pen, mark: Of<Kind>) => void }
const painters: Painters = {
  line: paintLine,
  band: paintBand,
  spikes: paintSpikes,
  hatch: (pen, { fromStep, toStep, text }) => paintHatch(pen, fromStep, toStep, [text]),
  zone: paintZone,
  reference: paintReference,
  cross: paintCross,
  cut: paintCut,
  end: paintEnd,
  zeroRow: paintZeroRow,
}

function paintMark(pen: Pen, mark: Mark): void {
  const paint = painters[mark.kind] as (pen: Pen, mark: Mark) => void
  paint(pen, mark)
}

function paintVertical(
  pen: Pen,
  step: number,
  color: ColorName,
  dash: readonly number[],
  width: number,
): void {
  const { context, palette, spec } = pen
  const x = pen.x(step)
  context.beginPath()
  context.moveTo(x, 0)
  context.lineTo(x, spec.heightPx)
  context.setLineDash([...dash])
  context.strokeStyle = palette[color]
  context.lineWidth = width
  context.stroke()
  context.setLineDash([])
}

function paintDecisionLine(pen: Pen, line: ChartLine): void {
  const { context, palette, spec } = pen
  const { glyph } = line
  const x = pen.x(line.step)
  context.beginPath()
  context.moveTo(x, 9)
  context.lineTo(x, spec.heightPx)
  context.setLineDash(line.dashed ? [3, 3] : [])
  context.globalAlpha = line.dashed ? 1 : 0.55
  context.strokeStyle = palette[glyph.color]
  context.lineWidth = line.dashed ? 1.2 : 1
  context.stroke()
  context.globalAlpha = 1
  context.setLineDash([])
  context.save()
  context.translate(x, 5)
  context.scale(0.62, 0.62)
  const path = new Path2D(glyph.path)
  context.fillStyle = palette[glyph.hollow ? 'surface' : glyph.color]
  context.fill(path)
  context.lineWidth = glyph.hollow ? 1.8 : 1
  context.stroke(path)
  if (glyph.stroke !== undefined) {
    context.strokeStyle = palette[glyph.hollow ? glyph.color : 'surface']
    context.lineWidth = 1.6
    context.stroke(new Path2D(glyph.stroke))
  }
  context.restore()
}
