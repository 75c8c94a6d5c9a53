// The regime: the measured condition of the run. Let s be the share of the loss that annealing would take off at the present
// rate: by averaged weights (estimators/gapShare.ts), or where they are not measured by the gain predicted from gradient noise.
//   index = s/(s + ½-share),  in [0, 1]: 1 = large-step, lowering the rate would take much off the loss at once; 0 = small-step,
// there is nothing left to take off; ½ where that share is 4 %. Its interval is that of s.
// A name is a test: large-step where the whole 99 % interval of s lies above that share, small-step where it lies below, as it
// is looked at at every probe; between, the name stays what it was (hysteresis), and a run that was never told apart is
// `unknown`, as is one without a measurement, with the reason.
// It is `unknown` again once the interval says nothing. Unstable: a sign of divergence, ρ above 1 at three probes in a row, or
// blocks of training loss that have given back three quarters of what was plainly learned: a network that has died, which an
// averaged loss cannot tell from one at rest. A change of the known name is a transition.
// What else was tried as an input, and how often names are wrong: bench/records/2026-11-28-regime/README.md.

import { median } from 'simple-statistics'
import type { RegimeName, RegimeReading } from '../../protocol/vocabulary.ts'
import { type Estimate, noEstimate } from '../estimators/estimator.ts'
import { gapShare } from '../estimators/gapShare.ts'
import { mean, normalPerMad, probesInMedian } from '../estimators/uncertainty.ts'
import type { SignalsState } from './signals.ts'

/** The share of the loss at which the index is ½: forks tell large-step from small-step best there. Same record. */
export const regimeHalfShare = 0.04
/** Median of D over the probe loss as a multiple of G over the training loss; bench/records/2026-11-24-regime/README.md. */
export const regimeGapOverGain = 0.282
/** Half of the 99 % interval, in standard errors. */
const namingErrors = 2.58
const unstableProbes = 3
/** An interval as wide as this says nothing. Chosen. */
const emptyWidth = 0.75
/** Blocks in a row that have given back so much of what was learned, and from how many deviations on it was learned plainly: as
 *  the guard has it (guard/watch.ts), over the whole run. */
const givenBackBlocks = 3
const givenBackShare = 0.75
const learnedDeviations = 8

export const unknownRegime = (reason: string): RegimeReading => ({
  name: 'unknown',
  index: null,
  low: null,
  high: null,
  reason,
})

export type RegimeSource = {
  readonly signals: SignalsState
  readonly learningRate: number | null
  /** G at the present rate. */
  readonly gain: Estimate
  /** A sign of divergence is met. */
  readonly isTripped: boolean
  /** The step, since the run's first one, from which on the losses are of the present weights' course. */
  readonly validFromStep: number
  /** What the regime was called until now. */
  readonly before: RegimeName
}

export function readRegime(source: RegimeSource): RegimeReading {
  const { signals, isTripped, before } = source
  const ratios = signals.curvature.rateRatios.slice(-unstableProbes)
  const isAboveCritical = ratios.length === unstableProbes && ratios.every((ratio) => ratio > 1)
  const isUnstable = isTripped || isAboveCritical || hasGivenBack(signals, source.validFromStep)
  const share = shareOf(source)
  const measured = measuredRegime(share, signals)
  if (isUnstable) return { ...withoutReason(measured), name: 'unstable' }
  const { value, standardError } = share
  if (value === null || standardError === null) return measured
  const excess = value - regimeHalfShare
  if (Math.abs(excess) > namingErrors * standardError)
    return { ...measured, name: excess > 0 ? 'large-step' : 'small-step' }
  const saysNothing = measured.high! - measured.low! >= emptyWidth
  return !saysNothing && (before === 'large-step' || before === 'small-step')
    ? { ...measured, name: before }
    : { ...measured, reason: 'undecided' }
}

/** Index and interval, not named yet. */
function measuredRegime(
  { value, standardError }: Estimate,
  { valley, gapShare }: SignalsState,
): RegimeReading {
  if (value === null || standardError === null) {
    const isFew = gapShare.shares.length > 0
    return unknownRegime(valley.count === 0 ? 'no-probes' : isFew ? 'too-few-probes' : 'no-gain-measured')
  }
  const margin = 1.96 * standardError
  const [low, index, high] = [value - margin, value, value + margin].map(indexOf) as [number, number, number]
  return { name: 'unknown', index, low, high }
}

const withoutReason = ({ name, index, low, high }: RegimeReading): RegimeReading => ({
  name,
  index,
  low,
  high,
})

/** The newest blocks of training loss lie where the run began, and it had been far below. */
function hasGivenBack({ lossBlocks, firstLoss }: SignalsState, validFromStep: number): boolean {
  const own = lossBlocks.blocks.filter(({ step }) => step >= validFromStep)
  const losses = own.map((block) => block.mean)
  const newest = losses.slice(-givenBackBlocks)
  if (firstLoss === null || losses.length <= 2 * givenBackBlocks) return false
  const lowest = losses.reduce((least, loss) => Math.min(least, loss))
  const learned = firstLoss - lowest
  if (!newest.every((loss) => loss - lowest > givenBackShare * learned)) return false
  const moves = losses.slice(1).map((loss, i) => Math.abs(loss - losses[i]!))
  return learned > learnedDeviations * normalPerMad * median(moves) * Math.SQRT1_2
}

/** A share below 0 is a measurement too: nothing can be taken off. */
export function indexOf(share: number): number {
  const bounded = Math.max(0, share)
  return bounded / (bounded + regimeHalfShare)
}

/** s, by averaged weights, or else by gradient noise. */
export function shareOf({
  signals,
  learningRate,
  gain,
}: Pick<RegimeSource, 'signals' | 'learningRate' | 'gain'>): Estimate {
  const byGap = gapShare.read(signals.gapShare, learningRate)
  return byGap.value === null ? shareByNoise(signals, gain) : byGap
}

/** The gain by gradient noise over the training loss; a loss that is not above 0 has no share. */
function shareByNoise(
  { lossBlocks }: SignalsState,
  { value, standardError, count, needed }: Estimate,
): Estimate {
  const blocks = lossBlocks.blocks.slice(-probesInMedian)
  const loss = mean(blocks.map((block) => block.mean))
  if (value === null || !(loss > 0)) return noEstimate(count, needed)
  const factor = regimeGapOverGain / loss
  return { value: factor * value, standardError: standardError && factor * standardError, count, needed }
}
