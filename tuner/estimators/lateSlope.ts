// What an e-fold of steps takes off the averaged loss P now: b = −dP/d ln S, by least squares over the probes of the last half of
// the run, S ∈ [S_now/2, S_now]. A power law over the whole run says more where one holds, and is far off where the loss stood still
// before it fell, or turned: then the last half is what counts. Where P falls like a power law its slope at the middle of the half is
// a little above that at its end, so a run is rather held than ended.
// The error is that of a line, for correlated residuals and few of them (uncertainty.ts): simulated in
// bench/records/2026-11-28-no-budget. O(n) for at most 128 points.

import { linearRegression } from 'simple-statistics'
import { type Estimate, noEstimate } from './estimator.ts'
import { cautiousFactor, mean, smallSampleFactor, squaresAbout } from './uncertainty.ts'
import type { ValleyPoint } from './valleySlope.ts'

const lateShare = 0.5
/** Points behind a slope. */
export const latePointsNeeded = 8

/** Loss per e-fold of S, positive where P falls; `points`: oldest first, S > 0. No value for fewer than eight in the last half. */
export function lateSlope(points: readonly ValleyPoint[]): Estimate {
  const from = lateShare * (points.at(-1)?.runLength ?? 0)
  const late = points.filter(({ runLength }) => runLength >= from)
  const n = late.length
  if (n < latePointsNeeded) return noEstimate(n, latePointsNeeded)
  const x = late.map(({ runLength }) => Math.log(runLength))
  const y = late.map(({ averagedLoss }) => averagedLoss)
  const { m, b } = linearRegression(x.map((at, i) => [at, y[i]!]))
  const residuals = y.map((loss, i) => loss - b - m * x[i]!)
  const variance = squaresAbout(residuals, 0) / (n - 2) / squaresAbout(x, mean(x))
  const error = Math.sqrt(variance) * smallSampleFactor(n - 2) * cautiousFactor(residuals, 2)
  return {
    value: -m,
    standardError: Number.isFinite(error) ? error : null,
    count: n,
    needed: latePointsNeeded,
  }
}
