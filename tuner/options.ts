// What follows from a run's options alone: which momenta the tuner sets, which rates it may set, how long a
// race segment is. Pure functions of values that never change during a run (but for the budget).

import type { Capability, Mode, RunOptions } from '../protocol/vocabulary.ts'
import {
  conservativeRateAdam,
  conservativeRateSgd,
  nominalBudgetSteps,
  raceSegmentShare,
  raceSegmentStepsMax,
  raceSegmentStepsMin,
  usualRateAdam,
  usualRateSgd,
} from './constants.ts'

/** Whether the job follows the tuner's plan: in `approve` mode it does, and changes of the plan wait for a person. */
export const isSteering = (mode: Mode): boolean => mode === 'auto' || mode === 'approve'

export const isAdam = (options: RunOptions): boolean => /adam/i.test(options.optimizer.name)

/** Whether the job offers everything in the list. */
export function offers(options: RunOptions, ...wanted: readonly Capability[]): boolean {
  return wanted.every((capability) => options.capabilities.includes(capability))
}

/** A race needs to go back, to know averaged weights, and a loss that is not the minibatch's own. */
export const canRace = (options: RunOptions): boolean =>
  offers(options, 'checkpoint', 'heldOutLoss', 'averagedWeights')

/**
 * The momentum that the plan names; null = the job's own stays (Adam's β₁, or a job that cannot change it). It is the
 * given one throughout: raised in the anneal at the same η/(1 − μ) it ends higher on every quadratic tried, by 0 to
 * 11 % for .9 and 1 to 41 % for .95 (bench/records/2026-11-24-after-the-switch/README.md).
 */
export function momentumOf(options: RunOptions): number | null {
  const given = options.optimizer.momentum ?? null
  return given === null || isAdam(options) || !offers(options, 'momentum') ? null : given
}

/** η_eff: η/(1 − μ) under heavy-ball momentum, η itself for Adam. */
export function effectiveRate(options: RunOptions, learningRate: number, momentum: number | null): number {
  if (isAdam(options)) return learningRate
  const mu = momentum ?? options.optimizer.momentum ?? 0
  return learningRate / (1 - mu)
}

/** Bounds of every rate that the tuner sets: the job's, or none. */
export function rateBounds(options: RunOptions): { readonly min: number; readonly max: number } {
  const { min, max } = options.learningRate
  return { min: min ?? 0, max: max ?? Number.MAX_VALUE }
}

export function clampedRate(options: RunOptions, rate: number): number {
  const { min, max } = rateBounds(options)
  return Math.min(Math.max(rate, min), max)
}

/** The rate to go on with where nothing was measured, named as such in the record. */
export function conservativeRate(options: RunOptions): number {
  return clampedRate(
    options,
    options.learningRate.initial ?? (isAdam(options) ? conservativeRateAdam : conservativeRateSgd),
  )
}

/** The budget, or what stands for it where lengths in shares of it are needed. */
export const nominalBudget = (budgetSteps: number | null): number => budgetSteps ?? nominalBudgetSteps

/**
 * Length of a race's arm: a small share of the budget within bounds in steps, and four blocks. The upper bound is in steps
 * because a long budget must not change what happens early.
 */
export function segmentSteps(budgetSteps: number | null): number {
  const wanted = raceSegmentShare * nominalBudget(budgetSteps)
  return 4 * Math.round(Math.min(Math.max(wanted, raceSegmentStepsMin), raceSegmentStepsMax) / 4)
}

/** What most jobs with such an optimizer use. */
export const usualRate = (options: RunOptions): number => (isAdam(options) ? usualRateAdam : usualRateSgd)
