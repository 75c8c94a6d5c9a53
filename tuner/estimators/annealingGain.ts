// Annealing gain G: what an anneal would take off the loss, predicted from gradient noise and curvature before
// any annealing and without held-out data:
//   G = k·η_eff·trΣ/(4B)·(η_eff·h_n)^a,   k = 1.24, a = .27,   η_eff = η/(1 − μ)  (for Adam η itself).
// SGD with noise on a quadratic rests η_eff·trΣ/(4B) above the minimum in each direction that has come to
// rest; directions of low curvature have not, hence the power. k, a and the spread are fitted (below).
// Without h_n its factor is that of the middle of the runs measured, and the error says so. Errors add up in logs:
// G·√(ln²(spread) + (se(trΣ)/trΣ)² + (a·se(h_n)/h_n)²).

import { type Estimate, noEstimate } from './estimator.ts'

/** k and a: 76 points of 13 runs (5 tasks, SGD and Adam); the spread is a factor of one sigma.
 *  bench/records/2026-11-24-prototype/README.md. */
export const annealingGainFactor = 1.24
export const annealingGainPower = 0.27
export const annealingGainSpread = 1.36
/** Without h_n: the geometric mean of (η_eff·h_n)^a over 419 points of traced runs is .68 and over those at the usual rates
 *  .77; G so corrected is off by a factor of 2.1, tasks left out (bench/records/2026-11-24-after-the-switch/README.md). */
const annealingGainWithoutCurvature = 0.7
export const annealingGainSpreadWithoutCurvature = 2.1

type AnnealingGainInput = {
  /** η_eff, a learning rate above 0. */
  readonly effectiveLearningRate: number
  /** B in examples. */
  readonly batchSize: number
  readonly traceSigma: Estimate
  readonly noiseCurvature: Estimate
}

/**
 * G in the loss's unit. No value where trΣ has none or is not above 0 (within its error there is no noise to
 * remove), or where a rate or batch size is not a finite number above 0. Count: that of trΣ.
 */
export function annealingGain(input: AnnealingGainInput): Estimate {
  const { effectiveLearningRate, batchSize, traceSigma, noiseCurvature } = input
  const none = noEstimate(traceSigma.count, traceSigma.needed)
  if (!(effectiveLearningRate > 0 && batchSize > 0) || traceSigma.value === null || traceSigma.value <= 0)
    return none
  const h = noiseCurvature.value !== null && noiseCurvature.value > 0 ? noiseCurvature.value : null
  const factor =
    h === null ? annealingGainWithoutCurvature : (effectiveLearningRate * h) ** annealingGainPower
  const value = ((annealingGainFactor * effectiveLearningRate * traceSigma.value) / (4 * batchSize)) * factor
  if (!Number.isFinite(value)) return none
  const spread = Math.log(h === null ? annealingGainSpreadWithoutCurvature : annealingGainSpread)
  const ofTrace = (traceSigma.standardError ?? 0) / traceSigma.value
  const ofCurvature = h === null ? 0 : (annealingGainPower * (noiseCurvature.standardError ?? 0)) / h
  const error = value * Math.hypot(spread, ofTrace, ofCurvature)
  return { ...none, value, standardError: Number.isFinite(error) ? error : null }
}
