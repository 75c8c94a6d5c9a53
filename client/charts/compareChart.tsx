// One signal of several runs as lines in one picture: SVG, so that colours, dashes and forced colours come from the style
// sheet. A run is told by colour, dash and the label at its line's end, never by colour alone. One cursor for all charts.

import { useSignal } from '@preact/signals'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { type AlignedLine, spreadLabels } from './aligned.ts'
import { extremesOf, linearScale, logScale, niceValues, positionOn, quantileOf, type Scale } from './scale.ts'

export type CompareLine = {
  /** 0 to 7: which colour and dash. */
  readonly look: number
  readonly name: string
  readonly line: AlignedLine
}

const gutterPx = 54
/** From this width on the names stand at the lines' ends. */
const widePx = 640
const labelPx = 14
const topPx = 10
const bottomPx = 8

/** The y axis: values above the 98th percentile of all are cut where a start would flatten the rest. */
function scaleOf(lines: readonly CompareLine[], log: boolean): Scale {
  const values = lines.flatMap(({ line }) => line.map(({ y }) => y))
  const [low, high] = extremesOf(values) ?? [0, 1]
  const robust = quantileOf(values, 0.98) ?? high
  const lasts = lines.flatMap(({ line }) => line.at(-1)?.y ?? [])
  const top = Math.max(high - robust > robust - low ? robust : high, ...lasts)
  if (log) return logScale(Math.min(...values.filter((value) => value > 0), top), top, 6)
  return linearScale(low, top, 5)
}

export type CompareAxisView = {
  readonly from: number
  readonly to: number
  readonly write: (value: number) => string
}
type ChartProps = {
  readonly title: string
  readonly lines: readonly CompareLine[]
  readonly x: CompareAxisView
  readonly heightPx: number
  readonly log: boolean
  /** Where the cursor is, on the x axis; null = nowhere. */
  readonly cursor: number | null
  readonly setCursor: (x: number | null) => void
  /** Whether the x axis is labelled. */
  readonly labelled: boolean
  readonly write: (value: number) => string
}

/** Where values lie in the picture, in px. */
type Place = {
  readonly plotPx: number
  readonly rightPx: number
  readonly scale: Scale
  readonly xOf: (value: number) => number
  readonly yOf: (value: number) => number | null
}

function placeOf({ lines, x, heightPx, log }: ChartProps, widthPx: number): Place {
  const rightPx = widthPx > widePx ? 150 : 26
  const plotPx = Math.max(40, widthPx - gutterPx - rightPx)
  const scale = scaleOf(lines, log)
  return {
    plotPx,
    rightPx,
    scale,
    xOf: (value) => gutterPx + (plotPx * (value - x.from)) / (x.to - x.from || 1),
    yOf: (value) => {
      const position = positionOn(scale, value)
      return position === null ? null : topPx + (heightPx - topPx - bottomPx) * (1 - position)
    },
  }
}

/** The width of an element, as it changes. */
function useWidth(element: { readonly current: HTMLElement | null }): number {
  const width = useSignal(0)
  useLayoutEffect(() => {
    const measured = element.current
    if (measured === null) return
    width.value = measured.clientWidth
    const observer = new ResizeObserver(() => {
      width.value = measured.clientWidth
    })
    observer.observe(measured)
    return () => observer.disconnect()
  }, [])
  return width.value
}

