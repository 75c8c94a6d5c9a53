// Gradient noise from two batch sizes: the squared norm g_B of the full batch's gradient and the mean squared
// norm g_b of its micro-batches' gradients (McCandlish et al. 2018, appendix A.1). With G the true gradient
// and Σ the covariance of one example's gradient, E g_B = ‖G‖² + trΣ/B, so
//   ‖G‖² = (B·g_B − b·g_b)/(B − b),   trΣ = (g_b − g_B)/(1/b − 1/B)          (both unbiased)
//   noise scale = mean(trΣ)/mean(‖G‖²), in examples: the batch size at which noise equals signal.
// A ratio of means is biased, so its error comes from the jackknife over blocks, times the factor for
// correlated blocks. Where ‖G‖² is within its error of 0 the scale has no value: clipping would make a number of it.
// Only the newest blocks are kept: the noise changes as training goes on. Cost: O(1) per pair, bounded state.
// Missing, non-finite, negative norms and B ≤ b leave the state as it is.

import { type Column, type Estimator, noEstimate, type Rows } from './estimator.ts'
import { cautiousFactor, mean, meanEstimate, smallSampleFactor, squaresAbout } from './uncertainty.ts'

// bench/records/2026-11-24-prototype/README.md used one pair per probe and windows of 10 % of a run; the block counts are
// chosen so that the window forgets the noise of an earlier rate.
const blocksKept = 16
const blocksNeeded = 4
const pairsPerBlock = 2
/** One-sided 95 % point of the normal distribution. */
const oneSided95 = 1.645

/** One step's norms (squared, Euclidean, of mean gradients) and batch sizes (examples); null = not measured. */
type Sample = {
  readonly gradientNormSquared: number | null
  readonly microGradientNormSquared: number | null
  readonly batchSize: number | null
  readonly microBatchSize: number | null
}
export type GradientNoiseState = {
  /** Block means, oldest first, at most 16. */
  readonly squared: readonly number[]
  readonly trace: readonly number[]
  /** Means of the block being filled, and its pairs so far. */
  readonly currentSquared: number
  readonly currentTrace: number
  readonly currentCount: number
}

export const gradientNoise = {
  init: (): GradientNoiseState => ({
    squared: [],
    trace: [],
    currentSquared: 0,
    currentTrace: 0,
    currentCount: 0,
  }),
  update(state: GradientNoiseState, sample: Sample): GradientNoiseState {
    const parts = noiseParts(sample)
    if (parts === undefined) return state
    const currentCount = state.currentCount + 1
    const currentSquared = state.currentSquared + (parts.squared - state.currentSquared) / currentCount
    const currentTrace = state.currentTrace + (parts.trace - state.currentTrace) / currentCount
    if (!Number.isFinite(currentSquared) || !Number.isFinite(currentTrace)) return state
    const { squared, trace } = state
    if (currentCount < pairsPerBlock) return { squared, trace, currentSquared, currentTrace, currentCount }
    return {
      ...gradientNoise.init(),
      squared: [...squared.slice(1 - blocksKept), currentSquared],
      trace: [...trace.slice(1 - blocksKept), currentTrace],
    }
  },
  /** trΣ: sum of the variances of one example's gradient; the noise scale is null while ‖G‖² is within its noise of 0. */
  read({ squared, trace }: GradientNoiseState) {
    const gradient = meanEstimate(squared, blocksNeeded)
    const traceSigma = meanEstimate(trace, blocksNeeded)
    const none = noEstimate(gradient.count, blocksNeeded)
    const isKnown = gradient.value !== null && gradient.value > oneSided95 * (gradient.standardError ?? 0)
    if (!isKnown || traceSigma.value === null) return { traceSigma, noiseScale: none }
    const value = traceSigma.value / gradient.value
    return { traceSigma, noiseScale: { ...none, value, standardError: ratioError(squared, trace) } }
  },
} satisfies Estimator<GradientNoiseState, Sample>

type Columns = { readonly [K in keyof Sample]?: Column }

/** Many at once. */
export function noiseOver(
  state: GradientNoiseState,
  columns: Columns,
  { from, to }: Rows,
): GradientNoiseState {
  const { gradientNormSquared: full, microGradientNormSquared: micro, batchSize, microBatchSize } = columns
  if (full === undefined || micro === undefined || batchSize === undefined || microBatchSize === undefined)
    return state
  let { currentSquared, currentTrace, currentCount } = state
  const squared: number[] = []
  const trace: number[] = []
  for (let i = from; i < to; i++) {
    const parts = noiseParts({
      gradientNormSquared: full[i]!,
      microGradientNormSquared: micro[i]!,
      batchSize: batchSize[i]!,
      microBatchSize: microBatchSize[i]!,
    })
    if (parts === undefined) continue
    const count = currentCount + 1
    const meanSquared = currentSquared + (parts.squared - currentSquared) / count
    const meanTrace = currentTrace + (parts.trace - currentTrace) / count
    if (!Number.isFinite(meanSquared) || !Number.isFinite(meanTrace)) continue
    const isFull = count >= pairsPerBlock
    if (isFull) {
      squared.push(meanSquared)
      trace.push(meanTrace)
    }
    currentSquared = isFull ? 0 : meanSquared
    currentTrace = isFull ? 0 : meanTrace
    currentCount = isFull ? 0 : count
  }
  return {
    squared: keptWith(state.squared, squared),
    trace: keptWith(state.trace, trace),
    currentSquared,
    currentTrace,
    currentCount,
  }
}

const keptWith = (kept: readonly number[], added: readonly number[]): readonly number[] =>
  added.length === 0 ? kept : [...kept, ...added].slice(-blocksKept)

/** ‖G‖² and trΣ of one pair; undefined = the pair says nothing. */
function noiseParts(sample: Sample): { squared: number; trace: number } | undefined {
  const { gradientNormSquared: full, microGradientNormSquared: micro, batchSize, microBatchSize } = sample
  if (full === null || micro === null || batchSize === null || microBatchSize === null) return undefined
  if (!(full >= 0 && micro >= 0 && microBatchSize > 0 && batchSize > microBatchSize)) return undefined
  const squared = (batchSize * full - microBatchSize * micro) / (batchSize - microBatchSize)
  const trace = (micro - full) / (1 / microBatchSize - 1 / batchSize)
  return Number.isFinite(squared) && Number.isFinite(trace) ? { squared, trace } : undefined
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
  const spread = Math.sqrt(((n - 1) / n) * squaresAbout(leftOut, mean(leftOut)))
  const error = spread * smallSampleFactor(n - 1) * cautiousFactor(leftOut, 1)
  return Number.isFinite(error) ? error : null
}
