// What both pictures of a run are drawn with: the head with a sentence and a legend, axes with ticks, lines, bands,
// shaded phases. Plain SVG text on a white ground, so that it reads on a dark page as well; functions of values
// alone, so that one run always gives the same picture.

import type { Phase } from '../../protocol/vocabulary.ts'
import { type Axis, colors, escaped, place, round, textAt } from '../paper/panel.ts'
import type { StepValue, Story } from './story.ts'

export const width = 860
export const left = 74
export const right = 30

/** Where values stand on the paper. */
export type Frame = { readonly x: Axis; readonly y: Axis; readonly top: number; readonly height: number }
export const xOf = ({ x }: Pick<Frame, 'x'>, step: number): number =>
  left + place(x, step, width - left - right)
export const yOf = ({ y, top, height }: Frame, value: number): number =>
  top + height - place(y, Math.min(Math.max(value, y.from), y.to), height)

const niceParts = [1, 2, 2.5, 5, 10]
/** Round values from `from` to `to`, about `count` of them. */
export function niceTicks(from: number, to: number, count: number): number[] {
  const rough = (to - from) / count
  if (!(rough > 0)) return [from]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * niceParts.find((part) => part * power >= rough * 0.999)!
  const first = Math.ceil(from / step - 1e-9)
  const ticks = Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step)
  return ticks.map((tick) => Number(tick.toPrecision(6)))
}

/** Ticks of a logarithmic axis: 1, 2, 5, and the parts between where it spans less than a decade. */
export function logTicks(from: number, to: number): number[] {
  const parts = to / from < 8 ? [1, 1.5, 2, 3, 4, 5, 7] : [1, 2, 5]
  const decades = Array.from(
    { length: Math.ceil(Math.log10(to)) - Math.floor(Math.log10(from)) + 1 },
    (_, i) => 10 ** (Math.floor(Math.log10(from)) + i),
  )
  const ticks = decades.flatMap((decade) => parts.map((part) => Number((part * decade).toPrecision(3))))
  return ticks.filter((tick) => tick >= from && tick <= to)
}

export const stepAxis = (stepCount: number): Axis => ({
  label: 'step',
  scale: 'linear',
  from: 0,
  to: stepCount,
  ticks: niceTicks(0, stepCount, 6),
})

const grouped = (value: number): string => value.toLocaleString('en-GB', { maximumFractionDigits: 6 })

/** Grid lines and numbers; `hasSteps` writes the steps below. */
export function axes(frame: Frame, hasSteps: boolean): string[] {
  const { x, y, top, height } = frame
  const bottom = top + height
  const grid = y.ticks.flatMap((tick) => [
    `<path d="M${left} ${round(yOf(frame, tick))}H${width - right}" stroke="${colors.line}"/>`,
    textAt(grouped(tick), { x: left - 8, y: yOf(frame, tick) + 4, anchor: 'end', color: colors.faint }),
  ])
  const steps = x.ticks.map((tick) =>
    textAt(grouped(tick), { x: xOf(frame, tick), y: bottom + 18, anchor: 'middle', color: colors.faint }),
  )
  const label = textAt(x.label, { x: (left + width - right) / 2, y: bottom + 37, anchor: 'middle' })
  const name = escaped(y.label)
  return [
    ...grid,
    `<path d="M${left} ${bottom}H${width - right}" stroke="${colors.faint}"/>`,
    `<text transform="translate(16 ${round(top + height / 2)}) rotate(-90)" text-anchor="middle" fill="${colors.ink}">${name}</text>`,
    ...(hasSteps ? [...steps, label] : []),
  ]
}

const isLogOutside = ({ y }: Frame, value: number): boolean => y.scale === 'log' && !(value > 0)
const pointOf = (frame: Frame, { step, value }: StepValue): string =>
  `${round(xOf(frame, step))} ${round(isLogOutside(frame, value) ? frame.top + frame.height : yOf(frame, value))}`

