// PyTorch's ReduceLROnPlateau in mode "min", as a rule over held-out losses: each probe is one "epoch". A probe
// is better if it lies below best·(1 − threshold); after more than `patience` probes in a row that are not, the rate is
// multiplied by `factor`, unless that changes it by eps or less.
// Source: torch.optim.lr_scheduler.ReduceLROnPlateau, torch 2.15; threshold (relative), eps and defaults are its own. Left
// out are its cooldown and least rate, which are off by default.
// NaN and +∞ are never better, as there; −∞, which a loss cannot be, neither (there it would be the best for ever).

import { wholeOption } from '../estimators/estimator.ts'
import { checkedFactor, checkedRate, type Rival } from './rival.ts'

type Options = { readonly factor: number; readonly patience: number }
export type ReduceOnPlateauState = {
  readonly options: Options
  readonly learningRate: number
  /** null = none yet, which is worse than any. */
  readonly best: number | null
  readonly badCount: number
  readonly firstLoweredStep: number | null
}

const threshold = 1e-4
/** Smallest change of the rate that is made. */
const eps = 1e-8

export const reduceOnPlateau: Rival<
  Partial<Options> & { readonly initialRate: number },
  ReduceOnPlateauState
> = {
  name: 'ReduceLROnPlateau',
  reads: ['heldOutLoss'],
  init: ({ initialRate, factor = 0.1, patience = 10 }) => ({
    options: { factor: checkedFactor(factor), patience: wholeOption('patience', patience, 0) },
    learningRate: checkedRate(initialRate),
    best: null,
    badCount: 0,
    firstLoweredStep: null,
  }),
  update(state, observation) {
    if (observation.kind !== 'probe') return state
    const { heldOutLoss: loss, step } = observation
    const { factor, patience } = state.options
    const isBetter = Number.isFinite(loss) && (state.best === null || loss < state.best * (1 - threshold))
    if (isBetter) return { ...state, best: loss, badCount: 0 }
    if (state.badCount < patience) return { ...state, badCount: state.badCount + 1 }
    const rate = state.learningRate * factor
    if (!(state.learningRate - rate > eps)) return { ...state, badCount: 0 }
    return { ...state, badCount: 0, learningRate: rate, firstLoweredStep: state.firstLoweredStep ?? step }
  },
  read: ({ learningRate, firstLoweredStep }) => ({ learningRate, firstLoweredStep, isStopped: false }),
}
