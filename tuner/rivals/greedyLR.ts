// Hugging Face's GreedyLR in mode "min": the rate is divided by `factor` after more than `patience` improvements in
// a row and multiplied by it after more than `patience` losses in a row without one. An improvement lies below
// best − threshold. Asked for 500 lowerings at the least rate, the rule begins anew at its first rate with nothing remembered.
// Source: transformers.optimization.GreedyLR, transformers 5.23 (arXiv 2512.14527); threshold, eps and defaults are its
// own. Left out are its smoothing, cooldown and warm-up, which are off by default. Its Trainer feeds it the evaluation loss
// at each evaluation, so it reads held-out losses here ("heldOut"); the paper's algorithm goes by the current loss of each
// step ("loss"). NaN is never better, as there. O(1).

import { wholeOption } from '../estimators/estimator.ts'
import { checkedFactor, checkedRate, type Rival } from './rival.ts'

type Options = {
  readonly initialRate: number
  readonly watches: 'heldOut' | 'loss'
  readonly factor: number
  readonly patience: number
  readonly minRate: number
  readonly maxRate: number
}
export type GreedyLRState = {
  readonly options: Options
  readonly learningRate: number
  readonly best: number | null
  readonly badCount: number
  readonly goodCount: number
  readonly resetLeft: number
  readonly firstLoweredStep: number | null
}

const threshold = 1e-6
const eps = 1e-8
const resetStart = 500

/**
 * The published floor and ceiling, .001 and 1, where they leave a rule at this rate room to lower it, else a tenth of
 * the rate and ten times it: at the rates of Adam the published floor would turn every lowering into none.
 */
export const greedyLimits = (initialRate: number): { minRate: number; maxRate: number } => ({
  minRate: Math.min(1e-3, initialRate / 10),
  maxRate: Math.max(initialRate, initialRate > 1e-3 ? 1 : 10 * initialRate),
})

const begun = (options: Options): GreedyLRState => ({
  options,
  learningRate: checkedRate(options.initialRate),
  best: null,
  badCount: 0,
  goodCount: 0,
  resetLeft: resetStart,
  firstLoweredStep: null,
})

export const greedyLR: Rival<Partial<Options> & { readonly initialRate: number }, GreedyLRState> = {
  name: 'GreedyLR',
  reads: ['heldOutLoss', 'loss'],
  init({ initialRate, watches = 'heldOut', factor = 0.95, patience = 10, minRate = 1e-3, maxRate = 1 }) {
    checkedFactor(factor)
    return begun({
      initialRate,
      watches,
      factor,
      patience: wholeOption('patience', patience, 0),
      minRate,
      maxRate,
    })
  },
  update(state, observation) {
    const { watches } = state.options
    if (observation.kind === 'probe')
      return watches === 'heldOut' ? watched(state, observation.heldOutLoss, observation.step) : state
    return watches === 'loss' ? watched(state, observation.loss, observation.step + 1) : state
  },
  read: ({ learningRate, firstLoweredStep }) => ({ learningRate, firstLoweredStep, isStopped: false }),
}

/** `step`: the first that a change would hold for. */
function watched(state: GreedyLRState, loss: number, step: number): GreedyLRState {
  const { patience } = state.options
  if (Number.isFinite(loss) && (state.best === null || loss < state.best - threshold)) {
    const next = { ...state, best: loss, badCount: 0, goodCount: state.goodCount + 1 }
    return next.goodCount > patience ? raised(next) : next
  }
  const next = { ...state, badCount: state.badCount + 1, goodCount: 0 }
  return next.badCount > patience ? lowered(next, step) : next
}

function raised(state: GreedyLRState): GreedyLRState {
  const { factor, maxRate } = state.options
  const rate = Math.min(state.learningRate / factor, maxRate)
  const learningRate = rate - state.learningRate > eps ? rate : state.learningRate
  return { ...state, learningRate, goodCount: 0, resetLeft: resetStart }
}

function lowered(state: GreedyLRState, step: number): GreedyLRState {
  const { factor, minRate } = state.options
  const rate = Math.max(state.learningRate * factor, minRate)
  const isLower = state.learningRate - rate > eps
  const learningRate = isLower ? rate : state.learningRate
  const firstLoweredStep = state.firstLoweredStep ?? (isLower ? step : null)
  if (learningRate > minRate) return { ...state, learningRate, firstLoweredStep, badCount: 0 }
  return state.resetLeft > 1
    ? { ...state, learningRate, firstLoweredStep, badCount: 0, resetLeft: state.resetLeft - 1 }
    : { ...begun(state.options), firstLoweredStep }
}
