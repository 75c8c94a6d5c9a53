// What was measured on held-out examples, for lists of runs: of each probe after the search the better of present and
// averaged weights, the newest and the best so far. Probes of the search are of arms whose weights are thrown away.

import type { HeldOut, PhaseSpan, SignalReading } from '../../protocol/vocabulary.ts'

const lossNames: ReadonlySet<string> = new Set(['probeLoss', 'averagedLoss'])
const accuracyNames: ReadonlySet<string> = new Set(['probeAccuracy', 'averagedAccuracy'])

const better = (a: number | null, b: number | null, best: (a: number, b: number) => number) =>
  a === null ? b : b === null ? a : best(a, b)

/** The best finite value of some signals at a step; null = none. */
function bestAt(
  readings: readonly SignalReading[],
  step: number,
  names: ReadonlySet<string>,
  best: (a: number, b: number) => number,
): number | null {
  let found: number | null = null
  for (const { signal, step: at, value } of readings)
    if (at === step && names.has(signal) && Number.isFinite(value)) found = better(found, value, best)
  return found
}

/**
 * After some readings more; undefined = nothing was measured yet. `phasesOf` is asked only where there was a probe.
 * Cost: one pass, and one per probe over the readings of probes.
 */
export function heldOutAfter(
  before: HeldOut | undefined,
  readings: readonly SignalReading[],
  phasesOf: () => readonly PhaseSpan[],
): HeldOut | undefined {
  const probed = readings.filter(({ signal }) => lossNames.has(signal) || accuracyNames.has(signal))
  if (probed.length === 0) return before
  const from = phasesOf().find(({ phase }) => phase !== 'warmup')?.fromStep ?? Number.POSITIVE_INFINITY
  let now = before
  for (const step of new Set(probed.map((reading) => reading.step))) {
    const loss = step < from ? null : bestAt(probed, step, lossNames, Math.min)
    if (loss === null) continue
    const accuracy = bestAt(probed, step, accuracyNames, Math.max)
    now = {
      loss,
      lossBest: Math.min(loss, now?.lossBest ?? loss),
      accuracy,
      accuracyBest: better(accuracy, now?.accuracyBest ?? null, Math.max),
    }
  }
  return now
}
