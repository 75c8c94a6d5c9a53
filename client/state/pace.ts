// How fast a run goes, by when its steps reach this page, on a clock that never goes back. A job may report in bursts: so the
// pace is the middle of the slopes between all pairs of what was heard (Theil and Sen), over the last forty seconds or
// reports. It is steady where both halves agree; where they do not there are two paces. A run that is silent has none.

import { effect, signal } from '@preact/signals'
import { runState } from './runPage.ts'

type Heard = { readonly step: number; readonly atMs: number }
export type Pace = {
  /** What was known when the page came: when that step was taken is not. */
  readonly base: Heard | null
  /** Oldest first. */
  readonly heard: readonly Heard[]
}

/** Steps a second; both ends are the same where the pace is steady. */
export type Speed = { readonly low: number; readonly high: number }

export const noPace: Pace = { base: null, heard: [] }
const heardMax = 40
/** Reports that come closer to one another count as one, in milliseconds. */
const apartMs = 1_000
const heardNeeded = 5
/** Halves of the window that differ by no more than this share are one pace. */
const steadyShare = 0.25
/** A run is silent after so many of its usual gaps, but not before this many milliseconds. */
const silentGaps = 4
const silentMsMin = 5_000
/** … or where its gaps are not known. */
const unknownMsMax = 30_000

/** The pace after a run has told its step. */
export function paced(pace: Pace, step: number, atMs: number): Pace {
  const { base, heard } = pace
  const last = heard.at(-1)
  const known = (last ?? base)?.step
  if (known === undefined || step < known) return { base: { step, atMs }, heard: [] }
  if (step === known) return pace
  const before = heard.at(-2)
  const isClose = last !== undefined && before !== undefined && last.atMs - before.atMs < apartMs
  return { base, heard: [...(isClose ? heard.slice(0, -1) : heard), { step, atMs }].slice(-heardMax) }
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

function slopeOf(heard: readonly Heard[]): number {
  const slopes = heard.flatMap((a, i) =>
    heard.slice(i + 1).flatMap((b) => (b.atMs > a.atMs ? [(b.step - a.step) / (b.atMs - a.atMs)] : [])),
  )
  return slopes.length === 0 ? 0 : 1_000 * middle(slopes)
}

/** Null = too little was heard to tell. */
export function speedOf({ base, heard }: Pace, nowMs: number): Speed | 'silent' | null {
  const last = heard.at(-1)
  if (last === undefined || heard.length < heardNeeded) {
    const newest = last ?? base
    return newest !== null && nowMs - newest.atMs > unknownMsMax ? 'silent' : null
  }
  const gaps = heard.slice(1).map(({ atMs }, i) => atMs - heard[i]!.atMs)
  if (nowMs - last.atMs > Math.max(silentMsMin, silentGaps * middle(gaps))) return 'silent'
  const whole = slopeOf(heard)
  const half = Math.floor(heard.length / 2)
  const halves = [slopeOf(heard.slice(0, half + 1)), slopeOf(heard.slice(half))]
  const isSteady = halves.every((slope) => Math.abs(slope - whole) <= steadyShare * whole)
  if (!(whole > 0)) return null
  return isSteady ? { low: whole, high: whole } : { low: Math.min(...halves), high: Math.max(...halves) }
}

export const pace = signal(noPace)

/** Listens to the steps of the run that is followed, until the returned function is called. */
export function followPace(): () => void {
  pace.value = noPace
  return effect(() => {
    const { run } = runState.value
    if (run !== null) pace.value = paced(pace.peek(), run.step, performance.now())
  })
}
