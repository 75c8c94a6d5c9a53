// The guard's watch over samples and probes: has training come apart? signs.ts says which sign is met; recovery.ts acts.
//   not finite  5 of the last ten losses, or gradient norms; two probes in a row. Steps that mixed precision skipped are none.
//   rise        the mean loss of a block of ten steps lies above the level of the last eight by more than they usually
//               rise plus six deviations, in five blocks in a row.  e = x − median of the eight before;
//               limit = max(0, median of the last eight e) + 6·max(1.48·MAD e, σ of single steps), over the last 32 blocks;
//               before 8 rises are known, by the trend of the eight and how their course bends instead.
//               A leap that is no wider than others that healed may fade as a running mean does that begins anew:
//               e ≤ 8·min(σ of the leap's block, widest σ known)/√(blocks since) is none yet.
//   forgotten   five blocks in a row have given back ¾ of what was learned, in the first eight; later half as much again, so
//               that a slow climb, which the level follows, is told once it is far above where the run began.
//   norm        the gradient norm is 4 deviations above its mean at five of ten steps, and the loss rises as well.
//   stuck       the loss is exactly 0 for 20 steps, after it was not.
// Law: a constant added to every loss changes nothing, a factor c > 0 neither. So −.85 → −.02 is judged like .15 → .98,
// and a loss that creeps up as it did all along is followed, not feared. A new batch size begins a new level of norms.
// A large step makes the loss noisy by design, so every sign needs persistence. Cost: O(1), O(40) at a block's end.
// Why so: docs/decisions/0016-shift-invariant-guard.md. Right values: tuner/testing/cases/{levels,healthy,signs}.test.ts.

import { medianOf } from '../estimators/middle.ts'
import { type Levels, levelBlocks, levelOf, risesNeeded, scatterOf, usualOf } from './levels.ts'
import { type NormState, noNorms, watchNorm, withBit } from './norms.ts'

export const guardBlockSteps = 10
const rememberedBlocks = 32
export const riseDeviations = 6
export const blocksInARow = 5
/** A leap: a block that scatters by so many times the usual; so much of its scatter may be left after one block. What
 *  healed counts up to so many times the usual, and fades by this factor a block. Simulated: bench/records/2026-11-28-guard. */
const leapMin = 3
const leapLeft = 8
const healedMax = 1_000
const healedFade = 0.999
/** Learned plainly: the fall is so many deviations; given back: so much of it, at first and later. */
const learnedDeviations = 8
const forgottenShare = 0.75
const outgrownShare = 1.5
export const stuckSteps = 20
export const probesInARow = 2
/** Larger losses have no sum: they count as not finite. */
export const lossMax = 1e300

