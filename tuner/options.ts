// What follows from a run's options alone: what the job can do, which rates the tuner may set, which it starts from.
// Pure functions of values that never change during a run (but for the mode).

import { familyOf } from '../protocol/optimizers.ts'
import type { Capability, Mode, RunOptions } from '../protocol/vocabulary.ts'

/** What most jobs with such an optimizer use, where the job gives no rate. Chosen: usual defaults; plain SGD without
 *  momentum stands ten times the noise, and an unknown optimizer gets the smallest. */
const usualRates = { sgd: 0.03, adam: 0.001, muon: 0.02, other: 0.001 } as const
const usualRatePlainSgd = 0.1
/** Momentum from which SGD counts as heavy-ball. Chosen. */
const heavyMomentum = 0.5

/** Whether the job follows the tuner's plan: in `approve` mode it does, and changes of the plan wait for a person. */
export const isSteering = (mode: Mode): boolean => mode === 'auto' || mode === 'approve'

/** A log of version 0.1.0 names the optimizer alone. */
export const optimizerFamily = ({ optimizer }: RunOptions): RunOptions['optimizer']['family'] =>
  optimizer.family ?? familyOf(optimizer.name)

/** Whether the job offers everything in the list. */
export function offers(options: RunOptions, ...wanted: readonly Capability[]): boolean {
  return wanted.every((capability) => options.capabilities.includes(capability))
}

/**
 * What the arms of a race are compared by. `averaged`: the held-out loss of averaged weights; `training`: training losses of the
 * same batches at rate 0, after the rate has come down, where nothing is averaged.
 */
export type ArmMeasure = 'averaged' | 'training'

/** Null = there is no race: it needs to go back, and without averaged weights to take the data back as well. */
export function armMeasure(options: RunOptions): ArmMeasure | null {
  if (offers(options, 'checkpoint', 'heldOutLoss', 'averagedWeights')) return 'averaged'
  return offers(options, 'checkpoint', 'rewind') ? 'training' : null
}

/** Whether what annealing gains can ever be known: by averaged weights on held-out data, or by gradient noise. */
export const canJudge = (options: RunOptions): boolean =>
  offers(options, 'heldOutLoss', 'averagedWeights') || offers(options, 'microBatchNorms')

/**
 * The momentum that the plan names; null = the job's own stays (Adam's β₁, or a job that cannot change it). It is the
 * given one throughout: raised in the anneal at the same η/(1 − μ) it ends higher on every quadratic tried, by 0 to
 * 11 % for .9 and 1 to 41 % for .95 (bench/records/2026-11-24-after-the-switch/README.md).
 */
export function momentumOf(options: RunOptions): number | null {
  const given = options.optimizer.momentum ?? null
  return given === null || optimizerFamily(options) !== 'sgd' || !offers(options, 'momentum') ? null : given
}

/** η_eff: η/(1 − μ) under heavy-ball momentum, η itself for every other family. */
export function effectiveRate(options: RunOptions, learningRate: number, momentum: number | null): number {
  if (optimizerFamily(options) !== 'sgd') return learningRate
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

/** What most jobs with this optimizer use. */
export function usualRate(optimizer: RunOptions['optimizer']): number {
  const family = optimizer.family ?? familyOf(optimizer.name)
  const isPlain = family === 'sgd' && (optimizer.momentum ?? 0) < heavyMomentum
  return isPlain ? usualRatePlainSgd : usualRates[family]
}

/** The rate to start from: the job's own, else the usual one, within the limits. Without a measurement never more. */
export const givenRate = (options: RunOptions): number =>
  clampedRate(options, options.learningRate.initial ?? usualRate(options.optimizer))
