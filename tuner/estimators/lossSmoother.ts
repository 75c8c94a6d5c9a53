// Exponentially weighted mean of the loss with bias correction: with d = exp(−Δstep/τ) per sample,
//   m ← d·m + x,   w ← d·w + 1,   value = m/w.
// The division makes the first samples count fully instead of pulling the mean towards 0 (as in Adam; Kingma
// & Ba 2015); the gap between samples is in steps, so a loss reported every tenth step is smoothed alike.
// A constant gives itself. Cost: O(1). NaN, infinite, repeated and late samples leave the state as it is.

import type { Estimator, Rows, Scalar } from './estimator.ts'

/** τ: after so many steps a sample's weight has fallen to 1/e. Chosen: what a client smooths over as well. */
const timeConstantSteps = 10

export type LossSmootherState = {
  readonly weighted: number
  readonly weight: number
  readonly lastStep: number
}

export const lossSmoother = {
  init: (): LossSmootherState => ({ weighted: 0, weight: 0, lastStep: -1 }),
  update(state: LossSmootherState, { step, value }: Scalar): LossSmootherState {
    if (!Number.isFinite(value) || !Number.isSafeInteger(step) || step <= state.lastStep) return state
    const decay = Math.exp((state.lastStep - step) / timeConstantSteps)
    const weighted = decay * state.weighted + value
    return Number.isFinite(weighted) ? { weighted, weight: decay * state.weight + 1, lastStep: step } : state
  },
  /** In the loss's unit; null before the first sample. */
  read: ({ weighted, weight }: LossSmootherState): number | null => (weight === 0 ? null : weighted / weight),
} satisfies Estimator<LossSmootherState, Scalar>

/** Many at once: losses that are finite, at steps that rise. @param origin step that the estimator counts from */
export function smoothedOver(
  state: LossSmootherState,
  steps: readonly number[],
  losses: readonly (number | null)[],
  { from, to, origin }: Rows & { readonly origin: number },
): LossSmootherState {
  let { weighted, weight, lastStep } = state
  let [gap, decay] = [Number.NaN, 1]
  for (let i = from; i < to; i++) {
    const step = steps[i]! - origin
    if (step <= lastStep) continue
    if (lastStep - step !== gap) {
      gap = lastStep - step
      decay = Math.exp(gap / timeConstantSteps)
    }
    const next = decay * weighted + losses[i]!
    if (!Number.isFinite(next)) continue
    weighted = next
    weight = decay * weight + 1
    lastStep = step
  }
  return { weighted, weight, lastStep }
}
