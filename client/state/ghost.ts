// What would be: segments of a plan that is looked at and not in force. The chart of the rate draws them in plum dots,
// before a form is sent, for a what-if, and for the plan of an earlier step.

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Segment } from '../../protocol/vocabulary.ts'

export const ghost = signal<readonly Segment[] | null>(null)

/** Shows segments for as long as a view stands; null = none. */
export function useGhost(segments: readonly Segment[] | null): void {
  const key = JSON.stringify(segments)
  useEffect(() => {
    ghost.value = segments
  }, [key])
  useEffect(
    () => () => {
      ghost.value = null
    },
    [],
  )
}

/** What another rule would do: rates with a name, and what they would cost in words. */
export type GhostCurve = {
  readonly name: string
  readonly cost: string
  readonly segments: readonly Segment[]
}

export const otherGhosts = signal<readonly GhostCurve[]>([])

/** Shows curves of other rules for as long as a view stands. */
export function useOtherGhosts(curves: readonly GhostCurve[]): void {
  const key = JSON.stringify(curves)
  useEffect(() => {
    otherGhosts.value = curves
  }, [key])
  useEffect(
    () => () => {
      otherGhosts.value = []
    },
    [],
  )
}
