// What lies over a plot and hears pointers and wheel: it moves the cursor that all charts share, opens the decision that is
// pressed, and shows other steps. A mouse drags a stretch to zoom into, with Shift it moves the run; a finger taps to set
// the cursor and drags to the side, up and down is left to the page; two fingers stretch. Ctrl and wheel zoom.

import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { cursorStep } from './cursor.ts'
import { type Gesture, isDrag, rangeOf, selectedRange, stepAt, turnOf } from './gestures.ts'
import { type Range, zoomed } from './ranges.ts'

/** A press opens the decision whose line is at most this far, in px. */
export const pressReachPx = 10

/** Shows other steps: at once, or while a gesture goes on. Null = the whole run. */
export type Moves = {
  readonly show: (range: Range | null) => void
  readonly move: (range: Range) => void
}

type SurfaceProps = Range & {
  readonly leftPx: number
  readonly widthPx: number
  /** Whether only a part of the run is shown. */
  readonly zoomed: boolean
  readonly moves: Moves
  readonly chooseAt: (step: number, withinSteps: number) => void
  readonly class?: string
}

export function PlotSurface(props: SurfaceProps) {
  const { from, to, leftPx, widthPx, moves, chooseAt } = props
  const gesture = useSignal<Gesture | null>(null)
  const element = useRef<HTMLDivElement>(null)
  const pointers = usePointers(props, gesture)
  useWheel(element, props)
  const stepOf = (event: MouseEvent) => stepAt({ from, to }, pxOf(event, widthPx), widthPx)
  const selected = gesture.value?.kind === 'select' && isDrag(gesture.value) ? gesture.value : null
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the slider around it does the same by keys.
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above.
    <div
      ref={element}
      class={`plot-surface ${props.class ?? ''} ${gesture.value?.kind === 'pan' ? 'panning' : ''}`}
      style={{ left: `${leftPx}px`, width: `${widthPx}px` }}
      onPointerMove={(event) => {
        cursorStep.value = stepOf(event)
        pointers.move(event)
      }}
      onPointerDown={(event) => {
        cursorStep.value = stepOf(event)
        pointers.press(event)
      }}
      onPointerUp={pointers.release}
      onPointerCancel={pointers.cancel}
      onPointerLeave={(event) => {
        if (event.pointerType !== 'touch' && gesture.peek() === null) cursorStep.value = null
      }}
      onClick={(event) => {
        const reach = pressReachPx * ((to - from) / Math.max(1, widthPx))
        if (!pointers.hasDragged()) chooseAt(stepOf(event), reach)
      }}
      onDblClick={() => moves.show(null)}
    >
      <Crosshair from={from} to={to} />
      {selected !== null && (
        <i
          class="selection"
          style={{
            left: `${Math.min(selected.start, selected.end)}px`,
            width: `${Math.abs(selected.end - selected.start)}px`,
          }}
        />
      )}
    </div>
  )
}

function pxOf(event: MouseEvent, widthPx: number): number {
  const { left } = (event.currentTarget as Element).getBoundingClientRect()
  return Math.min(widthPx, Math.max(0, event.clientX - left))
}

/** The gesture under way, from the pointers that are down. */
function usePointers(props: SurfaceProps, gesture: Signal<Gesture | null>) {
  const { widthPx, moves } = props
  const range = { from: props.from, to: props.to }
  const down = useRef(new Map<number, number>())
  const dragged = useRef(false)
  const change = (next: Gesture) => {
    gesture.value = next
    if (!isDrag(next)) return
    dragged.current = true
    const moved = rangeOf(next, widthPx)
    if (moved !== null) moves.move(moved)
  }
  const begin = (event: PointerEvent): Gesture => {
    const [first, second] = [...down.current.values()]
    if (second !== undefined) return { kind: 'pinch', start: [first!, second], end: [first!, second], range }
    const pans = event.pointerType === 'touch' ? props.zoomed : event.shiftKey
    return pans
      ? { kind: 'pan', start: first!, end: first!, range }
      : { kind: 'select', start: first!, end: first! }
  }
  const end = () => {
    const ended = gesture.peek()
    gesture.value = null
    return ended
  }
  return {
    hasDragged: () => dragged.current,
    press: (event: PointerEvent) => {
      if (event.button !== 0) return
      if (down.current.size === 0) dragged.current = false
      if (down.current.size === 2) return
      ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
      down.current.set(event.pointerId, pxOf(event, widthPx))
      gesture.value = begin(event)
      if (gesture.value.kind === 'pinch') dragged.current = true
    },
    move: (event: PointerEvent) => {
      const now = gesture.peek()
      if (now === null || !down.current.has(event.pointerId)) return
      down.current.set(event.pointerId, pxOf(event, widthPx))
      const [first, second] = [...down.current.values()]
      if (now.kind === 'pinch') {
        if (second !== undefined) change({ ...now, end: [first!, second] })
      } else change({ ...now, end: first! })
    },
    release: (event: PointerEvent) => {
      if (!down.current.delete(event.pointerId)) return
      // The finger that is left of two does nothing more.
      const ended = end()
      if (ended?.kind === 'select' && isDrag(ended)) moves.show(selectedRange(ended, range, widthPx))
    },
    cancel: (event: PointerEvent) => {
      down.current.delete(event.pointerId)
      end()
    },
  }
}

/** Heard by hand: only a listener that is not passive may keep the page from zooming itself. */
function useWheel(element: { readonly current: HTMLDivElement | null }, props: SurfaceProps): void {
  const latest = useRef(props)
  latest.current = props
  useEffect(() => {
    const surface = element.current!
    const turn = (event: WheelEvent) => {
      const { from, to, widthPx, moves, zoomed: isZoomed } = latest.current
      const meant = turnOf(event)
      // To the side of the whole run there is nothing: the gesture is the browser's.
      if (meant === null || (meant.kind === 'pan' && !isZoomed)) return
      event.preventDefault()
      const perPx = (to - from) / Math.max(1, widthPx)
      const px = event.clientX - surface.getBoundingClientRect().left
      if (meant.kind === 'zoom') moves.move(zoomed({ from, to }, from + px * perPx, meant.factor))
      else moves.move({ from: from + meant.px * perPx, to: to + meant.px * perPx })
    }
    surface.addEventListener('wheel', turn, { passive: false })
    return () => surface.removeEventListener('wheel', turn)
  }, [element])
}

/** It alone follows the cursor, so that moving it paints no chart. */
function Crosshair(props: Range) {
  const { from, to } = props
  const step = cursorStep.value
  if (step === null || step < from || step > to) return null
  return <i class="crosshair" style={{ left: `${(100 * (step - from)) / (to - from)}%` }} />
}
