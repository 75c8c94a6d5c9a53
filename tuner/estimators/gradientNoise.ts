// Gradient noise from two batch sizes: the squared norm g_B of the full batch's gradient and the mean squared
// norm g_b of its micro-batches' gradients (McCandlish et al. 2018, appendix A.1). With G the true gradient
// and Σ the covariance of one example's gradient, E g_B = ‖G‖² + trΣ/B, so
//   ‖G‖² = (B·g_B − b·g_b)/(B − b),   trΣ = (g_b − g_B)/(1/b − 1/B)          (both unbiased)
//   noise scale = mean(trΣ)/mean(‖G‖²), in examples: the batch size at which noise equals signal.
// A ratio of means is biased, so its error comes from the jackknife over blocks, times the factor for
// correlated blocks. ‖G‖² may come out at 0 or below: then the scale has no value and a lower bound is told,
// because clipping it would turn "too large to measure" into a number.
// Only the newest blocks are read: the noise changes as training goes on. Cost: O(1) per pair, bounded state.
// Missing, non-finite, negative norms and B ≤ b leave the state as it is.

import { type Estimate, type Estimator, noEstimate } from './estimator.ts'
import { wholeOption } from './options.ts'
import { cautiousFactor, mean, meanEstimate, smallSampleFactor } from './uncertainty.ts'

// Gradient noise. bench/records/2026-11-24-prototype/README.md used one pair per probe and windows of 10 % of a run; the block counts are chosen so that the window forgets the noise of an earlier rate.
const noiseBlocksMax = 64
const noiseWindowBlocks = 16
const noiseBlocksNeeded = 4
const noisePairsPerBlock = 2

export type GradientNoiseOptions = {
  /** Pairs (g_B, g_b) in a block, 1 or more. */
  readonly pairsPerBlock?: number
  /** Newest blocks that a reading uses, 4 to 64. */
  readonly windowBlocks?: number
}
/** One step's norms (squared, Euclidean, of mean gradients) and batch sizes (examples); null = not measured. */
export type GradientNoiseSample = {
  readonly gradientNormSquared: number | null
  readonly microGradientNormSquared: number | null
  readonly batchSize: number | null
  readonly microBatchSize: number | null
}
export type GradientNoiseState = {
  readonly pairsPerBlock: number
  readonly windowBlocks: number
  /** Block means, oldest first, at most 64. */
  readonly squared: readonly number[]
  readonly trace: readonly number[]
  /** Means of the block being filled, and its pairs so far. */
  readonly currentSquared: number
  readonly currentTrace: number
  readonly currentCount: number
}
export type GradientNoiseReading = {
  /** mean(trΣ)/mean(‖G‖²) in examples; null while ‖G‖² is within its noise of 0. */
  readonly noiseScale: Estimate
  /** trΣ: sum of the variances of one example's gradient. */
  readonly traceSigma: Estimate
  /** Squared norm of the true gradient; may be negative within its error. */
  readonly gradientNormSquared: Estimate
  /** Where the noise scale has no value: a bound that it exceeds with about 95 % confidence. */
  readonly aboveNoiseScale: number | null
}

/** One-sided 95 % point of the normal distribution. */
const oneSided95 = 1.645

export const gradientNoise: Estimator<
  GradientNoiseOptions,
  GradientNoiseState,
  GradientNoiseSample,
  GradientNoiseReading
