// The range test: the rate grows by a constant factor per step from a very small one until the loss says stop.
// It bounds the search from above and nothing more: the rate at which training diverges scatters by a factor
// of 2.4 between seeds and lies 1 to 30 times above the best one, so a race follows (race.ts), never a fixed
// fraction. Signs of divergence: smoothed loss above 1.3 × the best so far; gradient norm more than 2.5
// deviations above its running mean in 5 of 10 steps; five losses in a row that are not finite. A rise of the loss that
// comes back within 50 steps is a catapult (large steps may leave a sharp place that way) and no divergence; a rise beyond 3 × the best is
// not waited for. The divergence rate is that of the first sign.
// Cost per sample O(1); state a dozen numbers.

import {
  guardNonFiniteMax,
  rangeCatapultSteps,
  rangeLossRiseFactor,
  rangeLossRiseMax,
  rangeMinimumDescent,
  rangeNormDeviations,
  rangeNormHits,
  rangeSmoothingSteps,
} from '../../constants.ts'
import { type LossSmootherState, lossSmoother } from '../../estimators/lossSmoother.ts'
import { riseLimit } from '../../estimators/riseLimit.ts'
import { isFarAbove, movedLevel } from '../../guard/normLevel.ts'

export type RangeTestState = {
  readonly fromStep: number
  readonly toStep: number
  readonly fromRate: number
  readonly toRate: number
  readonly smoother: LossSmootherState
  readonly lossFirst: number | null
  readonly lossBest: number | null
  readonly normMean: number
  readonly normVariance: number
  readonly normCount: number
  /** 1 = a norm far above its mean; the last ten steps. */
  readonly normHits: readonly number[]
  readonly nonFiniteCount: number
  /** A rise of the loss that may yet come back. */
  readonly suspected: Sign | null
  readonly diverged: Sign | null
}

type Sign = { readonly step: number; readonly learningRate: number; readonly sign: string }

type RangeSample = {
  readonly step: number
  readonly learningRate: number
  readonly loss: number | null
  readonly gradientNorm: number | null
}

export function startRangeTest(options: {
  fromStep: number
  stepCount: number
  fromRate: number
  toRate: number
}): RangeTestState {
  const { fromStep, stepCount, fromRate, toRate } = options
  if (!(stepCount >= 1)) throw new RangeError(`stepCount must be at least 1, got ${stepCount}`)
  if (!(fromRate > 0 && toRate > fromRate))
    throw new RangeError(`toRate must be above fromRate ${fromRate} > 0, got ${toRate}`)
  return {
    fromStep,
    toStep: fromStep + stepCount,
    fromRate,
    toRate,
    smoother: lossSmoother.init({ timeConstantSteps: rangeSmoothingSteps }),
    lossFirst: null,
    lossBest: null,
    normMean: 0,
    normVariance: 0,
    normCount: 0,
    normHits: [],
    nonFiniteCount: 0,
    suspected: null,
    diverged: null,
  }
}

/** Folds one sample of the test; samples outside it and after the end leave the state as it is. */
export function foldRangeSample(state: RangeTestState, sample: RangeSample): RangeTestState {
  if (state.diverged || sample.step < state.fromStep || sample.step >= state.toStep) return state
  const norms = foldNorm(state, sample.gradientNorm)
  const next = sample.loss === null ? norms : foldLoss(norms, sample.step, sample.loss)
  const sign = divergenceSign(next)
  const { step, learningRate } = sample
  if (sign !== null) return { ...next, diverged: next.suspected ?? { step, learningRate, sign } }
  if (!hasRisen(next, rangeLossRiseFactor))
    return next.suspected === null ? next : { ...next, suspected: null }
  const suspected = next.suspected ?? { step, learningRate, sign: riseSign }
  const isOver = step - suspected.step >= rangeCatapultSteps || hasRisen(next, rangeLossRiseMax)
  return isOver ? { ...next, suspected: null, diverged: suspected } : { ...next, suspected }
}

const riseSign = `the smoothed loss rose to ${rangeLossRiseFactor} times its best`

function hasRisen({ smoother, lossBest }: RangeTestState, factor: number): boolean {
  const smoothed = lossSmoother.read(smoother).value
  return smoothed !== null && lossBest !== null && smoothed > riseLimit(lossBest, factor)
}

function foldLoss(state: RangeTestState, step: number, loss: number): RangeTestState {
  if (!Number.isFinite(loss)) return { ...state, nonFiniteCount: state.nonFiniteCount + 1 }
  const smoother = lossSmoother.update(state.smoother, { step, value: loss })
  const smoothed = lossSmoother.read(smoother).value ?? loss
  return {
    ...state,
    nonFiniteCount: 0,
    smoother,
    lossFirst: state.lossFirst ?? loss,
    lossBest: Math.min(state.lossBest ?? smoothed, smoothed),
  }
}

function foldNorm(state: RangeTestState, norm: number | null): RangeTestState {
  if (norm === null || !Number.isFinite(norm)) return state
  const isHigh = state.normCount >= 10 && isFarAbove(state, norm, rangeNormDeviations)
  const normHits = [...state.normHits.slice(-9), isHigh ? 1 : 0]
  // A high norm does not move the mean it is judged by.
  if (isHigh) return { ...state, normHits }
  return { ...state, normHits, ...movedLevel(state, norm, 20) }
}

/** A sign that is not waited for. */
function divergenceSign({ nonFiniteCount, normHits }: RangeTestState): string | null {
  if (nonFiniteCount >= guardNonFiniteMax)
    return `the loss was not finite at ${guardNonFiniteMax} steps in a row`
  const hits = normHits.reduce((sum, hit) => sum + hit, 0)
  return hits >= rangeNormHits ? `the gradient norm jumped at ${hits} of ${normHits.length} steps` : null
}

export type RangeOutcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'found'; readonly divergenceRate: number; readonly sign: string }
  | { readonly kind: 'no-divergence'; readonly largestRate: number }
  | { readonly kind: 'no-descent'; readonly divergenceRate: number; readonly sign: string }

/** What the test says once steps up to `nextStep` are folded. */
export function rangeOutcome(state: RangeTestState, nextStep: number): RangeOutcome {
  const { lossFirst, lossBest } = state
  // A rise that the range ended in did not come back.
  const diverged = state.diverged ?? (nextStep >= state.toStep ? state.suspected : null)
  if (diverged) {
    const { learningRate: divergenceRate, sign } = diverged
    const needed = rangeMinimumDescent * Math.abs(lossFirst ?? 0)
    const fell = lossFirst !== null && lossBest !== null && lossBest < lossFirst - needed
    return fell ? { kind: 'found', divergenceRate, sign } : { kind: 'no-descent', divergenceRate, sign }
  }
  return nextStep >= state.toStep ? { kind: 'no-divergence', largestRate: state.toRate } : { kind: 'running' }
}
