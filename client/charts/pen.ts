// What every painter of a chart holds: the canvas, the palette, the frame of the run, and the two mappings from
// values to CSS px with (0, 0) at the plot's top left. Nothing here knows the chart library.

import type { Gap } from '../state/series.ts'
import type { Glyph } from './markers.ts'
import type { ColorName, Palette } from './palette.ts'
import type { Stretch } from './phases.ts'
import { positionOn } from './scale.ts'
import type { ChartSpec, Mark } from './spec.ts'

export type Of<Kind extends Mark['kind']> = Extract<Mark, { kind: Kind }>

/** Room above the scale, in px: the small glyphs of decisions stand there. */
export const topPx = 12

export type ChartLine = {
  readonly step: number
  readonly glyph: Glyph
  readonly dashed: boolean
  /** Lets what was measured show through. */
  readonly faint: boolean
}
export type Frame = {
  readonly widthPx: number
  readonly from: number
  readonly to: number
  readonly stretches: readonly Stretch[]
  readonly gaps: readonly Gap[]
  readonly lines: readonly ChartLine[]
  /** Whether only a part of the run is shown. */
  readonly zoomed: boolean
  /** The step of the decision that a person chose; null while the page follows the run. */
  readonly chosenStep: number | null
  readonly nowStep: number
  /** The line at the present step is dashed while the page or the job is silent. */
  readonly silent: boolean
  /** Narrow charts leave out explaining words. */
  readonly narrow: boolean
}

/** The step that heads speak of while no cursor is set: the present one, or the nearest that is shown. */
export const presentStep = ({ nowStep, from, to }: Pick<Frame, 'nowStep' | 'from' | 'to'>): number =>
  Math.min(to, Math.max(from, nowStep))

export type Pen = {
  readonly context: CanvasRenderingContext2D
  readonly palette: Palette
  readonly frame: Frame
  readonly spec: ChartSpec
  readonly x: (step: number) => number
  readonly y: (value: number | null | undefined) => number | null
  /** A path to be drawn; a context that writes a file has paths of its own. */
  readonly path: (data?: string) => Path2D
}

/** A canvas, or what writes a file as if it were one. */
export type Paper = {
  readonly context: CanvasRenderingContext2D
  readonly path: Pen['path']
}
export const canvasPath: Pen['path'] = (data) => new Path2D(data)

export function penFor({ context, path }: Paper, spec: ChartSpec, frame: Frame, palette: Palette): Pen {
  const { heightPx, bottomPx, scale } = spec
  const withZero = spec.marks.some(({ kind }) => kind === 'zeroRow')
  return {
    context,
    path,
    palette,
    frame,
    spec,
    x: (step) => ((step - frame.from) / (frame.to - frame.from)) * frame.widthPx,
    y: (value) => {
      if (withZero && value === 0) return heightPx - 7
      const position = positionOn(scale, value)
      return position === null ? null : heightPx - bottomPx - (heightPx - topPx - bottomPx) * position
    },
  }
}

export function write(
  pen: Pen,
  text: string,
  x: number,
  y: number,
  align: CanvasTextAlign,
  color: ColorName,
  weight = 450,
): void {
  const { context, palette } = pen
  context.font = `${weight} 11px ${palette.font}`
  context.textAlign = align
  context.lineWidth = 3
  context.strokeStyle = palette.surface
  context.setLineDash([])
  context.strokeText(text, x, y)
  context.fillStyle = palette[color]
  context.fillText(text, x, y)
}

/** Whether telemetry is missing somewhere between two steps. */
export function isBroken(gaps: readonly Gap[], from: number, to: number): boolean {
  return gaps.some((gap) => {
    // Most of the gap, since a probe may lie inside the last bucket before it.
    const overlap = Math.min(to, gap.toStep) - Math.max(from, gap.fromStep)
    return overlap > (gap.toStep - gap.fromStep) / 2
  })
}

export function paintDot(
  pen: Pen,
  x: number,
  y: number,
  radius: number,
  fill: ColorName,
  rim: ColorName,
): void {
  const { context, palette } = pen
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fillStyle = palette[fill]
  context.fill()
  context.strokeStyle = palette[rim]
  context.lineWidth = fill === 'surface' ? 1.6 : 0.8
  context.stroke()
}
