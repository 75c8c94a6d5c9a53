// The samples of the part of a run that is shown, finer than those of the whole run: asked for as soon as another part is
// shown, in the middle of a gesture too. One request is under way at a time, and after it the newest part is asked for, so
// the pace is that of the server and the line. Until they are there the charts draw the part from what is at hand.

import { effect, type Signal, signal } from '@preact/signals'
import { firstStepOf, lastStepOf } from '../charts/phases.ts'
import { type Range, shownRange } from '../charts/ranges.ts'
import { usualWindow } from '../charts/smooth.ts'
import { fetchSeries, type SeriesRange, type SeriesWanted } from '../connection/api.ts'
import { address, type RunAddress } from './address.ts'
import type { RunState } from './runState.ts'

/** What a gesture shows while it goes on, ahead of the address; null = the whole run, undefined = there is none. */
export const lookedAt = signal<Range | null | undefined>(undefined)

const pointsMax = 3_000

export type ZoomSource = {
  readonly state: Signal<RunState>
  readonly addressOf: (now: (typeof address)['value']) => RunAddress
  readonly wanted: () => SeriesWanted
  /** Buckets for all that is shown. */
  readonly points: number
}

type Part = { readonly key: string; readonly range: SeriesRange }

/** What is to be fetched for what is shown, with the steps around it that the smoothed line takes in; null = nothing. */
function partOf({ state, addressOf, points }: ZoomSource): Part | null {
  const { run } = state.value
  const { zoom, last, smooth } = addressOf(address.value)
  const looked = lookedAt.value
  if (run === null || looked === null || (looked === undefined && zoom === null && last === null)) return null
  const whole = { from: firstStepOf(run), to: lastStepOf(run) }
  const range = looked ?? shownRange(zoom, last, whole, run.step).range
  if (range === null) return null
  const length = range.to - range.from
  const around = smooth ?? usualWindow(length)
  // The last steps go on with the run.
  const follows = looked === undefined && zoom === null
  return {
    key: JSON.stringify([follows ? last : [range.from, range.to], smooth]),
    range: {
      from: Math.max(0, range.from - around),
      to: follows ? 1e12 : range.to + around,
      // As fine inside as without what lies around it.
      points: Math.min(pointsMax, Math.ceil(points * (1 + (2 * around) / length))),
    },
  }
}

export type FollowedZoom = {
  readonly stop: () => void
  /** Asks once more for what is shown: other signals are, or the whole run is another. */
  readonly again: () => void
}

export function followZoom(source: ZoomSource): FollowedZoom {
  const { state, wanted } = source
  const { runId } = state.peek()
  let part: Part | null = null
  let isAsking = false
  let isStopped = false
  /** The part that was asked for last; '' = none. */
  let asked = ''
  const ask = async () => {
    if (isAsking) return
    isAsking = true
    while (part !== null && part.key !== asked && !isStopped) {
      const { key, range } = part
      asked = key
      const answer = await fetchSeries(runId, range, wanted())
      const now = state.peek()
      if (isStopped || part === null || now.runId !== runId || !answer.ok) continue
      state.value = { ...now, zoomed: { ...answer.value, fromStep: range.from, toStep: range.to } }
    }
    isAsking = false
  }
  const stop = effect(() => {
    const next = partOf(source)
    if (next?.key === part?.key) return
    part = next
    if (next !== null) void ask()
    else {
      asked = ''
      state.value = { ...state.peek(), zoomed: null }
    }
  })
  return {
    stop: () => {
      isStopped = true
      lookedAt.value = undefined
      stop()
    },
    again: () => {
      asked = ''
      void ask()
    },
  }
}
