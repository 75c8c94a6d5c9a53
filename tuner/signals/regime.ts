// The regime: the measured condition of the run, as an index in [0, 1] (1 = large-step: annealing would take
// much off the loss; 0 = small-step: there is nothing left to take off).
//   index = logistic(β·x),  x = (1, ln(D/σ), ρ, share of recent probes whose loss rose, ln(noise scale / B))
// D the averaged gap, σ the scatter of the probe loss, ρ the rate over the critical rate. An input that is not
// measured contributes nothing and widens the interval; with fewer than two, or too few probes, the regime is
// unknown and says why. Unstable: ρ above 1 at three probes in a row, or a guard that has tripped.
// Coefficients: a prior by argument (constants.ts), to be fitted against forked runs.

import type { RegimeReading } from '../../protocol/vocabulary.ts'
import { regimeCoefficients, regimeErrorPerMissing, regimeProbesNeeded } from '../constants.ts'
import type { SignalsReading, SignalsState } from './signals.ts'

export const unknownRegime = (reason: string): RegimeReading => ({
  name: 'unknown',
  index: null,
  low: null,
  high: null,
  reason,
})

export function readRegime(state: SignalsState, reading: SignalsReading, isTripped: boolean): RegimeReading {
  const ratios = state.curvature.rateRatios.slice(-3)
  const isUnstable = isTripped || (ratios.length === 3 && ratios.every((ratio) => ratio > 1))
  const probes = state.valley.count
  const inputs = regimeInputs(state, reading)
  const known = inputs.filter(({ value }) => value !== null)
  if (probes < regimeProbesNeeded)
    return unstableOr(isUnstable, unknownRegime(`${probes} of ${regimeProbesNeeded} probes`))
  if (known.length < 2)
    return unstableOr(isUnstable, unknownRegime(`${known.length} of 2 inputs are measured`))
  let logit: number = regimeCoefficients.intercept
  let variance = (regimeErrorPerMissing * (inputs.length - known.length)) ** 2
  for (const { value, error, coefficient } of inputs) {
    if (value === null) continue
    logit += coefficient * value
    variance += (coefficient * error) ** 2
  }
  const margin = 1.96 * Math.sqrt(variance)
  const index = logistic(logit)
  const measured: RegimeReading = {
    name: index >= 0.5 ? 'large-step' : 'small-step',
    index,
    low: logistic(logit - margin),
    high: logistic(logit + margin),
  }
  return unstableOr(isUnstable, measured)
}

const unstableOr = (isUnstable: boolean, reading: RegimeReading): RegimeReading =>
  isUnstable ? { ...reading, name: 'unstable' } : reading

const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

type Input = { readonly value: number | null; readonly error: number; readonly coefficient: number }

function regimeInputs(state: SignalsState, reading: SignalsReading): readonly Input[] {
  const { gap, rateRatio, noiseScale } = reading
  const { gapOverScatter, rateRatio: ofRatio, shareRisen: ofShare, noiseOverBatch } = regimeCoefficients
  const scatter = probeScatter(state.probeLosses)
  const gapValue = gap.value !== null && gap.value > 0 && scatter > 0 ? Math.log(gap.value / scatter) : null
  const noise =
    noiseScale.value !== null && noiseScale.value > 0 && state.batchSize !== null
      ? Math.log(noiseScale.value / state.batchSize)
      : null
  const share = shareRisen(state.probeLosses)
  return [
    { value: clip(gapValue, -3, 3), error: relative(gap), coefficient: gapOverScatter },
    { value: clip(rateRatio.value, 0, 2), error: rateRatio.standardError ?? 0, coefficient: ofRatio },
    { value: share, error: 0.5 / Math.sqrt(Math.max(1, state.probeLosses.length - 1)), coefficient: ofShare },
    { value: clip(noise, -5, 5), error: relative(noiseScale), coefficient: noiseOverBatch },
  ]
}

const relative = ({
  value,
  standardError,
}: {
  value: number | null
  standardError: number | null
}): number => (value === null || value === 0 || standardError === null ? 0 : Math.abs(standardError / value))

const clip = (value: number | null, low: number, high: number): number | null =>
  value === null ? null : Math.min(Math.max(value, low), high)

/** Deviation of the probe loss about its course, from first differences: √(Σ(Δ)²/(2(n−1))). */
function probeScatter(losses: readonly number[]): number {
  let sum = 0
  for (let i = 1; i < losses.length; i++) sum += (losses[i]! - losses[i - 1]!) ** 2
  return losses.length < 2 ? 0 : Math.sqrt(sum / (2 * (losses.length - 1)))
}

function shareRisen(losses: readonly number[]): number | null {
  if (losses.length < 2) return null
  let risen = 0
  for (let i = 1; i < losses.length; i++) if (losses[i]! > losses[i - 1]!) risen++
  return risen / (losses.length - 1)
}
