// The guard's watch over samples and probes: has training come apart? signs.ts says which sign is met; recovery.ts acts.
//   not finite  5 losses, or 5 gradient norms, in a row; two probes in a row. Steps that mixed precision skipped are none.
//   rise        the mean loss of a block of ten steps lies above the level of the last eight by more than they usually
//               rise plus six deviations, in five blocks in a row.  e = x − median of the eight before;
//               limit = max(0, median of the last eight e) + 6·max(1.48·MAD e, σ of single steps), over the last 32 blocks.
//   forgotten   before a rise can be judged: five blocks in a row have given back ¾ of what was learned, if that was plain.
//   norm        the gradient norm is 4 deviations above its mean at five of ten steps, and the loss rises as well.
//   stuck       the loss is exactly 0 for 20 steps, after it was not.
// Law: a constant added to every loss changes nothing, a factor c > 0 neither. So −.85 → −.02 is judged like .15 → .98,
// and a loss that creeps up as it did all along is followed, not feared. A new batch size begins a new level of norms.
// A large step makes the loss noisy by design, so every sign needs persistence. Cost: O(1), O(40) at a block's end.
// Why so: docs/decisions/0016-shift-invariant-guard.md. Right values: tuner/testing/cases/{levels,healthy,signs}.test.ts.

import { median, medianAbsoluteDeviation } from 'simple-statistics'
import { normalPerMad } from '../estimators/uncertainty.ts'
import { type NormState, noNorms, watchNorm } from './norms.ts'

export const guardBlockSteps = 10
/** Blocks that make a level, blocks whose rises are remembered, and rises behind a judgement. */
const levelBlocks = 8
const rememberedBlocks = 32
export const risesNeeded = 8
export const riseDeviations = 6
/** What healed fades by this factor a block, and counts from so many usual deviations on, and up to so many. */
const healedFade = 0.99
const healedMin = 3
const healedMax = 100
export const blocksInARow = 5
/** Learned plainly: the fall is so many times the error of a block's mean. */
const learnedErrors = 16
const forgottenShare = 0.75
export const stuckSteps = 20
export const probesInARow = 2
/** Larger losses have no sum: they count as not finite. */
const lossMax = 1e300

export type GuardState = NormState & {
  /** Not finite, in a row. */
  readonly badLosses: number
  readonly badProbes: number
  /** Losses of exactly 0 in a row, and others before them, up to `stuckSteps`. */
  readonly zeros: number
  readonly others: number
  /** The block being filled: sum, squares of successive differences, samples. */
  readonly sum: number
  readonly squares: number
  readonly count: number
  readonly lastLoss: number | null
  /** The mean that clients watch: s + (loss − s)/10. */
  readonly smoothed: number | null
  /** Of blocks that were not high, newest last: mean loss, deviation of single steps, rise over the level before. */
  readonly levels: readonly number[]
  readonly scatters: readonly number[]
  readonly rises: readonly number[]
  readonly highBlocks: number
  /** The widest excursions that healed, in deviations of single steps, fading; and the one that is watched, in the loss's unit. */
  readonly healed: number
  readonly excursion: number
  readonly forgottenBlocks: number
  /** Mean loss of the first block, and the lowest of any. */
  readonly first: number | null
  readonly lowest: number | null
  /** What the guard has acted on, oldest first, at most 16: step, and the loss's level before and then. */
  readonly trips: readonly Trip[]
  /** No sign counts before this step: the job has yet to hear of the last one, or of what it announced. */
  readonly blindUntilStep: number
  /** Late rows of which none counts yet, as the job has yet to hear: their steps lie before any that could be named. */
  readonly unheardRows: number
  /** Where a client that watches its limit has passed it, as long as it is not known whether the guard shares that. */
  readonly passed: { readonly step: number; readonly limit: number } | null
  /** Checkpoints taken at sound probes, oldest first, with the run's length in large steps at each. */
  readonly checkpoints: readonly {
    readonly name: string
    readonly step: number
    readonly runLength: number
  }[]
}

