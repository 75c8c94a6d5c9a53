// The switch of a run without a budget: a sequential test with a controlled error. Let d be what a block of probes
// takes off the averaged loss per step, and δ the tolerance, the least that makes a step worth taking. H₀: E d ≥ δ,
// "still worth it", for ever. With z = clip((δ − d)/σ̂, ±3), evidence started at look i with weight w_i grows as
//   M(λ) ← (M(λ) + w_i)·exp(λz − λ²/2),   w_i = n/((n+i)(n+i+1)), which sum to 1 over i = 0, 1, 2, …
// and E = mean of M over λ ∈ {¼, ½, 1, 2}, plus the weights not yet spent. It fires at E ≥ 1/α: by Ville's inequality
// the chance that E ever gets there under H₀ is at most α for sub-Gaussian z, however often one looks.
// σ̂ is known before the look: the deviation of the differences so far, times the factor for their correlation.
// A block's length doubles while σ̂ > δ, as the drift of a block grows faster than its noise: else power is lost.
// Source: mixture supermartingales (Robbins 1970; Ville 1939). Constants and error rates:
// bench/records/2026-11-24-sequential-test/README.md. Cost: O(1) a probe, O(48) a block; at most 49 blocks are kept.
// NaN, infinite, repeated and late probes leave the state as it is.

import { longRunFactor, mean, squaresAbout } from './uncertainty.ts'

/** The chance of ever switching a run that still gains δ, at most. */
export const sequentialErrorRate = 0.05
const sequentialLambdas = [0.25, 0.5, 1, 2] as const
const sequentialClip = 3
/** Half of all starting weight is spent in so many looks. */
const sequentialStartLooks = 100
/** Differences of blocks behind the first look, and blocks kept. */
export const sequentialDifferencesNeeded = 12
export const sequentialBlocksMax = 49
/** Correlation is taken as if so many parameters had been fitted: measured on few values it is too small. */
const sequentialFittedParameters = 3
/** σ̂ is at least this share of δ, so that rounding is not taken for evidence. Chosen. */
const sequentialScatterMin = 0.01
/** Evidence is kept up to here: more says no more, and it must stay finite. */
const sequentialEvidenceMax = 1e6
if (sequentialBlocksMax < 2 * (sequentialDifferencesNeeded + 1))
  throw new RangeError('blocks must be kept until they can be merged')

/** `tolerancePerStep`: δ, loss per step; null, or not above 0 = not known yet. */
type Probe = {
  readonly step: number
  readonly averagedLoss: number
  readonly tolerancePerStep: number | null
}
/** Mean step and mean averaged loss of neighbouring probes. */
type ProbeBlock = { readonly step: number; readonly loss: number }
/** The block being filled; δ is that of its first probe, so that no loss of the block bears on it. */
type OpenBlock = ProbeBlock & { readonly count: number; readonly tolerancePerStep: number | null }
export type SequentialTestState = {
  readonly probesPerBlock: number
  readonly open: OpenBlock | null
  /** Complete blocks, oldest first. */
  readonly blocks: readonly ProbeBlock[]
  readonly lastStep: number
  readonly lookCount: number
  /** M by λ. */
  readonly evidences: readonly number[]
}

/** The parts of the rule that a benchmark takes out to see what they are for. */
export type SequentialParts = {
  readonly clip: number
  /** σ̂ of differences, oldest first, at least `sequentialDifferencesNeeded` of them. */
  readonly scatterOf: (gains: readonly number[]) => number
}

const blocksNeeded = sequentialDifferencesNeeded + 1

export const initialSequentialTest: SequentialTestState = {
  probesPerBlock: 1,
  open: null,
  blocks: [],
  lastStep: -1,
  lookCount: 0,
  evidences: sequentialLambdas.map(() => 0),
}

/** `blocksNeeded`: before the first look. */
export function readSequentialTest({ evidences, lookCount, blocks }: SequentialTestState) {
  const unspent = sequentialStartLooks / (sequentialStartLooks + lookCount)
  const evidence = mean(evidences) + unspent
  const evidenceNeeded = 1 / sequentialErrorRate
  const satisfied = evidence >= evidenceNeeded
  return { evidence, evidenceNeeded, satisfied, lookCount, blockCount: blocks.length, blocksNeeded }
}

