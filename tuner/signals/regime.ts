// The regime: the measured condition of the run, as an index in [0, 1] (1 = large-step: lowering the rate would take
// much off the loss at once; 0 = small-step: there is nothing left to take off).
//   index = logistic(β₀ + Σ βᵢ(xᵢ − centreᵢ)),  x = (ln of the share that annealing gains, ρ, share of risen probes)
// The share is the geometric mean of D over the probe loss and of G over the training loss, D the averaged gap, G the
// gain predicted from gradient noise; one stands alone where the other is not measured. ρ is the rate over the critical
// rate. Coefficients are fitted against forked runs (constants.ts). The interval has the covariance of the fit, the errors
// of the inputs, and the whole spread of an input that is not measured. With fewer than two inputs, or too few probes, the
// regime is unknown and says why. Unstable: ρ above 1 at three probes in a row, or a sign of divergence.

import type { RegimeReading } from '../../protocol/vocabulary.ts'
import {
  probesInMedian,
  regimeFit,
  regimeGapOverGain,
  regimeProbesNeeded,
  regimeShareMin,
} from '../constants.ts'
import type { Estimate } from '../estimators/estimator.ts'
import { mean } from '../estimators/uncertainty.ts'
import type { SignalsReading, SignalsState } from './signals.ts'

export const regimeInputNames = ['gainShare', 'rateRatio', 'shareRisen'] as const
export type RegimeInputName = (typeof regimeInputNames)[number]
/** One input of the index; null = not measured. `error`: one standard error, 0 where none is known. */
export type RegimeInput = { readonly value: number | null; readonly error: number }
export type RegimeInputs = Readonly<Record<RegimeInputName, RegimeInput>>

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
  const reading = measuredRegime(regimeInputs(source), signals.valley.count)
  return isUnstable ? { ...reading, name: 'unstable' } : reading
}

function measuredRegime(inputs: RegimeInputs, probes: number): RegimeReading {
  if (probes < regimeProbesNeeded) return unknownRegime(`${probes} of ${regimeProbesNeeded} probes`)
  const known = regimeInputNames.filter((name) => inputs[name].value !== null).length
  if (known < 2) return unknownRegime(`${known} of 2 inputs are measured`)
  let logit: number = regimeFit.intercept
  let variance = 0
  const offsets = [1]
  for (const name of regimeInputNames) {
    const { coefficient, centre, spread } = regimeFit.inputs[name]
    const { value, error } = inputs[name]
    const offset = value === null ? 0 : value - centre
    offsets.push(offset)
    logit += coefficient * offset
    variance += (coefficient * (value === null ? spread : error)) ** 2
  }
  const margin = 1.96 * Math.sqrt(variance + quadraticForm(regimeFit.covariance, offsets))
  const index = logistic(logit)
  return {
    name: index >= 0.5 ? 'large-step' : 'small-step',
    index,
    low: logistic(logit - margin),
    high: logistic(logit + margin),
  }
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/** xᵀCx, of a covariance at least 0. */
function quadraticForm(covariance: readonly (readonly number[])[], x: readonly number[]): number {
  let sum = 0
  covariance.forEach((row, i) => {
    row.forEach((entry, j) => {
      sum += entry * x[i]! * x[j]!
    })
  })
  return Math.max(0, sum)
}

export function regimeInputs({ signals, reading, gain }: Omit<RegimeSource, 'isTripped'>): RegimeInputs {
  const { rateRatio } = reading
  const { probeLosses } = signals
  return {
    gainShare: meanShare([
      shareOf(reading.gap, lossOfProbes(signals), 1),
      shareOf(gain, lossOfBlocks(signals), regimeGapOverGain),
    ]),
    rateRatio: {
      value: rateRatio.value === null ? null : Math.min(Math.max(rateRatio.value, 0), 2),
      error: rateRatio.standardError ?? 0,
    },
    shareRisen: {
      value: shareRisen(probeLosses),
      error: 0.5 / Math.sqrt(Math.max(1, probeLosses.length - 1)),
    },
  }
}

/** Mean raw loss of the probes that D is the median of; null = no probe. */
const lossOfProbes = ({ probeLosses }: SignalsState): number | null =>
  probeLosses.length === 0 ? null : mean(probeLosses.slice(-probesInMedian))

/** Mean training loss of as many blocks; null = no block is full. */
const lossOfBlocks = ({ lossBlocks }: SignalsState): number | null =>
  lossBlocks.blocks.length === 0
    ? null
    : mean(lossBlocks.blocks.slice(-probesInMedian).map((block) => block.mean))

/**
 * ln(factor · gain / loss), between ln(.003) and 0: a gain of nothing, or below, is a measurement and counts as the least
 * share that can be told from nothing. A loss that is not above 0 has no share.
 */
export function shareOf(
  { value, standardError }: Estimate,
  loss: number | null,
  factor: number,
): RegimeInput {
  if (value === null || loss === null || !(loss > 0)) return { value: null, error: 0 }
  const share = Math.max((factor * value) / loss, regimeShareMin)
  const error = (factor * (standardError ?? 0)) / loss / share
  const widest = -Math.log(regimeShareMin)
  return { value: Math.min(Math.log(share), 0), error: Math.min(error, widest) }
}

/** Mean of those that are measured. */
function meanShare(shares: readonly RegimeInput[]): RegimeInput {
  const values = shares.flatMap(({ value }) => (value === null ? [] : [value]))
  if (values.length === 0) return { value: null, error: 0 }
  const errors = shares.filter(({ value }) => value !== null).map(({ error }) => error)
  return { value: mean(values), error: Math.hypot(...errors) / errors.length }
}

function shareRisen(losses: readonly number[]): number | null {
  if (losses.length < 2) return null
  let risen = 0
  for (let i = 1; i < losses.length; i++) if (losses[i]! > losses[i - 1]!) risen++
  return risen / (losses.length - 1)
}
