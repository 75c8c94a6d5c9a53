// Exponentially weighted mean of the loss with bias correction: with d = exp(−Δstep/τ) per sample,
//   m ← d·m + x,   w ← d·w + 1,   value = m/w.
// The division makes the first samples count fully instead of pulling the mean towards 0 (as in Adam; Kingma
// & Ba 2015); the gap between samples is in steps, so a loss reported every tenth step is smoothed alike.
// A constant gives itself. Cost: O(1). NaN, infinite, repeated and late samples leave the state as it is.

import type { Estimator } from './estimator.ts'
import { positiveOption } from './options.ts'

// Smoothed training loss, for the chart and the tripwire. Chosen: what a client smooths over as well.
const lossSmoothingSteps = 10

export type LossSmootherOptions = {
  /** τ in steps, above 0: after τ steps a sample's weight has fallen to 1/e. */
  readonly timeConstantSteps?: number
}
export type LossSmootherSample = { readonly step: number; readonly value: number }
export type LossSmootherState = {
  readonly timeConstantSteps: number
  readonly weighted: number
  readonly weight: number
  readonly lastStep: number
  readonly count: number
}
/** The smoothed loss in the loss's unit (null before the first sample) and the samples behind it. */
export type LossSmootherReading = { readonly value: number | null; readonly count: number }

export const lossSmoother: Estimator<
  LossSmootherOptions,
  LossSmootherState,
  LossSmootherSample,
  LossSmootherReading
> = {
  name: 'lossSmoother',
  init: ({ timeConstantSteps = lossSmoothingSteps }) => ({
    timeConstantSteps: positiveOption('timeConstantSteps', timeConstantSteps),
    weighted: 0,
    weight: 0,
    lastStep: -1,
    count: 0,
  }),
  update(state, { step, value }) {
    if (!Number.isFinite(value) || !Number.isSafeInteger(step) || step <= state.lastStep) return state
    const decay = Math.exp((state.lastStep - step) / state.timeConstantSteps)
    const weighted = decay * state.weighted + value
    if (!Number.isFinite(weighted)) return state
    return {
      timeConstantSteps: state.timeConstantSteps,
      weighted,
      weight: decay * state.weight + 1,
      lastStep: step,
      count: state.count + 1,
    }
  },
  read: ({ weighted, weight, count }) => ({ value: count === 0 ? null : weighted / weight, count }),
}
