// Watches an anneal by its probes: does held-out loss still fall, and which weights were best? An anneal removes
// noise, but on data seen many times a long one memorises as well, and then every further step costs.
// Memorising: two of the last three probes of averaged weights, the newest among them, above the best level (the
// lowest mean of three) by five deviations. The deviation is that of second differences, √(Σ (x₋ − 2x + x₊)²/(6n)),
// so that a steady fall is no noise; the larger one of the newest probes and of all, because the noise shrinks with
// the rate and the best level may be a chance low of noisier times; times a factor for correlated probes.
// Simulated (bench/records/2026-11-24-after-the-switch): level anneals of 8 to 40 probes are cut short by mistake in
// 0 to 5 % up to a correlation of .5, falling ones in 0 to 1 %. Cost: O(64) per probe.

import {
  annealBestDeviations,
  annealRiseDeviations,
  annealWatchNeeded,
  annealWatchProbesMax,
  annealWatchWindow,
  lowestDeviations,
  overfittingFactorMax,
  overfittingHits,
  probesInMedian,
} from '../../constants.ts'
import { longRunFactor, mean, meanEstimate } from '../../estimators/uncertainty.ts'
import { aboutLine, bestLevel } from './overfitting.ts'

/** The weights of the anneal with the lowest loss, to keep at the end. One name is enough, as each new best is better
 *  than the one before. */
export const bestCheckpoint = 'best'

/** The weights at the switch, to come back to. */
export const switchCheckpoint = 'switch'

export type AnnealWatch = {
  /** Held-out loss before the anneal: means of the last probes of averaged and of raw weights, with the raw one's error. */
  readonly before: { readonly averaged: number; readonly raw: number; readonly rawError: number } | null
  /** Held-out loss of averaged weights: of the last probes before the anneal and of those in it, at most 64. */
  readonly averagedLosses: readonly number[]
  /** Held-out loss of the weights themselves at the probes of the anneal, the last 16. */
  readonly rawLosses: readonly number[]
  /** Lowest level of averaged losses that have left the list. */
  readonly bestLevel: number | null
  /** The weights kept as the best of the anneal. */
  readonly best: KeptWeights | null
}

export type KeptWeights = { readonly step: number; readonly loss: number }
export type KeptCheckpoint = KeptWeights & { readonly checkpoint: string }

/** `isSeeded`: whether the anneal's probes go on from those before it (not after overfitting: they start above the best). */
export function initialWatch(
  before: { readonly averagedLosses: readonly number[]; readonly probeLosses: readonly number[] },
  isSeeded: boolean,
): AnnealWatch {
  const averaged = before.averagedLosses.slice(-annealWatchNeeded)
  const raw = before.probeLosses.slice(-probesInMedian)
  const isKnown = averaged.length >= annealWatchNeeded && raw.length >= annealWatchNeeded
  const level = meanEstimate(raw, annealWatchNeeded)
  return {
    before:
      isKnown && level.value !== null
        ? { averaged: mean(averaged), raw: level.value, rawError: level.standardError ?? 0 }
        : null,
    averagedLosses: isSeeded ? averaged : [],
    rawLosses: [],
    bestLevel: null,
    best: null,
  }
}

/** Folds a probe of the anneal; losses that are not finite are left out. */
export function watchAnnealProbe(
  watch: AnnealWatch,
  probe: { readonly averagedLoss: number; readonly rawLoss: number },
): AnnealWatch {
  const { averagedLosses, rawLosses } = watch
  const isFull = averagedLosses.length >= annealWatchProbesMax
  const averaged = Number.isFinite(probe.averagedLoss)
    ? [...averagedLosses.slice(isFull ? 1 : 0), probe.averagedLoss]
    : averagedLosses
  const level = isFull ? Math.min(watch.bestLevel ?? Infinity, bestLevel(averagedLosses)) : watch.bestLevel
  return {
    ...watch,
    averagedLosses: averaged,
    rawLosses: Number.isFinite(probe.rawLoss)
      ? [...rawLosses.slice(1 - annealWatchWindow), probe.rawLoss]
      : rawLosses,
    bestLevel: level,
  }
}

