// The regime: the measured condition of the run, as an index in [0, 1] (1 = large-step: lowering the rate would take
// much off the loss at once; 0 = small-step: there is nothing left to take off).
//   index = logistic(β₀ + β·(x − centre)),  x = ln of the share of the loss that annealing gains
// The share is D over the probe loss, D the averaged gap; where D is not measured it is G over the training loss, G the gain
// predicted from gradient noise, times the usual ratio of the two. Coefficients are fitted against forked runs
// (regimeFit); the rate over the critical rate, the noise scale and how often the probe loss rose were tried as further
// inputs and told nothing more. The interval has the covariance of the fit and the error of the share. Without a share, or
// with too few probes, the regime is unknown and says why. Unstable: ρ above 1 at three probes in a row, or a sign of divergence.

import type { RegimeReading } from '../../protocol/vocabulary.ts'
import type { Estimate } from '../estimators/estimator.ts'
import { mean, probesInMedian } from '../estimators/uncertainty.ts'
import type { SignalsReading, SignalsState } from './signals.ts'

// Regime index. bench/records/2026-11-24-regime/README.md: fitted against forks of the traces of six tasks; `centre` is the mean of the input over them, `covariance` that of intercept and coefficient, by runs.
export const regimeFit = {
  intercept: -1.56,
  coefficient: 2.68,
  centre: -3.57,
  covariance: { intercept: 0.113, both: -0.0454, coefficient: 0.0543 },
} as const
/** Median of D over the probe loss as a multiple of G over the training loss; same record. */
export const regimeGapOverGain = 0.282
/** The least share of the loss that a gain can be told from nothing at. Chosen. */
export const regimeShareMin = 0.003
export const regimeProbesNeeded = 8

/** ln of the share of the loss that annealing gains; null = not measured. `error`: one standard error, 0 where none is known. */
export type GainShare = { readonly value: number | null; readonly error: number }

export const unknownRegime = (reason: string): RegimeReading => ({
  name: 'unknown',
  index: null,
  low: null,
  high: null,
  reason,
})

export type RegimeSource = {
  readonly signals: SignalsState
  readonly reading: SignalsReading
  /** G at the present rate. */
  readonly gain: Estimate
  /** A sign of divergence is met, or the run waits to be taken back to a checkpoint. */
  readonly isTripped: boolean
}

export function readRegime(source: RegimeSource): RegimeReading {
  const { signals, isTripped } = source
  const ratios = signals.curvature.rateRatios.slice(-3)
  const isUnstable = isTripped || (ratios.length === 3 && ratios.every((ratio) => ratio > 1))
  const reading = measuredRegime(gainShareOf(source), signals.valley.count)
  return isUnstable ? { ...reading, name: 'unstable' } : reading
}

function measuredRegime({ value, error }: GainShare, probes: number): RegimeReading {
  if (probes < regimeProbesNeeded) return unknownRegime(probes === 0 ? 'no-probes' : 'too-few-probes')
  if (value === null) return unknownRegime('no-gain-measured')
  const { intercept, coefficient, centre, covariance } = regimeFit
  const offset = value - centre
  const logit = intercept + coefficient * offset
  const ofFit = covariance.intercept + 2 * offset * covariance.both + offset ** 2 * covariance.coefficient
  const margin = 1.96 * Math.sqrt((coefficient * error) ** 2 + Math.max(0, ofFit))
  const index = logistic(logit)
  return {
    name: index >= 0.5 ? 'large-step' : 'small-step',
    index,
    low: logistic(logit - margin),
    high: logistic(logit + margin),
  }
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/** By averaged weights, or else by gradient noise. */
export function gainShareOf({ signals, reading, gain }: Omit<RegimeSource, 'isTripped'>): GainShare {
  const byGap = shareOf(reading.gap, lossOfProbes(signals), 1)
  return byGap.value === null ? shareOf(gain, lossOfBlocks(signals), regimeGapOverGain) : byGap
}

/** Mean raw loss of the probes that D is the median of; null = no probe. */
export const lossOfProbes = ({ probeLosses }: SignalsState): number | null =>
  probeLosses.length === 0 ? null : mean(probeLosses.slice(-probesInMedian))

/** Mean training loss of as many blocks; null = no block is full. */
export const lossOfBlocks = ({ lossBlocks }: SignalsState): number | null =>
  lossBlocks.blocks.length === 0
    ? null
    : mean(lossBlocks.blocks.slice(-probesInMedian).map((block) => block.mean))

/**
 * ln(factor · gain / loss), between ln(.003) and 0: a gain of nothing, or below, is a measurement and counts as the least
 * share that can be told from nothing. A loss that is not above 0 has no share.
 */
export function shareOf({ value, standardError }: Estimate, loss: number | null, factor: number): GainShare {
  if (value === null || loss === null || !(loss > 0)) return { value: null, error: 0 }
  const share = Math.max((factor * value) / loss, regimeShareMin)
  const error = (factor * (standardError ?? 0)) / loss / share
  const widest = -Math.log(regimeShareMin)
  return { value: Math.min(Math.log(share), 0), error: Math.min(error, widest) }
}
