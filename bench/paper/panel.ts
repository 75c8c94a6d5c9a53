// One panel of a picture as SVG text: axes, lines, points with error bars, labels. A function of values alone, so
// the same results give the same picture. Points that are not finite are left out, and a line breaks there.

export type Scale = 'linear' | 'log'
export type Axis = {
  readonly label: string
  readonly scale: Scale
  readonly from: number
  readonly to: number
  readonly ticks: readonly number[]
}
export type Point = { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }
export type Series = {
  readonly points: readonly Point[]
  readonly color: string
  /** Written at the end of the line. */
  readonly label?: string
  readonly hasLine?: boolean
  readonly hasMarks?: boolean
  readonly dash?: string
}
export type Panel = {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export const colors = {
  ink: '#14181f',
  faint: '#5e6876',
  line: '#dfe3e9',
  large: '#2559dc',
  small: '#b24a0f',
} as const
export const panelSize = { width: 480, height: 340 } as const
const margins = { left: 58, right: 112, top: 50, bottom: 46 } as const

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
export const round = (value: number): string => String(Math.round(value * 10) / 10)

/** Place of a value on an axis of so many pixels, 0 at its `from`. */
export function place({ scale, from, to }: Axis, value: number, pixels: number): number {
  if (scale === 'linear') return ((value - from) / (to - from)) * pixels
  return (Math.log(value / from) / Math.log(to / from)) * pixels
}

type Text = { x: number; y: number; anchor?: 'start' | 'middle' | 'end'; color?: string; isBold?: boolean }
export function textAt(
  text: string,
  { x, y, anchor = 'start', color = colors.ink, isBold = false }: Text,
): string {
  const weight = isBold ? ' font-weight="600"' : ''
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${color}"${weight}>${escaped(text)}</text>`
}

type Frame = { readonly panel: Panel; readonly width: number; readonly height: number }
const xOf = ({ panel, width }: Frame, value: number) => place(panel.x, value, width)
const yOf = ({ panel, height }: Frame, value: number) => height - place(panel.y, value, height)
const isIn = ({ panel }: Frame, { x, y }: Point) =>
  Number.isFinite(x) && Number.isFinite(y) && y >= panel.y.from && y <= panel.y.to

function axes(frame: Frame): string[] {
  const { panel, width, height } = frame
  const grid = panel.y.ticks.flatMap((tick) => {
    const y = yOf(frame, tick)
    const line = `<line x1="0" x2="${width}" y1="${round(y)}" y2="${round(y)}" stroke="${colors.line}"/>`
    return [line, textAt(String(tick), { x: -8, y: y + 4, anchor: 'end', color: colors.faint })]
  })
  const ticks = panel.x.ticks.map((tick) =>
    textAt(String(tick), { x: xOf(frame, tick), y: height + 18, anchor: 'middle', color: colors.faint }),
  )
  return [
    textAt(panel.title, { x: -margins.left + 8, y: -32, isBold: true }),
    ...grid,
    ...ticks,
    `<line x1="0" x2="${width}" y1="${height}" y2="${height}" stroke="${colors.faint}"/>`,
    textAt(panel.x.label, { x: width / 2, y: height + 37, anchor: 'middle' }),
    textAt(panel.y.label, { x: -margins.left + 8, y: -15, color: colors.faint }),
  ]
}

function lineOf(frame: Frame, { points, color, dash }: Series): string {
  let path = ''
  let isPenDown = false
  for (const point of points) {
    const isSeen = isIn(frame, point)
    if (isSeen) path += `${isPenDown ? 'L' : 'M'}${round(xOf(frame, point.x))} ${round(yOf(frame, point.y))}`
    isPenDown = isSeen
  }
  const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash}"`
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="1.6" stroke-linejoin="round"${dashes}/>`
}

function marksOf(frame: Frame, { points, color }: Series): string[] {
  return points
    .filter((point) => isIn(frame, point))
    .flatMap(({ x, y, low, high }) => {
      const [cx, cy] = [round(xOf(frame, x)), round(yOf(frame, y))]
      const mark = `<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`
      if (low === undefined || high === undefined || !Number.isFinite(low)) return [mark]
      const bar = `<line x1="${cx}" x2="${cx}" y1="${round(yOf(frame, low))}" y2="${round(yOf(frame, high))}" stroke="${color}"/>`
      return [bar, mark]
    })
}

function seriesOf(frame: Frame, series: Series): string[] {
  const { hasLine = true, hasMarks = false, label, color, points } = series
  const end = points.findLast((point) => isIn(frame, point))
  const text =
    label === undefined || end === undefined
      ? []
      : [textAt(label, { x: xOf(frame, end.x) + 7, y: yOf(frame, end.y) + 4, color })]
  return [...(hasLine ? [lineOf(frame, series)] : []), ...(hasMarks ? marksOf(frame, series) : []), ...text]
}

/** Panels side by side. `description` is what a reader who cannot see the picture is told. */
export function picture(panels: readonly Panel[], description: string): string {
  const width = panelSize.width - margins.left - margins.right
  const height = panelSize.height - margins.top - margins.bottom
  const drawn = panels.map((panel, index) => {
    const frame: Frame = { panel, width, height }
    const left = index * panelSize.width + margins.left
    const parts = [...axes(frame), ...panel.series.flatMap((series) => seriesOf(frame, series))]
    return `<g transform="translate(${left} ${margins.top})">\n${parts.join('\n')}\n</g>`
  })
  const size = `${panels.length * panelSize.width} ${panelSize.height}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(description)}</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}