/** Values beyond the axis stand at its edge. */
export function line(
  frame: Frame,
  points: readonly StepValue[],
  style: { color: string; width?: number; opacity?: number },
): string {
  if (points.length === 0) return ''
  const { color, width: strokeWidth = 2, opacity = 1 } = style
  const path = points.map((point) => pointOf(frame, point)).join('L')
  return `<path d="M${path}" fill="none" stroke="${color}" stroke-width="${strokeWidth}" stroke-opacity="${opacity}" stroke-linejoin="round"/>`
}

export function band(
  frame: Frame,
  points: readonly { readonly step: number; readonly low: number; readonly high: number }[],
  color: string,
): string {
  if (points.length === 0) return ''
  const upper = points.map(({ step, high }) => pointOf(frame, { step, value: high }))
  const lower = points.map(({ step, low }) => pointOf(frame, { step, value: low })).reverse()
  return `<path d="M${[...upper, ...lower].join('L')}Z" fill="${color}" fill-opacity=".14"/>`
}

const phaseLooks: Readonly<Record<Phase, { readonly name: string; readonly fill: string } | null>> = {
  warmup: { name: 'search', fill: '#eceff3' },
  large: { name: 'large step', fill: '#e6eefe' },
  anneal: { name: 'anneal', fill: '#fdebdf' },
  done: null,
}

/** Phases as shaded ground over so much height, with their names above it, moved right where there is no room. */
export function phaseGround(
  { x, top, height }: Pick<Frame, 'x' | 'top' | 'height'>,
  { phases, stepCount }: Pick<Story, 'phases' | 'stepCount'>,
): string[] {
  let free = 0
  return phases.flatMap(({ phase, fromStep, toStep }) => {
    const look = phaseLooks[phase]
    const end = Math.min(toStep ?? stepCount, stepCount)
    if (look === null || end <= fromStep || fromStep >= stepCount) return []
    const [from, to] = [xOf({ x }, fromStep), xOf({ x }, end)]
    const at = Math.max(free, from + 4)
    free = at + 7 * look.name.length + 8
    return [
      `<rect x="${round(from)}" y="${top}" width="${round(to - from)}" height="${height}" fill="${look.fill}"/>`,
      textAt(look.name, { x: at, y: top - 7, color: colors.faint }),
    ]
  })
}

/** Lines of at most so many characters, broken between words. */
export function wrapped(text: string, charactersMax: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > charactersMax) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

export type LegendEntry = { readonly label: string; readonly color: string; readonly opacity?: number }
export const headLineHeight = 17

/** Title, sentences and legend; returns what is drawn and where the picture itself may begin. */
export function head(
  title: string,
  sentence: string,
  legend: readonly LegendEntry[],
): { drawn: string[]; bottom: number } {
  const sentences = wrapped(sentence, 128)
  const y = 48 + sentences.length * headLineHeight + 8
  let x = 20
  const entries = legend.flatMap(({ label, color, opacity = 1 }) => {
    const from = x
    x += 44 + 6.6 * label.length + 20
    return [
      `<path d="M${from} ${y - 4}h26" stroke="${color}" stroke-width="3" stroke-opacity="${opacity}"/>`,
      textAt(label, { x: from + 34, y }),
    ]
  })
  return {
    drawn: [
      `<g font-size="16">${textAt(title, { x: 20, y: 28, isBold: true })}</g>`,
      ...sentences.map((text, i) => textAt(text, { x: 20, y: 50 + i * headLineHeight, color: colors.faint })),
      ...entries,
    ],
    bottom: y + 14,
  }
}

/** The whole picture; `description` is what a reader who cannot see it is told. */
export function sheet(height: number, description: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="Inter, system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12.5">`,
    `<title>${escaped(description)}</title>`,
    `<rect width="${width}" height="${height}" rx="6" fill="#fff"/>`,
    ...parts.filter((part) => part !== ''),
    '</svg>\n',
  ].join('\n')
}