export type Trip = {
  readonly step: number
  readonly isFinite: boolean
  readonly from: number | null
  readonly to: number | null
}

export const noGuard: GuardState = {
  ...noNorms,
  badLosses: 0,
  badProbes: 0,
  zeros: 0,
  others: 0,
  sum: 0,
  squares: 0,
  count: 0,
  lastLoss: null,
  smoothed: null,
  levels: [],
  scatters: [],
  rises: [],
  highBlocks: 0,
  healed: 0,
  excursion: 0,
  forgottenBlocks: 0,
  first: null,
  lowest: null,
  trips: [],
  blindUntilStep: 0,
  unheardRows: 0,
  passed: null,
  checkpoints: [],
}

/** Watches afresh (another rate, other weights, another objective): levels are forgotten, what was done is not. */
export const watchedAfresh = (
  { trips, checkpoints, blindUntilStep, badProbes }: GuardState,
  blindFrom = blindUntilStep,
): GuardState => ({
  ...noGuard,
  trips,
  checkpoints,
  blindUntilStep: blindFrom,
  // Told once: evaluations that stay broken are no news.
  badProbes: badProbes >= probesInARow ? probesInARow + 1 : 0,
})

export type GuardSample = {
  readonly step: number
  /** NaN or infinite counts; null = not reported. */
  readonly loss: number | null
  /** Euclidean, not squared. */
  readonly gradientNorm: number | null
  readonly batchSize: number | null
}

/** Folds one sample. Each field is named: spreading a state twice a sample is most of what the guard would cost. */
export function watchSample(state: GuardState, sample: GuardSample): GuardState {
  if (sample.step < state.blindUntilStep) return state
  const { loss } = sample
  const isSound = loss !== null && Math.abs(loss) < lossMax
  const isFull = isSound && state.count + 1 >= guardBlockSteps
  const sum = isSound ? state.sum + loss : state.sum
  const step = isSound && state.lastLoss !== null ? loss - state.lastLoss : 0
  const squares = state.squares + step * step
  const norms = watchNorm(state, sample)
  const isZero = loss === 0
  const next: GuardState = {
    badLosses: isSound ? 0 : state.badLosses + (loss === null ? 0 : 1),
    badNorms: norms.badNorms,
    badProbes: state.badProbes,
    zeros: loss === null ? state.zeros : isZero ? state.zeros + 1 : 0,
    others: isSound && !isZero ? Math.min(state.others + 1, stuckSteps) : state.others,
    sum: isFull ? 0 : sum,
    squares: isFull ? 0 : squares,
    count: isFull ? 0 : state.count + (isSound ? 1 : 0),
    lastLoss: isSound ? loss : state.lastLoss,
    smoothed: isSound
      ? state.smoothed === null
        ? loss
        : state.smoothed + (loss - state.smoothed) / 10
      : state.smoothed,
    levels: state.levels,
    scatters: state.scatters,
    rises: state.rises,
    highBlocks: state.highBlocks,
    healed: state.healed,
    excursion: state.excursion,
    forgottenBlocks: state.forgottenBlocks,
    first: state.first,
    lowest: state.lowest,
    normMean: norms.normMean,
    normVariance: norms.normVariance,
    normCount: norms.normCount,
    normHits: norms.normHits,
    batchSize: norms.batchSize,
    trips: state.trips,
    blindUntilStep: state.blindUntilStep,
    unheardRows: state.unheardRows,
    passed: state.passed,
    checkpoints: state.checkpoints,
  }
  return isFull ? endBlock(next, sum / guardBlockSteps, Math.sqrt(squares / (2 * guardBlockSteps))) : next
}

