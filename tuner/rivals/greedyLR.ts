// Hugging Face's GreedyLR in mode "min": the rate is divided by `factor` after more than `patience` improvements in
// a row and multiplied by it after more than `patience` losses in a row without one. An improvement lies below
// best − threshold. After a raise `warmup`, after a lowering `cooldown` losses count for nothing. Asked for so many
// lowerings at the least rate, the rule begins anew at its first rate with nothing remembered.
// Source: transformers.optimization.GreedyLR, transformers 5.23 (arXiv 2512.14527); defaults are its own. Its
// Trainer feeds it the evaluation loss at each evaluation, so it reads held-out losses here ("heldOut"); the paper's
// algorithm goes by the current loss of each step ("loss"). NaN is never better, as there. O(1), with smoothing
// O(windowSize).

import { wholeOption } from '../estimators/options.ts'
import { isBetter, type ThresholdMode } from './reduceOnPlateau.ts'
import { checkedFactor, checkedRate, type Rival } from './rival.ts'

export type GreedyLROptions = {
  readonly initialRate: number
  readonly watches?: 'heldOut' | 'loss'
  readonly factor?: number
  readonly patience?: number
  readonly threshold?: number
  readonly thresholdMode?: ThresholdMode
  readonly cooldown?: number
  readonly warmup?: number
  readonly minRate?: number
  readonly maxRate?: number
  readonly eps?: number
  /** Mean of the last `windowSize` losses in place of each; 0 = off. */
  readonly windowSize?: number
  readonly resetStart?: number
}

export type GreedyLRState = {
  readonly options: Required<GreedyLROptions>
  readonly learningRate: number
  readonly best: number | null
  readonly badCount: number
  readonly goodCount: number
  readonly cooldownLeft: number
  readonly warmupLeft: number
  readonly resetLeft: number
  /** The last losses and their running sum, kept as the reference does; only with smoothing. */
  readonly window: readonly number[]
  readonly windowSum: number
  readonly firstLoweredStep: number | null
}

/**
 * The published floor and ceiling, .001 and 1, where they leave a rule at this rate room to lower it, else a tenth of
 * the rate and ten times it: at the rates of Adam the published floor would turn every lowering into none.
 */
export const greedyLimits = (initialRate: number): { minRate: number; maxRate: number } => ({
  minRate: Math.min(1e-3, initialRate / 10),
  maxRate: Math.max(initialRate, initialRate > 1e-3 ? 1 : 10 * initialRate),
})

export const greedyLR: Rival<GreedyLROptions, GreedyLRState> = {
  name: 'GreedyLR',
  reads: ['heldOutLoss', 'loss'],
  init(given) {
    const options = {
      watches: 'heldOut' as const,
      factor: 0.95,
      patience: 10,
      threshold: 1e-6,
      thresholdMode: 'abs' as const,
      cooldown: 0,
      warmup: 0,
      minRate: 1e-3,
      maxRate: 1,
      eps: 1e-8,
      windowSize: 0,
      resetStart: 500,
      ...given,
    }
    checkedRate(options.initialRate)
    checkedFactor(options.factor)
    for (const name of ['patience', 'cooldown', 'warmup', 'windowSize', 'resetStart'] as const)
      wholeOption(name, options[name], 0)
    return { ...begun(options), firstLoweredStep: null }
  },
  update(state, observation) {
    const { watches } = state.options
    if (observation.kind === 'probe')
      return watches === 'heldOut' ? watched(state, observation.heldOutLoss, observation.step) : state
    return watches === 'loss' ? watched(state, observation.loss, observation.step + 1) : state
  },
  read: ({ learningRate, firstLoweredStep }) => ({ learningRate, firstLoweredStep, isStopped: false }),
}

const begun = (options: Required<GreedyLROptions>): Omit<GreedyLRState, 'firstLoweredStep'> => ({
  options,
  learningRate: options.initialRate,
  best: null,
  badCount: 0,
  goodCount: 0,
  cooldownLeft: 0,
  warmupLeft: 0,
  resetLeft: options.resetStart,
  window: [],
  windowSum: 0,
})

/** `step`: the first that a change would hold for. */
function watched(before: GreedyLRState, given: number, step: number): GreedyLRState {
  const state = before.options.windowSize === 0 ? before : withLoss(before, given)
  const loss = state === before ? given : state.windowSum / state.window.length
  const still = { ...state, badCount: 0, goodCount: 0 }
  if (state.cooldownLeft > 0) return { ...still, cooldownLeft: state.cooldownLeft - 1 }
  if (state.warmupLeft > 0) return { ...still, warmupLeft: state.warmupLeft - 1 }
  const { patience, warmup, cooldown } = state.options
  if (isBetter(loss, state.best, state.options)) {
    const next = { ...state, best: loss, badCount: 0, goodCount: state.goodCount + 1 }
    return next.goodCount > patience ? { ...raised(next), warmupLeft: warmup, goodCount: 0 } : next
  }
  const next = { ...state, badCount: state.badCount + 1, goodCount: 0 }
  if (next.badCount <= patience) return next
  // The cooldown begins even where the lowering made the rule begin anew, as in the reference.
  return { ...lowered(next, step), cooldownLeft: cooldown, badCount: 0 }
}

/** The window after one more loss. A loss that is not finite stays in the sum for ever, as in the reference. */
function withLoss(state: GreedyLRState, loss: number): GreedyLRState {
  const window = [...state.window, loss]
  let windowSum = state.windowSum + loss
  if (window.length > state.options.windowSize) windowSum -= window.shift()!
  return { ...state, window, windowSum }
}

function raised(state: GreedyLRState): GreedyLRState {
  const { factor, maxRate, eps, resetStart } = state.options
  const rate = Math.min(state.learningRate / factor, maxRate)
  const learningRate = rate - state.learningRate > eps ? rate : state.learningRate
  return { ...state, learningRate, resetLeft: resetStart }
}

function lowered(state: GreedyLRState, step: number): GreedyLRState {
  const { factor, minRate, eps } = state.options
  const rate = Math.max(state.learningRate * factor, minRate)
  const isLower = state.learningRate - rate > eps
  const learningRate = isLower ? rate : state.learningRate
  const firstLoweredStep = state.firstLoweredStep ?? (isLower ? step : null)
  const next = { ...state, learningRate, firstLoweredStep }
  if (learningRate > minRate) return next
  if (state.resetLeft > 1) return { ...next, resetLeft: state.resetLeft - 1 }
  return { ...begun(state.options), firstLoweredStep }
}
