// One chart on the page: head, canvas, sentence and table. uPlot holds the canvas, the y axis, the shared
// cursor and the drag that zooms; what is drawn on it comes from the spec by way of paint.ts. The plot is made
// once and then told of new values: a live run costs one paint per frame, and none while the page is hidden.

import './languageTag.ts'
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { paletteVersion } from '../state/theme.ts'
import { ChartHead, headWords } from './chartHead.tsx'
import { ChartTable } from './chartTable.tsx'
import { cursorStep } from './cursor.ts'
import { paintGround, paintMarks } from './paint.ts'
import { type Palette, readPalette } from './palette.ts'
import { type Frame, topPx } from './pen.ts'
import { guttersOf } from './ribbon.tsx'
import { positionOn } from './scale.ts'
import type { ChartSpec } from './spec.ts'

/** A drag shorter than this is a click, in px. */
const dragPxMin = 6
/** A click opens the decision whose line is at most this far, in px. */
const clickReachPx = 10

export type ChartProps = {
  readonly spec: ChartSpec
  readonly frame: Frame
  readonly zoom: (range: { from: number; to: number } | null) => void
  readonly chooseAt: (step: number, withinSteps: number) => void
  /** Steps of decisions, for the cursor's keys. */
  readonly stops: readonly number[]
  readonly toolbar?: preact.ComponentChildren
}

type Latest = { props: ChartProps; palette: Palette }

/** uPlot's data is only the window: the values are painted by us. */
const windowData = (frame: Frame): uPlot.AlignedData => [
  [frame.from, frame.to],
  [0, 1],
]

export function Chart(props: ChartProps) {
  const { spec } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef<Latest | null>(null)
  const tableOpen = useSignal(false)
  const { left, right } = guttersOf(props.frame.widthPx)
  const plotWidth = props.frame.widthPx - left - right
  const colors = paletteVersion.value

  useLayoutEffect(() => {
    latest.current = { props, palette: readPalette() }
    const made = new uPlot(
      optionsOf(latest as { current: Latest }, left, right),
      windowData(props.frame),
      host.current!,
    )
    plot.current = made
    return () => made.destroy()
  }, [left])

  useLayoutEffect(() => {
    if (latest.current !== null) latest.current = { ...latest.current, palette: readPalette() }
  }, [colors])

  useLayoutEffect(() => {
    const made = plot.current
    if (made === null || latest.current === null) return
    latest.current = { ...latest.current, props }
    const paint = () => {
      if (made.width !== props.frame.widthPx)
        made.setSize({ width: props.frame.widthPx, height: spec.heightPx })
      made.batch(() => {
        made.setData(windowData(props.frame))
        // The y range never changes for the library, the ticks on it do: they must be asked for again.
        made.redraw(true, true)
      })
    }
    if (!document.hidden) {
      paint()
      return
    }
    // Hidden pages paint once, when they are seen again.
    document.addEventListener('visibilitychange', paint, { once: true })
    return () => document.removeEventListener('visibilitychange', paint)
  }, [props, spec, colors, left])

  const moveTo = (step: number) => {
    const made = plot.current
    if (made !== null) made.setCursor({ left: made.valToPos(step, 'x'), top: spec.heightPx / 2 })
  }
  return (
    <figure class="chart" aria-labelledby={`${spec.id}-title`}>
      <ChartHead spec={spec} frame={props.frame} tableOpen={tableOpen}>
        {props.toolbar}
      </ChartHead>
      <div
        class="plot"
        role="slider"
        tabIndex={0}
        aria-label={`${spec.title}: cursor`}
        aria-orientation="horizontal"
        aria-valuemin={Math.round(props.frame.from)}
        aria-valuemax={Math.round(props.frame.to)}
        aria-valuenow={Math.round(cursorStep.value ?? props.frame.nowStep)}
        aria-valuetext={headWords(spec, cursorStep.value ?? props.frame.nowStep)}
        onKeyDown={(event) => onChartKey(event, props, plotWidth, moveTo, tableOpen)}
      >
        <div ref={host} class="canvas" style={{ height: `${spec.heightPx}px` }} />
        {spec.missing !== null && <p class="missing">{spec.missing}</p>}
      </div>
      <figcaption class="visually-hidden">{spec.sentence}</figcaption>
      {tableOpen.value && <ChartTable spec={spec} />}
    </figure>
  )
}

function onChartKey(
  event: KeyboardEvent,
  props: ChartProps,
  plotWidth: number,
  moveTo: (step: number) => void,
  tableOpen: { value: boolean },
): void {
  const { frame, stops } = props
  const at = cursorStep.peek() ?? frame.nowStep
  const bucket = (frame.to - frame.from) / Math.max(1, plotWidth)
  const nextStop = (direction: 1 | -1) =>
    direction > 0
      ? stops.find((step) => step > at + bucket / 2)
      : stops.findLast((step) => step < at - bucket / 2)
  const step = (direction: 1 | -1) =>
    event.shiftKey
      ? at + direction * bucket
      : (nextStop(direction) ?? (direction > 0 ? frame.nowStep : frame.from))
  const actions: Record<string, () => void> = {
    ArrowLeft: () => moveTo(Math.max(frame.from, step(-1))),
    ArrowRight: () => moveTo(Math.min(frame.to, step(1))),
    Home: () => moveTo(frame.from),
    End: () => moveTo(frame.to),
    Enter: () => props.chooseAt(at, clickReachPx * bucket),
    v: () => {
      tableOpen.value = !tableOpen.value
    },
  }
  const action = actions[event.key]
  if (action === undefined) return
  event.preventDefault()
  event.stopPropagation()
  action()
}

