// A chart as a file: a picture, a drawing, or its table. Picture and drawing carry the title, what the head says at the
// present step, and the step axis, as they leave the page that they came from.

import { formatStep } from '../../../protocol/numbers.ts'
import { headWords } from '../chartHead.tsx'
import { paintChart } from '../paint.ts'
import { type Palette, readPalette } from '../palette.ts'
import { canvasPath, type Frame, type Paper, presentStep } from '../pen.ts'
import { guttersOf } from '../ribbon.tsx'
import type { ChartSpec } from '../spec.ts'
import { csvOf } from './csv.ts'
import { SvgContext, svgPaper } from './svgPaper.ts'

export type FileKind = 'png' | 'svg' | 'csv'
export type Saved = { readonly spec: ChartSpec; readonly frame: Frame; readonly runId: string }

/** Room above the plot for two lines of words, and below it for the step axis, in px. */
const headPx = 44
const axisPx = 24
/** A picture has this many pixels for each of the page's, whatever the screen. */
const pictureScale = 2

export async function saveChart(kind: FileKind, saved: Saved): Promise<void> {
  const name = fileName(saved, kind)
  if (kind === 'csv') return download(new Blob([csvOf(saved.spec)], { type: 'text/csv;charset=utf-8' }), name)
  const palette = readPalette()
  if (kind === 'svg') return download(new Blob([svgOf(saved, palette)], { type: 'image/svg+xml' }), name)
  download(await pngOf(saved, palette), name)
}

/** "mnist-mlp.loss.0-6000.png": letters that any file system takes. */
export function fileName({ spec, frame, runId }: Saved, kind: FileKind): string {
  const part = frame.zoomed ? `.${Math.round(frame.from)}-${Math.round(frame.to)}` : ''
  return `${`${runId}.${spec.id}${part}`.replaceAll(/[^A-Za-z0-9._-]+/g, '-')}.${kind}`
}

const sizeOf = ({ spec, frame }: Saved) => ({
  width: Math.round(frame.widthPx),
  height: headPx + spec.heightPx + axisPx,
})

/** The chart with its words on any paper. */
function paintWhole(paper: Paper, { spec, frame, runId }: Saved, palette: Palette): void {
  const { context } = paper
  const { left, right } = guttersOf(frame.widthPx)
  const plot = frame.widthPx - left - right
  const write = (text: string, x: number, y: number, style: { weight: number; color: string }) => {
    context.font = `${style.weight} 12px ${palette.font}`
    context.textBaseline = 'alphabetic'
    context.fillStyle = style.color
    context.fillText(text, x, y)
  }
  context.textAlign = 'left'
  write(`${spec.title} · ${runId}`, left, 17, { weight: 650, color: palette.ink })
  write(headWords(spec, presentStep(frame)), left, 34, {
    weight: 450,
    color: palette['ink-2'],
  })
  context.save()
  context.translate(0, headPx)
  paintChart(paper, spec, { ...frame, widthPx: plot }, palette, left)
  context.restore()
  const y = headPx + spec.heightPx + 15
  const ends = [
    { text: `step ${formatStep(frame.from)}`, x: left, align: 'left' },
    { text: formatStep((frame.from + frame.to) / 2), x: left + plot / 2, align: 'center' },
    { text: formatStep(frame.to), x: left + plot, align: 'right' },
  ] as const
  for (const { text, x, align } of ends) {
    context.textAlign = align
    write(text, x, y, { weight: 450, color: palette['ink-3'] })
  }
}

/** The chart with its words as an SVG document. Several may stand in one page: what they name is named after the chart. */
export function svgOf(saved: Saved, palette: Palette): string {
  const ruler = document.createElement('canvas').getContext('2d')!
  const measure = (text: string, font: string) => {
    ruler.font = font
    return ruler.measureText(text).width
  }
  const context = new SvgContext(measure, `plot-${saved.spec.id.replaceAll(/\W/g, '-')}-`)
  paintWhole(svgPaper(context), saved, palette)
  const { width, height } = sizeOf(saved)
  return context.toSvg(width, height, `<rect width="${width}" height="${height}" fill="${palette.surface}"/>`)
}

function pngOf(saved: Saved, palette: Palette): Promise<Blob> {
  const { width, height } = sizeOf(saved)
  const canvas = document.createElement('canvas')
  canvas.width = width * pictureScale
  canvas.height = height * pictureScale
  const context = canvas.getContext('2d')!
  context.scale(pictureScale, pictureScale)
  context.fillStyle = palette.surface
  context.fillRect(0, 0, width, height)
  paintWhole({ context, path: canvasPath }, saved, palette)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no picture')) : resolve(blob)), 'image/png'),
  )
}

export function download(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has taken it by the next task.
  setTimeout(() => URL.revokeObjectURL(address), 0)
}
