// The steps that the charts show. The address holds them; while a gesture goes on they are ahead of it, and come to rest
// there a moment later: browsers bound how often an address may change.

import { batch } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { lookedAt } from '../state/zoomed.ts'
import type { Moves } from './plotSurface.tsx'
import { panned, type Range, tidied, zoomed } from './ranges.ts'

const restMs = 250

export type ShownSteps = Moves & {
  /** Null = the whole run. */
  readonly range: Range | null
  readonly zoomBy: (factor: number) => void
  readonly panBy: (share: number) => void
}

/** @param atRest what the address says; @param keep puts a range there. */
export function useShown(
  atRest: Range | null,
  whole: Range,
  keep: (range: Range | null) => void,
): ShownSteps {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      lookedAt.value = undefined
    },
    [],
  )
  const rest = () => {
    clearTimeout(timer.current)
    const now = lookedAt.peek()
    if (now === undefined) return
    batch(() => {
      lookedAt.value = undefined
      keep(now)
    })
  }
  const begin = (range: Range | null) => {
    lookedAt.value = range
    clearTimeout(timer.current)
    timer.current = setTimeout(rest, restMs)
  }
  const show = (range: Range | null) => {
    clearTimeout(timer.current)
    batch(() => {
      lookedAt.value = undefined
      keep(range === null ? null : tidied(range, whole))
    })
  }
  const range = lookedAt.value === undefined ? atRest : lookedAt.value
  const shown = range ?? whole
  const move = (next: Range) => begin(tidied(next, whole))
  return {
    range,
    show,
    move,
    zoomBy: (factor) => move(zoomed(shown, (shown.from + shown.to) / 2, factor)),
    panBy: (share) => move(panned(shown, share, whole)),
  }
}
