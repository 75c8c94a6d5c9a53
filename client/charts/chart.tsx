// One chart on the page: head, canvas, sentence and table. The canvas is painted from the spec (paint.ts) when its values
// change: one paint per frame of a live run, and none while the page is hidden. The pointer is heard by the surface over
// it, the keys here.

import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { paletteVersion } from '../state/theme.ts'
import { Icon } from '../views/icons.tsx'
import { ChartHead, headWords } from './chartHead.tsx'
import { ChartMenu } from './chartMenu.tsx'
import { ChartTable } from './chartTable.tsx'
import { cursorStep } from './cursor.ts'
import { paintChart } from './paint.ts'
import { readPalette } from './palette.ts'
import { canvasPath, type Frame, presentStep } from './pen.ts'
import { PlotSurface, pressReachPx } from './plotSurface.tsx'
import { guttersOf } from './ribbon.tsx'
import type { ChartSpec } from './spec.ts'
import type { ShownSteps } from './useShown.ts'

export type ChartProps = {
  readonly spec: ChartSpec
  readonly frame: Frame
  readonly shown: ShownSteps
  /** Closes the panel; absent = it stays. */
  readonly close?: () => void
  readonly runId: string
  readonly chooseAt: (step: number, withinSteps: number) => void
  /** Steps of decisions, for the cursor's keys. */
  readonly stops: readonly number[]
  readonly toolbar?: preact.ComponentChildren
}

export function Chart(props: ChartProps) {
  const { spec, frame } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const tableOpen = useSignal(false)
  const { left, right } = guttersOf(frame.widthPx)
  const plotWidth = frame.widthPx - left - right
  const colors = paletteVersion.value
  const palette = useMemo(readPalette, [colors])

  useLayoutEffect(() => {
    const paint = () => {
      const context = sized(canvas.current!, frame.widthPx, spec.heightPx)
      if (context !== null)
        paintChart({ context, path: canvasPath }, spec, { ...frame, widthPx: plotWidth }, palette, left)
    }
    if (!document.hidden) {
      paint()
      return
    }
    // Hidden pages paint once, when they are seen again.
    document.addEventListener('visibilitychange', paint, { once: true })
    return () => document.removeEventListener('visibilitychange', paint)
  }, [props, palette, plotWidth])

  return (
    <figure class="chart" aria-labelledby={`${spec.id}-title`}>
      <ChartHead
        spec={spec}
        frame={frame}
        tableOpen={tableOpen}
        words={props.toolbar}
        tools={<ChartMenu {...props} />}
      >
        {props.close !== undefined && (
          <button
            type="button"
            class="tool"
            aria-label={`Close ${spec.title}`}
            title="Close this panel"
            onClick={props.close}
          >
            <Icon name="close" size={14} />
          </button>
        )}
      </ChartHead>
      <div
        class="plot"
        role="slider"
        tabIndex={0}
        aria-label={`${spec.title}: cursor`}
        aria-orientation="horizontal"
        aria-valuemin={Math.round(frame.from)}
        aria-valuemax={Math.round(frame.to)}
        aria-valuenow={Math.round(cursorStep.value ?? presentStep(frame))}
        aria-valuetext={headWords(spec, cursorStep.value ?? presentStep(frame))}
        onKeyDown={(event) => onChartKey(event, props, plotWidth, tableOpen)}
      >
        <canvas ref={canvas} />
        <PlotSurface
          from={frame.from}
          to={frame.to}
          leftPx={left}
          widthPx={plotWidth}
          zoomed={frame.zoomed}
          moves={props.shown}
          chooseAt={props.chooseAt}
        />
        {spec.missing !== null && <p class="missing">{spec.missing}</p>}
      </div>
      <figcaption class="visually-hidden">{spec.sentence}</figcaption>
      {tableOpen.value && <ChartTable spec={spec} />}
    </figure>
  )
}

/** The canvas with one pixel of it on each of the screen's, cleared, and a context that measures in CSS px. */
function sized(
  canvas: HTMLCanvasElement,
  widthPx: number,
  heightPx: number,
): CanvasRenderingContext2D | null {
  const ratio = devicePixelRatio
  canvas.width = Math.round(widthPx * ratio)
  canvas.height = Math.round(heightPx * ratio)
  canvas.style.width = `${widthPx}px`
  canvas.style.height = `${heightPx}px`
  const context = canvas.getContext('2d')
  context?.scale(ratio, ratio)
  return context
}

/** What a press of + and - stretches by, and which share of the shown steps Alt and an arrow move by. */
export const zoomFactor = 1.6
const panShare = 0.2

function onChartKey(
  event: KeyboardEvent,
  props: ChartProps,
  plotWidth: number,
  tableOpen: { value: boolean },
): void {
  if (event.ctrlKey || event.metaKey) return
  const { shown } = props
  const pan = (direction: 1 | -1) => () => shown.panBy(direction * panShare)
  const actions: Record<string, () => void> = {
    ...cursorKeys(event, props, plotWidth),
    ...(event.altKey ? { ArrowLeft: pan(-1), ArrowRight: pan(1) } : {}),
    '+': () => shown.zoomBy(1 / zoomFactor),
    '=': () => shown.zoomBy(1 / zoomFactor),
    '-': () => shown.zoomBy(zoomFactor),
    '0': () => shown.show(null),
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

function cursorKeys(event: KeyboardEvent, props: ChartProps, plotWidth: number): Record<string, () => void> {
  const { frame, stops } = props
  const at = cursorStep.peek() ?? presentStep(frame)
  const bucket = (frame.to - frame.from) / Math.max(1, plotWidth)
  const nextStop = (direction: 1 | -1) =>
    direction > 0
      ? stops.find((step) => step > at + bucket / 2)
      : stops.findLast((step) => step < at - bucket / 2)
  const step = (direction: 1 | -1) =>
    event.shiftKey
      ? at + direction * bucket
      : (nextStop(direction) ?? (direction > 0 ? frame.nowStep : frame.from))
  const moveTo = (next: number) => {
    cursorStep.value = Math.min(frame.to, Math.max(frame.from, next))
  }
  return {
    ArrowLeft: () => moveTo(step(-1)),
    ArrowRight: () => moveTo(step(1)),
    Home: () => moveTo(frame.from),
    End: () => moveTo(frame.to),
    Enter: () => props.chooseAt(at, pressReachPx * bucket),
  }
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
