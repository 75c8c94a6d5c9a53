// Paints a chart's values on a canvas, in order: phases, what is unknown, decisions, what was measured, the
// present, words. Past is solid, future dashed, unknown hatched.

import { paintBand, paintLabels, paintLine, paintSpikes } from './paintLines.ts'
import {
  paintBack,
  paintCrosses,
  paintCut,
  paintEnd,
  paintGaps,
  paintHatch,
  paintReference,
  paintZeroRow,
  paintZone,
  zoneTexts,
} from './paintNotes.ts'
import type { ColorName, Palette } from './palette.ts'
import { type ChartLine, type Frame, type Of, type Paper, type Pen, penFor } from './pen.ts'
import type { Stretch } from './phases.ts'
import type { ChartSpec, Mark } from './spec.ts'

const tints: Readonly<Record<Stretch['phase'], { color: ColorName; past: number; planned: number }>> = {
  warmup: { color: 'warm-tint', past: 1, planned: 0.5 },
  large: { color: 'large-tint', past: 0.62, planned: 0.28 },
  anneal: { color: 'anneal-tint', past: 0.85, planned: 0.5 },
  done: { color: 'warm-tint', past: 0, planned: 0 },
}

/** Beyond the right edge of the whole run this much is painted, in px, so that a dot on its last step is whole. */
const edgePx = 5
/** From an axis label to the plot, in px. */
const labelGapPx = 7

/** A whole chart on an empty canvas; the plot begins at `leftPx`, and the frame is as wide as it. */
export function paintChart(
  paper: Paper,
  spec: ChartSpec,
  frame: Frame,
  palette: Palette,
  leftPx: number,
): void {
  const { context } = paper
  const pen = penFor(paper, spec, frame, palette)
  const inPlot = (beyondPx: number, paint: (pen: Pen) => void) => {
    context.save()
    context.translate(leftPx, 0)
    context.beginPath()
    context.rect(0, 0, frame.widthPx + beyondPx, spec.heightPx)
    context.clip()
    paint(pen)
    context.restore()
  }
  inPlot(0, paintGround)
  context.save()
  context.translate(leftPx, 0)
  paintAxis(pen)
  context.restore()
  inPlot(frame.zoomed ? 0 : edgePx, paintMarks)
}

/** The phases as tints, behind everything. */
function paintGround({ context, spec, frame, palette, x }: Pen): void {
  for (const { phase, fromStep, toStep, planned } of frame.stretches) {
    const tint = tints[phase]
    context.globalAlpha = planned ? tint.planned : tint.past
    context.fillStyle = palette[tint.color]
    context.fillRect(x(fromStep), 0, x(toStep) - x(fromStep), spec.heightPx)
  }
  context.globalAlpha = 1
}

/** Ticks with their labels and lines; the rate's row for 0 is one. An axis without anything on it says nothing. */
function paintAxis({ context, spec, frame, palette, y }: Pen): void {
  if (spec.missing !== null) return
  const zero = spec.marks.some(({ kind }) => kind === 'zeroRow') ? [{ value: 0, label: '0' }] : []
  context.font = `11px ${palette.font}`
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  context.lineWidth = 1
  for (const { value, label } of [...zero, ...spec.scale.ticks]) {
    const at = y(value)
    if (at === null) continue
    context.fillStyle = palette['ink-3']
    context.fillText(label, -labelGapPx, at)
    context.beginPath()
    context.moveTo(0, Math.round(at) + 0.5)
    context.lineTo(frame.widthPx, Math.round(at) + 0.5)
    context.strokeStyle = palette.line
    context.stroke()
  }
}

/** Marks, decision lines, and the lines of the present and of the chosen decision. */
function paintMarks(pen: Pen): void {
  const { context, spec, frame } = pen
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
  paintKinds(['reference', 'cut', 'end', 'back'])
  paintCrosses(
    pen,
    spec.marks.filter((mark) => mark.kind === 'cross'),
  )
  zoneTexts(
    pen,
    spec.marks.filter((mark) => mark.kind === 'zone'),
  )
  paintLabels(pen)
}

type Painters = { readonly [Kind in Mark['kind']]: (pen: Pen, mark: Of<Kind>) => void }
const painters: Painters = {
  line: paintLine,
  band: paintBand,
  spikes: paintSpikes,
  hatch: (pen, { fromStep, toStep, text }) => paintHatch(pen, fromStep, toStep, [text]),
  zone: paintZone,
  reference: paintReference,
  cross: (pen, mark) => paintCrosses(pen, [mark]),
  cut: paintCut,
  end: paintEnd,
  back: paintBack,
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
  context.globalAlpha = line.faint ? 0.55 : 1
  context.strokeStyle = palette[glyph.color]
  context.lineWidth = line.dashed ? 1.2 : 1
  context.stroke()
  context.globalAlpha = 1
  context.setLineDash([])
  context.save()
  context.translate(x, 5)
  context.scale(0.62, 0.62)
  const path = pen.path(glyph.path)
  context.fillStyle = palette[glyph.hollow ? 'surface' : glyph.color]
  context.fill(path)
  context.lineWidth = glyph.hollow ? 1.8 : 1
  context.setLineDash(glyph.isDashed ? [2.4, 2] : [])
  context.stroke(path)
  context.setLineDash([])
  if (glyph.stroke !== undefined) {
    context.strokeStyle = palette[glyph.hollow ? glyph.color : 'surface']
    context.lineWidth = 1.6
    context.stroke(pen.path(glyph.stroke))
  }
  context.restore()
}