export type GuardState = NormState &
  Levels & {
    /** The last ten losses as bits: 1 = not finite. */
    readonly badLosses: number
    /** Probes in a row that were not finite. */
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
    readonly highBlocks: number
    /** The widest scatter of late in a block, and the blocks since; of the first block; and of leaps that healed, in usual ones. */
    readonly leap: number
    readonly sinceLeap: number
    readonly firstScatter: number
    readonly healed: number
    /** Mean loss of the block where learning began, the lowest since, and whether it has been plain between them. */
    readonly first: number | null
    readonly lowest: number | null
    readonly hasLearned: boolean
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
  leap: 0,
  sinceLeap: 0,
  healed: 0,
  firstScatter: 0,
  first: null,
  lowest: null,
  hasLearned: false,
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
    badLosses: loss === null ? state.badLosses : withBit(state.badLosses, !isSound),
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
    leap: state.leap,
    sinceLeap: state.sinceLeap,
    healed: state.healed,
    firstScatter: state.firstScatter,
    first: state.first,
    lowest: state.lowest,
    hasLearned: state.hasLearned,
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

/** A block is full: does it lie high? Only one that does not moves the levels. */
export function endBlock(state: GuardState, mean: number, scatter: number): GuardState {
  if (!Number.isFinite(scatter)) return state
  const { levels, scatters, rises, healed } = state
  const level = levelOf(state)
  const rise = level === null ? null : mean - level
  const usual = usualOf(state)
  const deviation = scatterOf(state)
  const { leap, sinceLeap } = leapOf(state, scatter, usual)
  const firstScatter = state.first === null ? scatter : state.firstScatter
  const left = (leapLeft * Math.min(leap, Math.max(healed * usual, firstScatter))) / Math.sqrt(sinceLeap)
  const isAbove = rise !== null && deviation !== null && rise > riseLimitOf(state, deviation)
  const isHigh = (isAbove && rise > left) || isForgotten(state, mean, deviation, left)
  const next = { ...state, leap, sinceLeap, firstScatter, highBlocks: isHigh ? state.highBlocks + 1 : 0 }
  // While a leap is new its blocks are no level yet: it may be about to stay.
  if (isHigh || (isAbove && sinceLeap <= blocksInARow)) return next
  const factor = usual > 0 && rise !== null && !isAbove ? leap / usual : 0
  return {
    ...next,
    ...learnedOf(state, mean, deviation ?? Number.POSITIVE_INFINITY),
    healed: Math.max(healedFade * healed, factor > leapMin ? Math.min(factor, healedMax) : 0),
    levels: [...levels, mean].slice(-levelBlocks),
    scatters: [...scatters, scatter].slice(-rememberedBlocks),
    rises: rise === null ? rises : [...rises, rise].slice(-rememberedBlocks),
  }
}

/**
 * A running mean over an epoch is smooth but where it begins anew: there it leaps, and what is left of that falls with the
 * root of the steps since. Once all blocks that are remembered came later, the limits know it by themselves.
 */
function leapOf({ leap, sinceLeap }: GuardState, scatter: number, usual: number) {
  const isWider = scatter > Math.max(leapMin * usual, leap / Math.sqrt(sinceLeap + 1))
  if (isWider) return { leap: scatter, sinceLeap: 1 }
  return { leap: sinceLeap < rememberedBlocks ? leap : 0, sinceLeap: sinceLeap + 1 }
}

/** How far a block may lie above the level. A loss that rises steadily may go on: also while it is watched, when the level
 *  stands still. */
function riseLimitOf({ levels, rises, highBlocks }: GuardState, deviation: number): number {
  const half = levelBlocks / 2
  const usual =
    rises.length < risesNeeded
      ? ((half + 0.5) / half) * (medianOf(levels.slice(half)) - medianOf(levels.slice(0, half)))
      : medianOf(rises.slice(-levelBlocks))
  return Math.max(0, usual) * (1 + (2 * highBlocks) / (levelBlocks + 1)) + riseDeviations * deviation
}

function isForgotten(state: GuardState, mean: number, deviation: number | null, left: number): boolean {
  const { first, lowest, levels } = state
  if (first === null || lowest === null || deviation === null) return false
  const learned = first - lowest
  if (levels.length < levelBlocks)
    return learned > learnedDeviations * deviation && mean - lowest > Math.max(forgottenShare * learned, left)
  // Not against the present deviation, which grows with a loss that does.
  return state.hasLearned && mean - first > Math.max((outgrownShare - 1) * learned, left)
}

/** A loss that rises before it has plainly learned begins there: so one that rises all along has forgotten nothing. */
function learnedOf({ first, lowest, hasLearned, rises }: GuardState, mean: number, deviation: number) {
  if (first === null || lowest === null || (mean > first && !hasLearned))
    return { first: mean, lowest: mean, hasLearned: false }
  const isPlain = rises.length >= risesNeeded && first - lowest > learnedDeviations * deviation
  return { first, lowest: Math.min(lowest, mean), hasLearned: hasLearned || isPlain }
}

/** Folds a valley probe: are all of its losses finite? */
export const watchProbe = (state: GuardState, isSound: boolean): GuardState => ({
  ...state,
  badProbes: isSound ? 0 : Math.min(state.badProbes + 1, probesInARow + 1),
})

/** A step that is late or was left out, of which only a NaN says something: the run may be another life of itself. */
export function watchLate(state: GuardState, loss: number | null): GuardState {
  if (state.unheardRows > 0) return { ...state, unheardRows: state.unheardRows - 1 }
  return loss === null ? state : { ...state, badLosses: withBit(state.badLosses, !Number.isFinite(loss)) }
}
