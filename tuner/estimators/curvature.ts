// Curvature and critical learning rate from line probes (forward passes only, so it works on any model).
// For a quadratic along the update u: h = d²L/dη², and the loss rises along −u beyond the critical rate η_c
// (critical sharpness: Kalra et al. 2026). ρ = η/η_c: above 1 the present step raises the loss along u, above
// ½ it steps over the minimum. h_n is the curvature in the direction in which the gradient noise pushes.
// One probe is noisy, so each reading is the median of the last 8, with a robust error. h may be negative
// (a saddle) and is kept; h_n has no use at 0 or below, so it is left out.
// Cost: O(8) per probe. Missing and non-finite parts are left out, each by itself.

import type { LineProbe } from '../../protocol/vocabulary.ts'
import type { Estimator } from './estimator.ts'
import { medianEstimate, probesInMedian } from './uncertainty.ts'

/** A line probe with the learning rate in force at it (null = not known). */
type Sample = {
  readonly probe: Pick<LineProbe, 'criticalLearningRate' | 'curvature' | 'noiseCurvature'>
  readonly learningRate: number | null
}
/** The last values of each kind, oldest first, at most 8. */
export type CurvatureState = {
  readonly criticalLearningRates: readonly number[]
  readonly curvatures: readonly number[]
  readonly noiseCurvatures: readonly number[]
  readonly rateRatios: readonly number[]
  /** Line probes so far. */
  readonly count: number
}

export const curvature = {
  init: (): CurvatureState => ({
    criticalLearningRates: [],
    curvatures: [],
    noiseCurvatures: [],
    rateRatios: [],
    count: 0,
  }),
  update(state: CurvatureState, { probe, learningRate }: Sample): CurvatureState {
    const critical = positive(probe.criticalLearningRate)
    const rate = positive(learningRate)
    const ratio = critical === null || rate === null ? null : finite(rate / critical)
    return {
      criticalLearningRates: appended(state.criticalLearningRates, critical),
      curvatures: appended(state.curvatures, finite(probe.curvature)),
      noiseCurvatures: appended(state.noiseCurvatures, positive(probe.noiseCurvature)),
      rateRatios: appended(state.rateRatios, ratio),
      count: state.count + 1,
    }
  },
  /** η_c, a learning rate; h: loss per squared learning rate; h_n > 0: loss per squared distance; ρ, without unit. */
  read: (state: CurvatureState) => ({
    criticalLearningRate: medianEstimate(state.criticalLearningRates, 1),
    curvature: medianEstimate(state.curvatures, 1),
    noiseCurvature: medianEstimate(state.noiseCurvatures, 1),
    rateRatio: medianEstimate(state.rateRatios, 1),
  }),
} satisfies Estimator<CurvatureState, Sample>

const finite = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

function positive(value: number | null | undefined): number | null {
  const known = finite(value)
  return known !== null && known > 0 ? known : null
}

/** The list with `value` at its end and at most 8 entries; the same list where there is no value. */
const appended = (values: readonly number[], value: number | null): readonly number[] =>
  value === null ? values : [...values.slice(1 - probesInMedian), value]