function optionsOf(latest: { current: Latest }, left: number, right: number): uPlot.Options {
  const now = () => latest.current
  const { spec, frame } = now().props
  const span = spec.heightPx - topPx - spec.bottomPx
  const color = (name: 'ink-3' | 'line') => () => now().palette[name]
  // A little beyond the right edge of the whole run, so that a dot on its last step is whole.
  const edgePx = () => (now().props.frame.zoomed ? 0 : 5)
  const inPlot = (
    u: uPlot,
    beyondPx: number,
    paint: (context: CanvasRenderingContext2D, plotFrame: Frame) => void,
  ) => {
    const { ctx, bbox } = u
    const ratio = devicePixelRatio
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width + beyondPx * ratio, bbox.height)
    ctx.clip()
    ctx.translate(bbox.left, bbox.top)
    ctx.scale(ratio, ratio)
    paint(ctx, { ...now().props.frame, widthPx: bbox.width / ratio })
    ctx.restore()
  }
  return {
    width: frame.widthPx,
    height: spec.heightPx,
    padding: [0, right, 0, 0],
    legend: { show: false },
    focus: { alpha: 1 },
    scales: {
      x: { time: false, range: () => [now().props.frame.from, now().props.frame.to] },
      // Pixels of room above and below the scale, as shares of it: the axis and the painter agree.
      y: { range: () => [-spec.bottomPx / span, 1 + topPx / span] },
    },
    axes: [
      { show: false },
      {
        size: left,
        gap: 7,
        font: `11px ${now().palette.font}`,
        stroke: color('ink-3'),
        ticks: { show: false },
        grid: { stroke: color('line'), width: 1 },
        splits: () => ticksOf(now().props.spec).map(({ at }) => at),
        values: () => ticksOf(now().props.spec).map(({ label }) => label),
      },
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    cursor: cursorOptions(now),
    hooks: {
      drawClear: [
        (u) =>
          inPlot(u, 0, (context, plotFrame) =>
            paintGround(context, now().props.spec, plotFrame, now().palette),
          ),
      ],
      draw: [
        (u) =>
          inPlot(u, edgePx(), (context, plotFrame) =>
            paintMarks(context, now().props.spec, plotFrame, now().palette),
          ),
      ],
      setCursor: [
        (u) => {
          const at = u.cursor.left ?? -1
          cursorStep.value = at < 0 ? null : u.posToVal(at, 'x')
        },
      ],
      setSelect: [
        (u) => {
          const { left: start, width } = u.select
          if (width < dragPxMin) return
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          now().props.zoom(zoomRange(u.posToVal(start, 'x'), u.posToVal(start + width, 'x')))
        },
      ],
    },
  }
}

function cursorOptions(now: () => Latest): uPlot.Cursor {
  return {
    y: false,
    points: { show: false },
    drag: { x: true, y: false, setScale: false, dist: dragPxMin },
    sync: { key: 'run', scales: ['x', null] },
    bind: {
      dblclick: () => () => {
        now().props.zoom(null)
        return null
      },
      click: (u) => (event) => {
        const at = u.posToVal(event.offsetX, 'x')
        const { frame } = now().props
        const plotWidth = Math.max(1, u.bbox.width / devicePixelRatio)
        now().props.chooseAt(at, (clickReachPx * (frame.to - frame.from)) / plotWidth)
        return null
      },
    },
  }
}

/** Ticks at their place in [0, 1]; the rate's row for 0 lies below the scale. */
function ticksOf(spec: ChartSpec): { at: number; label: string }[] {
  // An axis without anything on it says nothing.
  if (spec.missing !== null) return []
  const span = spec.heightPx - topPx - spec.bottomPx
  const ticks = spec.scale.ticks.map(({ value, label }) => ({
    at: positionOn(spec.scale, value) ?? 0,
    label,
  }))
  if (!spec.marks.some(({ kind }) => kind === 'zeroRow')) return ticks
  return [{ at: (7 - spec.bottomPx) / span, label: '0' }, ...ticks]
}

/** Whole steps, at least 10 of them. */
export function zoomRange(from: number, to: number): { from: number; to: number } {
  const start = Math.max(0, Math.floor(from))
  return { from: start, to: Math.max(start + 10, Math.ceil(to)) }
}

/** Clears the shared cursor when the charts go away. */
export function useCursorReset(): void {
  useEffect(
    () => () => {
      cursorStep.value = null
    },
    [],
  )
}
