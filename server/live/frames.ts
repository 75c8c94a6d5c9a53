// One run's samples between two frames, as buckets: what was posted since the last frame, thinned to a bound
// however much that was. Pure but for its own contents; the caller decides when a frame leaves.

import type { LiveSamples, Series } from '../../protocol/vocabulary.ts'
import { BucketMap } from '../runs/buckets.ts'
import { type Points, stepRange } from '../runs/points.ts'

/** Buckets of one signal in one frame: a job that takes more steps in a tenth of a second is charted more coarsely. */
const framePointsMax = 100
/** Entries (columns of a batch, readings of a signal) gathered for one frame; beyond it pages read the rest back. */
export const frameEntriesMax = 1_024

/** What is left of points when only some signals are wanted; undefined = all are. */
export function onlySignals(
  points: readonly Points[],
  signals: ReadonlySet<string> | undefined,
): readonly Points[] {
  if (signals === undefined) return points
  return points.flatMap(({ steps, values }) => {
    const wanted = new Map([...values].filter(([name]) => signals.has(name)))
    return wanted.size === 0 ? [] : [{ steps, values: wanted }]
  })
}

/** The points as the series of one frame; undefined if there are none. */
export function frameOf(runId: string, points: readonly Points[]): LiveSamples | undefined {
  const range = stepRange(points)
  if (range === undefined) return undefined
  const width = Math.max(1, Math.ceil((range.to - range.from + 1) / framePointsMax))
  const maps = new Map<string, BucketMap>()
  for (const { values } of points)
    for (const signal of values.keys()) if (!maps.has(signal)) maps.set(signal, new BucketMap(width))
  for (const entry of points) addRange(maps, entry, range.from, range.to)
  let stored = 0
  let shown = 0
  for (const map of maps.values()) {
    stored = Math.max(stored, map.stored())
    shown = Math.max(shown, map.size)
  }
  const signals = Object.fromEntries([...maps].map(([name, map]) => [name, map.columns()]))
  const series: Series = { runId, fromStep: range.from, toStep: range.to, stored, shown, signals }
  return { runId, thinned: width > 1, series }
}

/** Adds the samples with from ≤ step ≤ to of the signals that are asked for. */
function addRange(
  maps: ReadonlyMap<string, BucketMap>,
  { steps, values }: Points,
  from: number,
  to: number,
): void {
  for (const [signal, column] of values) {
    const map = maps.get(signal)
    if (map === undefined) continue
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!
      const value = column[i]
      if (step >= from && step <= to && value !== null && value !== undefined) map.add(step, value)
    }
  }
}
