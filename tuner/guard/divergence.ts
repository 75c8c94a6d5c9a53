// The divergence guard: watches every sample and probe of the large-step phase and the anneal, and says when
// training has come apart, by five signs: losses that are not finite; a block loss far above the recent
// median in five blocks in a row; one near where the run began, in five blocks in a row, though half had been
// learned; a gradient norm far above its mean at five of ten steps; a probe loss well above the best one and
// outside the recent probes' scatter. The third needs no scatter, so it holds in the first steps, where most
// runs die that do. A large step makes the loss noisy by design, so every sign needs persistence: one bad
// batch must never cost a rollback. It only detects; what to do (roll back, lower, re-warm, anneal, stop) is
// in recovery.ts.

import { median, medianAbsoluteDeviation } from 'simple-statistics'
import {
  guardBlockSteps,
  guardBlocksNeeded,
  guardCooldownSteps,
  guardForgottenShare,
  guardHistoryBlocks,
  guardLearnedShare,
  guardLossBlocks,
  guardLossDeviations,
  guardNonFiniteMax,
  guardNormDeviations,
  guardNormHits,
  guardProbeFactor,
  guardProbesNeeded,
} from '../constants.ts'
import { riseLimit } from '../estimators/riseLimit.ts'
import { longRunFactor } from '../estimators/uncertainty.ts'
import { isFarAbove, movedLevel, type NormLevel } from './normLevel.ts'

export type DivergenceState = {
  readonly nonFiniteCount: number
  readonly blockSum: number
  readonly blockCount: number
  /** Log of the mean loss of past blocks of ten steps, newest last. */
  readonly blocks: readonly number[]
  readonly blockHits: number
  /** Mean loss of the first block that was watched, and the lowest of any; null = no block is full. */
  readonly firstLoss: number | null
  readonly lowestLoss: number | null
  /** Blocks in a row in which what had been learned was gone again. */
  readonly forgottenHits: number
  readonly normMean: number
  readonly normVariance: number
  readonly normCount: number
  readonly normHits: readonly number[]
  readonly probeLosses: readonly number[]
  /** Steps at which the guard has acted. */
  readonly trips: readonly number[]
  /** Checkpoints taken at normal probes, oldest first, with the run's length in large steps at each. */
  readonly checkpoints: readonly {
    readonly name: string
    readonly step: number
    readonly largeSteps: number
  }[]
}

export const noDivergence: DivergenceState = {
  nonFiniteCount: 0,
  blockSum: 0,
  blockCount: 0,
  blocks: [],
  blockHits: 0,
  firstLoss: null,
  lowestLoss: null,
  forgottenHits: 0,
  normMean: 0,
  normVariance: 0,
  normCount: 0,
  normHits: [],
  probeLosses: [],
  trips: [],
  checkpoints: [],
}

/** Starts watching afresh (new rate, rolled back): history that no longer applies is dropped, trips are kept, and
 *  what the run has once learned stays a fact. */
export const watchAfresh = (state: DivergenceState): DivergenceState => ({
  ...noDivergence,
  firstLoss: state.firstLoss,
  lowestLoss: state.lowestLoss,
  trips: state.trips,
  checkpoints: state.checkpoints,
})

/**
 * Whether the guard looks away because it has just acted. Without this, one report of twenty bad steps would
 * use up all attempts before the job hears of the first.
 */
export function isCoolingDown({ trips }: DivergenceState, step: number, budgetSteps: number): boolean {
  const last = trips.at(-1)
  const cooldownSteps = Math.min(guardCooldownSteps, Math.ceil(budgetSteps / 50))
  return last !== undefined && step < last + cooldownSteps
}

const lossMax = 1e300

/**
 * Folds one sample; `loss` NaN or infinite counts, null = not reported. Norm not squared. O(1) except at block ends;
 * each field is named, because spreading a state twice a sample is most of what the guard would cost.
 */
export function watchSample(
  state: DivergenceState,
  sample: { loss: number | null; gradientNorm: number | null },
): DivergenceState {
  const { loss, gradientNorm } = sample
  const norms = gradientNorm === null ? state : watchedNorm(state, gradientNorm)
  // Ten losses of this size have no finite sum.
  const isSound = loss !== null && Math.abs(loss) < lossMax
  const isFull = isSound && state.blockCount + 1 >= guardBlockSteps
  const blockSum = isSound ? state.blockSum + loss : state.blockSum
  const next = {
    nonFiniteCount: isSound ? 0 : state.nonFiniteCount + (loss === null ? 0 : 1),
    blockSum: isFull ? 0 : blockSum,
    blockCount: isFull ? 0 : state.blockCount + (isSound ? 1 : 0),
    blocks: state.blocks,
    blockHits: state.blockHits,
    firstLoss: state.firstLoss,
    lowestLoss: state.lowestLoss,
    forgottenHits: state.forgottenHits,
    normMean: norms.normMean,
    normVariance: norms.normVariance,
    normCount: norms.normCount,
    normHits: norms.normHits,
    probeLosses: state.probeLosses,
    trips: state.trips,
    checkpoints: state.checkpoints,
  }
  return isFull ? endBlock(next, blockSum / guardBlockSteps) : next
}