type Measured = { readonly value: number; readonly standardError: number }
export type Rise = { readonly from: number; readonly to: number; readonly standardError: number }

/** The rise of held-out loss in the anneal, where it is one; `from` is the best level, `to` the newest probe. */
export function memorisingRise({ averagedLosses, bestLevel: earlier }: AnnealWatch): Rise | null {
  if (averagedLosses.length < annealWatchNeeded + 2) return null
  const recent = averagedLosses.slice(-annealWatchWindow)
  const scatter = Math.max(secondDifferenceScatter(recent), secondDifferenceScatter(averagedLosses))
  const factor = Math.min(longRunFactor(aboutLine(recent), 2), overfittingFactorMax)
  const from = Math.min(earlier ?? Infinity, bestLevel(averagedLosses))
  const limit = from + annealRiseDeviations * factor * scatter
  const isAbove = averagedLosses.slice(-3).map((loss) => loss > limit)
  const to = averagedLosses.at(-1)!
  const isRisen = isAbove.filter(Boolean).length >= overfittingHits && isAbove.at(-1) === true
  return isRisen ? { from, to, standardError: factor * scatter } : null
}

/** Whether the averaged weights are worse now than before the anneal, by the last three probes. */
export function isWorseThanBefore({ before, averagedLosses }: AnnealWatch): boolean {
  if (before === null || averagedLosses.length < annealWatchNeeded) return false
  return mean(averagedLosses.slice(-3)) > before.averaged + 2 * secondDifferenceScatter(averagedLosses)
}

/** By how much averaged losses have fallen since before the anneal, by its last three probes; null = not measured. */
export function averagedFall({ before, averagedLosses, rawLosses }: AnnealWatch): Measured | null {
  if (before === null || rawLosses.length < 3) return null
  const now = averagedLosses.slice(-3)
  const error = secondDifferenceScatter(averagedLosses) * Math.sqrt(1 / now.length + 1 / annealWatchNeeded)
  return { value: before.averaged - mean(now), standardError: error }
}

/** What the anneal has taken off the raw held-out loss so far, by its last three probes; null = not measured. */
export function realisedGain({ before, rawLosses }: AnnealWatch): Measured | null {
  if (before === null || rawLosses.length < 3) return null
  const now = rawLosses.slice(-3)
  const error = secondDifferenceScatter(rawLosses) / Math.sqrt(now.length)
  return { value: before.raw - mean(now), standardError: Math.hypot(error, before.rawError) }
}

/** Whether weights of this loss are better than the kept ones, so that they are worth a checkpoint. */
export const isBetter = (loss: number, kept: KeptWeights | null): boolean =>
  Number.isFinite(loss) && (kept === null || loss < kept.loss)

/**
 * Whether the kept weights are better than the last ones by more than chance. The lowest of many noisy probes lies
 * about two deviations low, so within three the later weights are preferred: those of the lower rate.
 */
export function isBestClear({ best, rawLosses }: AnnealWatch, lastLoss: number): boolean {
  if (best === null) return false
  if (!Number.isFinite(lastLoss)) return true
  return lastLoss - best.loss > annealBestDeviations * secondDifferenceScatter(rawLosses)
}

/** Whether the averaged weights of the lowest level are better than the last ones by more than chance. */
export function isLowestClear(
  lowest: KeptWeights,
  { averagedLosses }: AnnealWatch,
  lastLoss: number,
): boolean {
  if (!Number.isFinite(lastLoss)) return true
  return lastLoss - lowest.loss > lowestDeviations * secondDifferenceScatter(averagedLosses)
}

/** Deviation about a course that is nearly straight, from second differences; fewer than 3 values: 0. */
export function secondDifferenceScatter(values: readonly number[]): number {
  if (values.length < 3) return 0
  let sum = 0
  for (let i = 2; i < values.length; i++) sum += (values[i - 2]! - 2 * values[i - 1]! + values[i]!) ** 2
  return Math.sqrt(sum / (6 * (values.length - 2)))
}