/** A block is full: is it high, and has what was learned been given back? Only a block that is not high moves the levels. */
function endBlock(state: GuardState, mean: number, scatter: number): GuardState {
  if (!Number.isFinite(scatter)) return state
  const rise = riseOf(state, mean)
  const limit = riseLimitOf(state)
  const first = state.first ?? mean
  const isHigh = rise !== null && limit !== null && rise > limit
  if (isHigh) {
    const excursion = Math.max(state.excursion, scatter, rise / riseDeviations)
    return { ...state, highBlocks: state.highBlocks + 1, excursion }
  }
  const lowest = Math.min(state.lowest ?? mean, mean)
  const scatters = [...state.scatters, scatter].slice(-rememberedBlocks)
  const forgottenBlocks =
    limit === null && isForgotten({ first, lowest, scatters, mean }) ? state.forgottenBlocks + 1 : 0
  return {
    ...state,
    first,
    lowest,
    scatters,
    forgottenBlocks,
    highBlocks: 0,
    excursion: 0,
    // A leap downwards has healed as it came; the noise of a loss that rises may be all there is of a divergence.
    healed: healedOf(state, rise !== null && rise <= 0 ? scatter : 0),
    levels: [...state.levels, mean].slice(-levelBlocks),
    rises: rise === null ? state.rises : [...state.rises, rise].slice(-rememberedBlocks),
  }
}

/**
 * A running mean over an epoch is smooth but where it begins anew, and there it leaps: what has healed before is no divergence
 * the next time. An excursion counts so many usual deviations at most, so that an outlier does not blind the guard.
 */
function healedOf({ healed, excursion, scatters }: GuardState, scatter: number): number {
  const usual = scatters.length === 0 ? scatter : median([...scatters])
  const factor = usual > 0 ? Math.max(excursion, scatter) / usual : 0
  return Math.max(healedFade * healed, factor > healedMin ? Math.min(factor, healedMax) : 0)
}

/** The level of the last eight blocks; null = they are not there yet. */
export const levelOf = ({ levels }: GuardState): number | null =>
  levels.length < levelBlocks ? null : median([...levels])

function riseOf(state: GuardState, mean: number): number | null {
  const level = levelOf(state)
  return level === null ? null : mean - level
}

/** Deviation of what a block's mean rises by, or of single steps; null = there is none, or too little to tell. */
export function scatterOf({ rises, scatters, healed }: GuardState): number | null {
  if (scatters.length === 0) return null
  const ofRises = rises.length < risesNeeded ? 0 : normalPerMad * medianAbsoluteDeviation([...rises])
  const usual = median([...scatters])
  const scatter = Math.max(ofRises, usual, healed * usual)
  return scatter > 0 ? scatter : null
}

/** How far a block may lie above the level; null = not judged yet. A loss that rises steadily may go on: also while it is
 *  watched, when the level stands still. */
function riseLimitOf(state: GuardState): number | null {
  const { rises, highBlocks } = state
  const scatter = scatterOf(state)
  if (rises.length < risesNeeded || scatter === null) return null
  const usual = Math.max(0, median(rises.slice(-levelBlocks))) * (1 + (2 * highBlocks) / (levelBlocks + 1))
  return usual + riseDeviations * scatter
}

function isForgotten(block: {
  readonly first: number
  readonly lowest: number
  readonly scatters: readonly number[]
  readonly mean: number
}): boolean {
  const learned = block.first - block.lowest
  const error = median([...block.scatters]) / Math.sqrt(guardBlockSteps)
  return error > 0 && learned > learnedErrors * error && block.mean >= block.lowest + forgottenShare * learned
}

/** Folds a valley probe: are all of its losses finite? */
export const watchProbe = (state: GuardState, isSound: boolean): GuardState => ({
  ...state,
  badProbes: isSound ? 0 : Math.min(state.badProbes + 1, probesInARow + 1),
})

/** A step that is late or was left out, of which only a NaN says something: the run may be another life of itself. */
export function watchLate(state: GuardState, loss: number | null): GuardState {
  if (state.unheardRows > 0) return { ...state, unheardRows: state.unheardRows - 1 }
  return loss === null ? state : { ...state, badLosses: Number.isFinite(loss) ? 0 : state.badLosses + 1 }
}
