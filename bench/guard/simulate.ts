// What the guard makes of a stream: the first sign that it meets, as it would be acted on, and how that stands over many
// seeds.

import { type SignKey, signOf } from '../../tuner/guard/signs.ts'
import { type GuardState, noGuard, watchSample } from '../../tuner/guard/watch.ts'
import type { Divergence } from './divergences.ts'
import type { Stream, StreamKind } from './streams.ts'

export type FirstSign = { readonly step: number; readonly key: SignKey }

/** The first sign within so many steps; null = none is met. */
export function firstSign(stream: Stream, steps: number): FirstSign | null {
  let state: GuardState = noGuard
  for (let step = 0; step < steps; step++) {
    state = watchSample(state, { step, loss: stream(step), gradientNorm: null, batchSize: null })
    const sign = signOf(state)
    if (sign !== null) return { step, key: sign.key }
  }
  return null
}

export type Healthy = {
  readonly name: string
  readonly runs: number
  readonly trips: number
  /** Steps of the first signs, and what they were. */
  readonly signs: readonly FirstSign[]
}

export function healthyRow({ name, create }: StreamKind, runs: number, steps: number): Healthy {
  const signs: FirstSign[] = []
  for (let seed = 1; seed <= runs; seed++) {
    const sign = firstSign(create(seed), steps)
    if (sign !== null) signs.push(sign)
  }
  return { name, runs, trips: signs.length, signs }
}

export type Detected = {
  readonly name: string
  readonly runs: number
  /** Signs before the divergence. */
  readonly early: number
  /** Runs in which it was seen within the time that was watched. */
  readonly seen: number
  /** Steps from the divergence to the sign, of those: middle and 95 %. */
  readonly delay: { readonly median: number; readonly high: number } | null
  readonly keys: readonly SignKey[]
}

export function detectedRow(
  { name, create, atStep }: Divergence,
  runs: number,
  watchedSteps: number,
): Detected {
  const delays: number[] = []
  const keys = new Set<SignKey>()
  let early = 0
  for (let seed = 1; seed <= runs; seed++) {
    const sign = firstSign(create(seed), atStep + watchedSteps)
    if (sign === null) continue
    if (sign.step < atStep) early++
    else {
      delays.push(sign.step + 1 - atStep)
      keys.add(sign.key)
    }
  }
  delays.sort((a, b) => a - b)
  const at = (share: number) => delays[Math.min(delays.length - 1, Math.floor(share * delays.length))]!
  const delay = delays.length === 0 ? null : { median: at(0.5), high: at(0.95) }
  return { name, runs, early, seen: delays.length, delay, keys: [...keys] }
}

/** The same losses in another unit, or from another zero. */
export const changed =
  (stream: Stream, { shift = 0, factor = 1 }: { shift?: number; factor?: number }): Stream =>
  (step) =>
    factor * stream(step) + shift

/** Runs of a kind whose first sign, step and key, is the same once the losses are changed. */
export function sameSigns(
  { create }: StreamKind,
  change: Parameters<typeof changed>[1],
  runs: number,
  steps: number,
): number {
  let same = 0
  for (let seed = 1; seed <= runs; seed++) {
    const [a, b] = [firstSign(create(seed), steps), firstSign(changed(create(seed), change), steps)]
    if (a?.step === b?.step && a?.key === b?.key) same++
  }
  return same
}
