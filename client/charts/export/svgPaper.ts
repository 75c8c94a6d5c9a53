// A canvas context that writes SVG: as much of one as the painters use. Each drawing call becomes one element; clips and
// translations are kept on a stack, as on a canvas. Whoever paints cannot tell it from a canvas, so picture and drawing are
// the same by construction.

import type { Paper } from '../pen.ts'

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
const short = (value: number): string => String(Number(value.toFixed(2)))

/** Path data as it grows. */
export class SvgPath {
  data: string
  constructor(data = '') {
    this.data = data
  }
  moveTo(x: number, y: number): void {
    this.data += `M${short(x)} ${short(y)}`
  }
  lineTo(x: number, y: number): void {
    this.data += `${this.data === '' ? 'M' : 'L'}${short(x)} ${short(y)}`
  }
}

type State = {
  transform: string
  scale: number
  clip: string | null
  fillStyle: string
  strokeStyle: string
  lineWidth: number
  globalAlpha: number
  lineJoin: string
  lineCap: string
  font: string
  textAlign: string
  textBaseline: string
  dash: readonly number[]
}

/** A canvas font, such as "550 11px Inter", as attributes: a style would need a policy's leave where it is shown. */
function fontOf(font: string): string {
  const [, weight, size, family] = /^(?:(\d+) )?([\d.]+)px (.+)$/.exec(font) ?? []
  return `font-family="${escaped(family ?? 'sans-serif')}" font-size="${size ?? '11'}" font-weight="${weight ?? '400'}"`
}

const anchors: Readonly<Record<string, string>> = { left: 'start', right: 'end', center: 'middle' }

export class SvgContext {
  private readonly elements: string[] = []
  private readonly clips: string[] = []
  private readonly saved: State[] = []
  private readonly measure: (text: string, font: string) => number
  private readonly clipPrefix: string
  private path = new SvgPath()
  private state: State = {
    transform: '',
    scale: 1,
    clip: null,
    fillStyle: '#000',
    strokeStyle: '#000',
    lineWidth: 1,
    globalAlpha: 1,
    lineJoin: 'miter',
    lineCap: 'butt',
    font: '11px sans-serif',
    textAlign: 'left',
    textBaseline: 'alphabetic',
    dash: [],
  }

  /** @param clipPrefix keeps names of clips apart where several drawings share a page. */
  constructor(measure: (text: string, font: string) => number, clipPrefix: string) {
    this.measure = measure
    this.clipPrefix = clipPrefix
    for (const name of [
      'fillStyle',
      'strokeStyle',
      'lineWidth',
      'globalAlpha',
      'lineJoin',
      'lineCap',
      'font',
      'textAlign',
      'textBaseline',
    ] as const)
      Object.defineProperty(this, name, {
        get: () => this.state[name],
        set: (value: never) => {
          this.state[name] = value
        },
      })
  }

  save(): void {
    this.saved.push({ ...this.state })
  }
  restore(): void {
    this.state = this.saved.pop() ?? this.state
  }
  translate(x: number, y: number): void {
    this.state.transform += `translate(${short(x)} ${short(y)})`
  }
  scale(x: number, y: number): void {
    this.state.transform += `scale(${short(x)} ${short(y)})`
  }
  setLineDash(dash: readonly number[]): void {
    this.state.dash = dash
  }
  measureText(text: string): { width: number } {
    return { width: this.measure(text, this.state.font) }
  }

  beginPath(): void {
    this.path = new SvgPath()
  }
  moveTo(x: number, y: number): void {
    this.path.moveTo(x, y)
  }
  lineTo(x: number, y: number): void {
    this.path.lineTo(x, y)
  }
  closePath(): void {
    this.path.data += 'Z'
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.path.data += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`
  }
  /** Whole circles alone: nothing else is drawn. */
  arc(x: number, y: number, radius: number): void {
    const r = short(radius)
    this.path.data += `M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 1 ${short(2 * radius)} 0a${r} ${r} 0 1 1 ${short(-2 * radius)} 0Z`
  }
  clip(): void {
    const { transform, clip } = this.state
    const id = `${this.clipPrefix}${this.clips.length}`
    const within = clip === null ? '' : ` clip-path="url(#${clip})"`
    this.clips.push(
      `<clipPath id="${id}"${within}><path d="${this.path.data}"${this.moved(transform)}/></clipPath>`,
    )
    this.state.clip = id
  }

  fill(path?: SvgPath): void {
    this.draw((path ?? this.path).data, `fill="${escaped(this.state.fillStyle)}"`)
  }
  stroke(path?: SvgPath): void {
    this.draw((path ?? this.path).data, `fill="none" ${this.pen()}`)
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    const from = width < 0 ? x + width : x
    const size = `x="${short(from)}" y="${short(y)}" width="${short(Math.abs(width))}" height="${short(height)}"`
    this.put(`<rect ${size} fill="${escaped(this.state.fillStyle)}"${this.moved(this.state.transform)}/>`)
  }
  fillText(text: string, x: number, y: number): void {
    this.write(text, x, y, `fill="${escaped(this.state.fillStyle)}"`)
  }
  strokeText(text: string, x: number, y: number): void {
    this.write(text, x, y, `fill="none" ${this.pen()} stroke-linejoin="round"`)
  }

  /** The drawing, with what else belongs on it: elements as text, below everything. */
  toSvg(widthPx: number, heightPx: number, ground: string): string {
    const size = `width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}"`
    const defs = this.clips.length === 0 ? '' : `<defs>${this.clips.join('')}</defs>`
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${defs}${ground}${this.elements.join('\n')}</svg>\n`
  }

  private pen(): string {
    const { strokeStyle, lineWidth, dash } = this.state
    const dashes = dash.length === 0 ? '' : ` stroke-dasharray="${dash.map(short).join(' ')}"`
    return `stroke="${escaped(strokeStyle)}" stroke-width="${short(lineWidth)}"${dashes}`
  }
  private moved(transform: string): string {
    return transform === '' ? '' : ` transform="${transform}"`
  }
  private draw(data: string, paint: string): void {
    if (data === '') return
    const join = this.state.lineJoin === 'miter' ? '' : ` stroke-linejoin="${this.state.lineJoin}"`
    this.put(`<path d="${data}" ${paint}${join}${this.moved(this.state.transform)}/>`)
  }
  private write(text: string, x: number, y: number, paint: string): void {
    const { font, textAlign, textBaseline, transform } = this.state
    const middle = textBaseline === 'middle' ? ' dominant-baseline="central"' : ''
    const place = `x="${short(x)}" y="${short(y)}" text-anchor="${anchors[textAlign] ?? 'start'}"${middle}`
    this.put(`<text ${place} ${fontOf(font)} ${paint}${this.moved(transform)}>${escaped(text)}</text>`)
  }
  /** An element, faint as the state has it, and cut where a clip holds. The clip is named in the drawing's own measures. */
  private put(element: string): void {
    const { globalAlpha, clip } = this.state
    const opacity = globalAlpha === 1 ? '' : ` opacity="${short(globalAlpha)}"`
    const cut = clip === null ? '' : ` clip-path="url(#${clip})"`
    this.elements.push(opacity === '' && cut === '' ? element : `<g${opacity}${cut}>${element}</g>`)
  }
}

/** What the painters take for a canvas. The casts are the one place that says so. */
export const svgPaper = (context: SvgContext): Paper => ({
  context: context as unknown as CanvasRenderingContext2D,
  path: (data) => new SvgPath(data) as unknown as Path2D,
})