function endBlock(state: DivergenceState, mean: number): DivergenceState {
  // Log-loss, so that the scatter does not depend on the level; a loss of 0 or less has no log and is floored.
  const value = Math.log(Math.max(mean, 1e-12))
  const isHigh =
    state.blocks.length >= guardBlocksNeeded &&
    isAboveHalf(state.blocks, value - 0.99 * blockRiseMin) &&
    value > limitOf(state.blocks)
  const firstLoss = state.firstLoss ?? mean
  const lowestLoss = Math.min(state.lowestLoss ?? mean, mean)
  const forgottenHits = isForgotten(mean, firstLoss, lowestLoss) ? state.forgottenHits + 1 : 0
  const next = { ...state, firstLoss, lowestLoss, forgottenHits }
  if (isHigh) return { ...next, blockHits: state.blockHits + 1 }
  return { ...next, blockHits: 0, blocks: [...state.blocks.slice(1 - guardHistoryBlocks), value] }
}

/** Whether a loss has given back most of what a run had learned. A loss below 0 has no share that was learned. */
function isForgotten(loss: number, first: number, lowest: number): boolean {
  const learned = first - lowest
  return (
    lowest >= 0 &&
    learned > 0 &&
    learned >= guardLearnedShare * first &&
    loss >= lowest + guardForgottenShare * learned
  )
}

/** The MAD is floored at 2 % of the loss, so that a nearly constant loss does not trip. */
const blockRiseMin = guardLossDeviations * 0.02

/** median + 6 MAD, or the floor. */
function limitOf(values: readonly number[]): number {
  const list = [...values]
  return median(list) + Math.max(guardLossDeviations * medianAbsoluteDeviation(list), blockRiseMin)
}

/** Whether at most half of the values reach this one: if more do, so does the median, which need not be found then. */
function isAboveHalf(values: readonly number[], value: number): boolean {
  let reached = 0
  for (const entry of values) if (entry >= value) reached++
  return 2 * reached <= values.length
}

type NormWatch = NormLevel & Pick<DivergenceState, 'normHits'>

function watchedNorm(state: DivergenceState, norm: number): NormWatch {
  if (!Number.isFinite(norm)) return state
  const isHigh = state.normCount >= 20 && isFarAbove(state, norm, guardNormDeviations)
  // The list of hits is kept only while there are some: the usual sample allocates nothing for it.
  const normHits =
    isHigh || state.normHits.length > 0
      ? pruned([...state.normHits.slice(-9), isHigh ? 1 : 0])
      : state.normHits
  const { normMean, normVariance, normCount } = isHigh ? state : movedLevel(state, norm, 100)
  return { normMean, normVariance, normCount, normHits }
}

const none: readonly number[] = []
const pruned = (hits: readonly number[]) => (hits.some((hit) => hit === 1) ? hits : none)

/** Folds a probe's raw held-out loss. */
export function watchProbe(state: DivergenceState, loss: number): DivergenceState {
  return {
    ...state,
    probeLosses: [...state.probeLosses.slice(-15), Number.isFinite(loss) ? loss : Number.MAX_VALUE],
  }
}

/** The sign of divergence that is met, in words; null = none. */
export function divergenceSign(state: DivergenceState): string | null {
  return sampleSign(state) ?? probeSign(state.probeLosses)
}

/** The signs that samples can give; the other one needs a probe. */
export function sampleSign(state: DivergenceState): string | null {
  if (state.nonFiniteCount >= guardNonFiniteMax)
    return `the loss was not finite at ${state.nonFiniteCount} steps in a row`
  if (state.blockHits >= guardLossBlocks)
    return `the loss stayed far above its recent median for ${state.blockHits * guardBlockSteps} steps`
  if (state.forgottenHits >= guardLossBlocks)
    return `the loss was back near where the run began for ${state.forgottenHits * guardBlockSteps} steps`
  if (state.normHits.length === 0) return null
  const hits = state.normHits.reduce((sum, hit) => sum + hit, 0)
  return hits >= guardNormHits
    ? `the gradient norm jumped far above its mean at ${hits} of ${state.normHits.length} steps`
    : null
}

/** Two probes in a row must say so: one raw probe of a large step scatters by tens of per cent by itself. */
function probeSign(losses: readonly number[]): string | null {
  const newest = losses.slice(-2)
  const before = losses.slice(0, -2)
  if (before.length < guardProbesNeeded || !isAboveHalf(before, Math.min(...newest))) return null
  const center = median([...before])
  const scatter = medianAbsoluteDeviation([...before])
  // Probes close together wander slowly, and the scatter of a few such says too little of how far they go.
  const reach = guardLossDeviations * longRunFactor(before) * scatter
  const limit = Math.max(riseLimit(center, guardProbeFactor), center + reach)
  if (!newest.every((loss) => loss > limit)) return null
  const factor = newest[1]! / Math.min(...losses)
  const extent = factor > 1 && factor < 1000 ? `to ${factor.toFixed(2)} times its best` : 'far above its best'
  return `the probe loss rose ${extent} at two probes in a row`
}

/** Whether the newest probe lies within the scatter of the others, so that its weights are worth keeping. The first
 *  probe after a trip has no others: weights that have forgotten what the run had learned are not worth it either. */
export function isProbeNormal(state: DivergenceState): boolean {
  const { probeLosses, firstLoss, lowestLoss } = state
  const last = probeLosses.at(-1)
  return (
    last !== undefined &&
    last <= riseLimit(Math.min(...probeLosses), guardProbeFactor) &&
    !(firstLoss !== null && lowestLoss !== null && isForgotten(last, firstLoss, lowestLoss)) &&
    divergenceSign(state) === null
  )
}
