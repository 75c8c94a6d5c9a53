// PyTorch's ReduceLROnPlateau in mode "min", as a rule over held-out losses: each probe is one "epoch". A probe
// is better if it lies below best·(1 − threshold) ("rel") or best − threshold ("abs"); after more than `patience`
// probes in a row that are not, the rate becomes max(rate·factor, minRate), unless that changes it by eps or less.
// After a lowering, `cooldown` probes count for nothing, though the best goes on being noted.
// Source: torch.optim.lr_scheduler.ReduceLROnPlateau, torch 2.15; defaults are its own.
// NaN and +∞ are never better, as there; −∞, which a loss cannot be, neither (there it would be the best for ever).

import { wholeOption } from '../estimators/options.ts'
import { checkedFactor, checkedRate, type Rival } from './rival.ts'

export type ThresholdMode = 'rel' | 'abs'

export type ReduceOnPlateauOptions = {
  readonly initialRate: number
  readonly factor?: number
  readonly patience?: number
  readonly threshold?: number
  readonly thresholdMode?: ThresholdMode
  readonly cooldown?: number
  readonly minRate?: number
  /** Smallest change of the rate that is made. */
  readonly eps?: number
}

export type ReduceOnPlateauState = {
  readonly options: Required<Omit<ReduceOnPlateauOptions, 'initialRate'>>
  readonly learningRate: number
  /** null = none yet, which is worse than any. */
  readonly best: number | null
  readonly badCount: number
  readonly cooldownLeft: number
  readonly firstLoweredStep: number | null
}

type Comparison = { readonly threshold: number; readonly thresholdMode: ThresholdMode }

/** Whether a loss improves on the best by more than the threshold. */
export function isBetter(
  loss: number,
  best: number | null,
  { threshold, thresholdMode }: Comparison,
): boolean {
  if (!Number.isFinite(loss)) return false
  if (best === null) return true
  return loss < (thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold)
}

export const reduceOnPlateau: Rival<ReduceOnPlateauOptions, ReduceOnPlateauState> = {
  name: 'ReduceLROnPlateau',
  reads: ['heldOutLoss'],
  init: ({
    initialRate,
    factor = 0.1,
    patience = 10,
    threshold = 1e-4,
    thresholdMode = 'rel',
    cooldown = 0,
    minRate = 0,
    eps = 1e-8,
  }) => ({
    options: {
      factor: checkedFactor(factor),
      patience: wholeOption('patience', patience, 0),
      threshold,
      thresholdMode,
      cooldown: wholeOption('cooldown', cooldown, 0),
      minRate,
      eps,
    },
    learningRate: checkedRate(initialRate),
    best: null,
    badCount: 0,
    cooldownLeft: 0,
    firstLoweredStep: null,
  }),
  update(state, observation) {
    if (observation.kind !== 'probe') return state
    const { options } = state
    const isGood = isBetter(observation.heldOutLoss, state.best, options)
    const isCooling = state.cooldownLeft > 0
    const badCount = isGood || isCooling ? 0 : state.badCount + 1
    const next = {
      ...state,
      best: isGood ? observation.heldOutLoss : state.best,
      badCount,
      cooldownLeft: isCooling ? state.cooldownLeft - 1 : 0,
    }
    return badCount > options.patience ? lowered(next, observation.step) : next
  },
  read: ({ learningRate, firstLoweredStep }) => ({ learningRate, firstLoweredStep, isStopped: false }),
}

function lowered(state: ReduceOnPlateauState, step: number): ReduceOnPlateauState {
  const { factor, minRate, eps, cooldown } = state.options
  const rate = Math.max(state.learningRate * factor, minRate)
  const waiting = { ...state, badCount: 0, cooldownLeft: cooldown }
  if (!(state.learningRate - rate > eps)) return waiting
  return { ...waiting, learningRate: rate, firstLoweredStep: state.firstLoweredStep ?? step }
}
