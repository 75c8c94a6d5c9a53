// What lies over a chart's plot and hears the pointer: it moves the cursor that all charts share, drags a stretch to
// zoom into, opens the decision that is pressed, and shows the whole run at a double press. A finger moves the cursor
// and never zooms, as it also scrolls the page.

import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { cursorStep } from './cursor.ts'

/** A drag shorter than this is a press, in px. */
const dragPxMin = 6
/** A press opens the decision whose line is at most this far, in px. */
export const pressReachPx = 10

type SurfaceProps = {
  readonly from: number
  readonly to: number
  readonly leftPx: number
  readonly widthPx: number
  readonly zoom: (range: { from: number; to: number } | null) => void
  readonly chooseAt: (step: number, withinSteps: number) => void
}

/** Whole steps, at least 10 of them. */
export function zoomRange(from: number, to: number): { from: number; to: number } {
  const start = Math.max(0, Math.floor(from))
  return { from: start, to: Math.max(start + 10, Math.ceil(to)) }
}

export function PlotSurface(props: SurfaceProps) {
  const { from, to, leftPx, widthPx, zoom, chooseAt } = props
  /** Both ends of the drag under way, in px from the plot's left; null = none is. */
  const drag = useSignal<{ readonly start: number; readonly end: number } | null>(null)
  const hasDragged = useRef(false)
  const perPx = (to - from) / Math.max(1, widthPx)
  const pxOf = (event: PointerEvent | MouseEvent) => {
    const { left } = (event.currentTarget as Element).getBoundingClientRect()
    return Math.min(widthPx, Math.max(0, event.clientX - left))
  }
  const move = (event: PointerEvent) => {
    const px = pxOf(event)
    cursorStep.value = from + px * perPx
    if (drag.peek() !== null) drag.value = { start: drag.peek()!.start, end: px }
  }
  const press = (event: PointerEvent) => {
    hasDragged.current = false
    move(event)
    if (event.pointerType === 'touch' || event.button !== 0) return
    ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
    drag.value = { start: pxOf(event), end: pxOf(event) }
  }
  const release = () => {
    const ended = drag.peek()
    drag.value = null
    if (ended === null || Math.abs(ended.end - ended.start) < dragPxMin) return
    hasDragged.current = true
    const [first, last] = [Math.min(ended.start, ended.end), Math.max(ended.start, ended.end)]
    zoom(zoomRange(from + first * perPx, from + last * perPx))
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the slider around it does the same by keys.
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above.
    <div
      class="plot-surface"
      style={{ left: `${leftPx}px`, width: `${widthPx}px` }}
      onPointerMove={move}
      onPointerDown={press}
      onPointerUp={release}
      onPointerCancel={() => {
        drag.value = null
      }}
      onPointerLeave={(event) => {
        if (event.pointerType !== 'touch' && drag.peek() === null) cursorStep.value = null
      }}
      onClick={(event) => {
        if (!hasDragged.current) chooseAt(from + pxOf(event) * perPx, pressReachPx * perPx)
      }}
      onDblClick={() => zoom(null)}
    >
      <Crosshair from={from} to={to} />
      {drag.value !== null && (
        <i
          class="selection"
          style={{
            left: `${Math.min(drag.value.start, drag.value.end)}px`,
            width: `${Math.abs(drag.value.end - drag.value.start)}px`,
          }}
        />
      )}
    </div>
  )
}

/** It alone follows the cursor, so that moving it paints no chart. */
function Crosshair(props: { from: number; to: number }) {
  const { from, to } = props
  const step = cursorStep.value
  if (step === null || step < from || step > to) return null
  return <i class="crosshair" style={{ left: `${(100 * (step - from)) / (to - from)}%` }} />
}