/** The weights went back, or the rate was another one: differences start afresh, the evidence stands. */
export const interrupted = (state: SequentialTestState): SequentialTestState => ({
  ...state,
  open: null,
  blocks: [],
})

export function foldSequentialProbe(
  state: SequentialTestState,
  { step, averagedLoss, tolerancePerStep }: Probe,
  parts: SequentialParts = sequentialParts,
): SequentialTestState {
  if (!Number.isFinite(averagedLoss) || !Number.isSafeInteger(step) || step <= state.lastStep) return state
  const before = state.open ?? { step, loss: averagedLoss, count: 0, tolerancePerStep }
  const count = before.count + 1
  const open = {
    step: before.step + (step - before.step) / count,
    loss: before.loss + (averagedLoss - before.loss) / count,
    count,
    tolerancePerStep: before.tolerancePerStep,
  }
  const next = { ...state, open, lastStep: step }
  return count < state.probesPerBlock ? next : closed(next, open, parts)
}

/** A block is complete: it is looked at, joins the others, and may show that blocks must be longer. */
function closed(state: SequentialTestState, block: OpenBlock, parts: SequentialParts): SequentialTestState {
  const { tolerancePerStep, step, loss } = block
  const isKnown = tolerancePerStep !== null && tolerancePerStep > 0
  const isLook = isKnown && state.blocks.length >= blocksNeeded
  const seen = isLook ? looked(state, { ...block, tolerancePerStep }, parts) : state
  const blocks = [...state.blocks, { step, loss }].slice(-sequentialBlocksMax)
  const next = { ...seen, open: null, blocks }
  const canMerge = isKnown && blocks.length >= 2 * blocksNeeded
  return canMerge && parts.scatterOf(gainsOf(blocks)) > tolerancePerStep ? merged(next) : next
}

function looked(
  state: SequentialTestState,
  block: ProbeBlock & { readonly tolerancePerStep: number },
  { clip, scatterOf }: SequentialParts,
): SequentialTestState {
  const { blocks, lookCount } = state
  const { tolerancePerStep } = block
  const scatter = Math.max(scatterOf(gainsOf(blocks)), sequentialScatterMin * tolerancePerStep)
  const z = Math.min(Math.max((tolerancePerStep - gainBetween(blocks.at(-1)!, block)) / scatter, -clip), clip)
  const spent = sequentialStartLooks + lookCount
  const weight = sequentialStartLooks / (spent * (spent + 1))
  const evidences = sequentialLambdas.map((lambda, i) => {
    const grown = (state.evidences[i]! + weight) * Math.exp(lambda * z - (lambda * lambda) / 2)
    return Math.min(grown, sequentialEvidenceMax)
  })
  return { ...state, lookCount: lookCount + 1, evidences }
}

/** d: what a step between two blocks took off the loss, on average. */
const gainBetween = (a: ProbeBlock, b: ProbeBlock): number => (a.loss - b.loss) / (b.step - a.step)
const gainsOf = (blocks: readonly ProbeBlock[]): number[] =>
  blocks.slice(1).map((block, i) => gainBetween(blocks[i]!, block))

/**
 * σ̂ of d: the deviation about the mean. That of first differences is too small where the noise is correlated: the
 * test then errs in 20 to 68 % of runs.
 */
function deviationOf(gains: readonly number[]): number {
  const squares = squaresAbout(gains, mean(gains))
  // n − 3 for n − 1: σ̂ of few values is itself uncertain, as in Student's t.
  return Math.sqrt(squares / (gains.length - 3)) * longRunFactor(gains, sequentialFittedParameters)
}

export const sequentialParts: SequentialParts = { clip: sequentialClip, scatterOf: deviationOf }

/** Blocks of twice the length; of an odd number the oldest is left out. */
function merged(state: SequentialTestState): SequentialTestState {
  const { blocks } = state
  const pairs: ProbeBlock[] = []
  for (let i = blocks.length % 2; i + 1 < blocks.length; i += 2) {
    const [a, b] = [blocks[i]!, blocks[i + 1]!]
    pairs.push({ step: (a.step + b.step) / 2, loss: (a.loss + b.loss) / 2 })
  }
  return { ...state, blocks: pairs, probesPerBlock: 2 * state.probesPerBlock }
}