> = {
  name: 'gradientNoise',
  init({ pairsPerBlock = noisePairsPerBlock, windowBlocks = noiseWindowBlocks }) {
    wholeOption('windowBlocks', windowBlocks, noiseBlocksNeeded)
    if (windowBlocks > noiseBlocksMax)
      throw new RangeError(`windowBlocks must be at most ${noiseBlocksMax}, got ${windowBlocks}`)
    return {
      pairsPerBlock: wholeOption('pairsPerBlock', pairsPerBlock, 1),
      windowBlocks,
      squared: [],
      trace: [],
      currentSquared: 0,
      currentTrace: 0,
      currentCount: 0,
    }
  },
  update(state, sample) {
    const parts = noiseParts(sample)
    if (parts === undefined) return state
    const currentCount = state.currentCount + 1
    const currentSquared = state.currentSquared + (parts.squared - state.currentSquared) / currentCount
    const currentTrace = state.currentTrace + (parts.trace - state.currentTrace) / currentCount
    if (!Number.isFinite(currentSquared) || !Number.isFinite(currentTrace)) return state
    const { pairsPerBlock, windowBlocks, squared, trace } = state
    if (currentCount < pairsPerBlock)
      return { pairsPerBlock, windowBlocks, squared, trace, currentSquared, currentTrace, currentCount }
    return {
      pairsPerBlock,
      windowBlocks,
      squared: [...squared.slice(1 - noiseBlocksMax), currentSquared],
      trace: [...trace.slice(1 - noiseBlocksMax), currentTrace],
      currentSquared: 0,
      currentTrace: 0,
      currentCount: 0,
    }
  },
  read(state) {
    const squared = state.squared.slice(-state.windowBlocks)
    const trace = state.trace.slice(-state.windowBlocks)
    const gradientNormSquared = meanEstimate(squared, noiseBlocksNeeded)
    const traceSigma = meanEstimate(trace, noiseBlocksNeeded)
    return {
      ...scaleReading(squared, trace, gradientNormSquared, traceSigma),
      traceSigma,
      gradientNormSquared,
    }
  },
}

/** ‖G‖² and trΣ of one pair; undefined = the pair says nothing. */
function noiseParts(sample: GradientNoiseSample): { squared: number; trace: number } | undefined {
  const { gradientNormSquared: full, microGradientNormSquared: micro, batchSize, microBatchSize } = sample
  if (full === null || micro === null || batchSize === null || microBatchSize === null) return undefined
  if (!(full >= 0 && micro >= 0 && microBatchSize > 0 && batchSize > microBatchSize)) return undefined
  const squared = (batchSize * full - microBatchSize * micro) / (batchSize - microBatchSize)
  const trace = (micro - full) / (1 / microBatchSize - 1 / batchSize)
  return Number.isFinite(squared) && Number.isFinite(trace) ? { squared, trace } : undefined
}

function scaleReading(
  squared: readonly number[],
  trace: readonly number[],
  gradient: Estimate,
  traceSigma: Estimate,
): Pick<GradientNoiseReading, 'noiseScale' | 'aboveNoiseScale'> {
  const none = noEstimate(gradient.count, noiseBlocksNeeded)
  if (gradient.value === null || traceSigma.value === null) return { noiseScale: none, aboveNoiseScale: null }
  const margin = oneSided95 * (gradient.standardError ?? 0)
  if (gradient.value - margin > 0) {
    const value = traceSigma.value / gradient.value
    return {
      noiseScale: { ...none, value, standardError: ratioError(squared, trace) },
      aboveNoiseScale: null,
    }
  }
  const upper = gradient.value + margin
  return { noiseScale: none, aboveNoiseScale: upper > 0 ? Math.max(0, traceSigma.value / upper) : null }
}

/**
 * Jackknife error of mean(trace)/mean(squared): leave each block out in turn, √((n−1)/n·Σ(θ_i − θ̄)²) (Efron
 * 1982). The pseudo-values' autocorrelation is that of the blocks' influence, hence the factor's argument.
 */
function ratioError(squared: readonly number[], trace: readonly number[]): number | null {
  const n = squared.length
  const meanSquared = mean(squared)
  const meanTrace = mean(trace)
  const leftOut = squared.map((entry, i) => (n * meanTrace - trace[i]!) / (n * meanSquared - entry))
  const center = mean(leftOut)
  let squares = 0
  for (const theta of leftOut) squares += (theta - center) ** 2
  const error = Math.sqrt(((n - 1) / n) * squares) * smallSampleFactor(n - 1) * cautiousFactor(leftOut, 1)
  return Number.isFinite(error) ? error : null
}