export function CompareChart(props: ChartProps) {
  const { title, x, heightPx, cursor, setCursor, labelled } = props
  const frame = useRef<HTMLDivElement>(null)
  const widthPx = useWidth(frame)
  const clip = useId()
  const place = placeOf(props, widthPx)
  const { plotPx, xOf, yOf } = place
  const drawn = props.lines.filter(({ line }) => line.length > 0)
  const total = heightPx + (labelled ? 20 : 0)
  const point = (event: PointerEvent) => {
    const left = (event.currentTarget as Element).getBoundingClientRect().left
    const at = x.from + ((event.clientX - left - gutterPx) / plotPx) * (x.to - x.from)
    setCursor(Math.min(x.to, Math.max(x.from, at)))
  }
  return (
    <figure class="compare-chart" ref={frame} aria-label={title}>
      <figcaption>{title}</figcaption>
      {drawn.length === 0 ? (
        <p class="sub">Not measured by any of these runs.</p>
      ) : (
        <svg
          width={widthPx}
          height={total}
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={(event) => event.pointerType === 'mouse' && setCursor(null)}
          aria-hidden="true"
        >
          <clipPath id={clip}>
            <rect x={gutterPx} y="0" width={plotPx} height={heightPx} />
          </clipPath>
          <Ticks place={place} write={props.write} />
          <g clip-path={`url(#${clip})`}>
            {drawn.map(({ look, line }) => (
              <path key={look} class={`line line-${look}`} d={pathOf(line, xOf, yOf)} />
            ))}
            {cursor !== null && (
              <line class="cursor" x1={xOf(cursor)} x2={xOf(cursor)} y1="0" y2={heightPx} />
            )}
          </g>
          <Ends drawn={drawn} place={place} heightPx={heightPx} />
          {labelled && <AxisLabels x={x} place={place} y={total - 4} />}
        </svg>
      )}
    </figure>
  )
}

function Ticks({ place, write }: { place: Place; write: (value: number) => string }) {
  const { scale, plotPx, yOf } = place
  return (
    <>
      {scale.ticks.map(({ value }) => (
        <g key={value} class="tick">
          <line x1={gutterPx} x2={gutterPx + plotPx} y1={yOf(value)!} y2={yOf(value)!} />
          <text x={gutterPx - 8} y={yOf(value)! + 4} text-anchor="end">
            {write(value)}
          </text>
        </g>
      ))}
    </>
  )
}

/** The names at the lines' ends, or on a narrow screen their numbers. */
function Ends(props: { drawn: readonly CompareLine[]; place: Place; heightPx: number }) {
  const { drawn, place, heightPx } = props
  const { plotPx, rightPx, xOf, yOf } = place
  const ends = drawn.map(({ line }) => yOf(line.at(-1)!.y) ?? heightPx)
  const labels = spreadLabels(ends, labelPx, topPx + 2, heightPx - bottomPx)
  return (
    <>
      {drawn.map(({ look, name, line }, i) => (
        <g key={look} class={`end end-${look}`}>
          <path d={`M${xOf(line.at(-1)!.x)} ${ends[i]}L${gutterPx + plotPx + 6} ${labels[i]}`} />
          <text x={gutterPx + plotPx + 9} y={labels[i]! + 4}>
            {rightPx > 100 ? shortened(name) : look + 1}
          </text>
        </g>
      ))}
    </>
  )
}

function AxisLabels({ x, place, y }: { x: CompareAxisView; place: Place; y: number }) {
  return (
    <>
      {niceValues(x.from, x.to, place.plotPx > 500 ? 7 : 4).map((value) => (
        <text key={value} class="x-label" x={place.xOf(value)} y={y} text-anchor="middle">
          {x.write(value)}
        </text>
      ))}
    </>
  )
}

const charactersMax = 19
/** The end of a name is what tells it from others. */
const shortened = (name: string) =>
  name.length <= charactersMax ? name : `…${name.slice(1 - charactersMax)}`

function pathOf(
  line: AlignedLine,
  xOf: (value: number) => number,
  yOf: (value: number) => number | null,
): string {
  let path = ''
  let joins = false
  for (const point of line) {
    const y = yOf(point.y)
    if (y !== null) path += `${joins ? 'L' : 'M'}${xOf(point.x).toFixed(1)} ${y.toFixed(1)}`
    joins = y !== null
  }
  // A single point is drawn as a dot, by its round ends.
  return line.length === 1 ? `${path}h.01` : path
}

/** A stretch of a run's line, beside its name. */
export function LineSample(props: { look: number }) {
  return (
    <svg width="26" height="10" aria-hidden="true">
      <path class={`line line-${props.look}`} d="M1 5H25" />
    </svg>
  )
}
