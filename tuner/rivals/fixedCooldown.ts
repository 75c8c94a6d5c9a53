// The schedule that most jobs use: a constant rate, then a linear anneal to 0 over a fixed share of the budget,
// whatever the run does. A share of 1 is "linear from the start", a share of 0 a constant rate. Reads nothing.
// The anneal starts at step T − round(share·T); the rates are those of a plan's linear segment, so the last
// step is still taken with a positive rate.
// Source: Hu et al. 2024 (MiniCPM, "warmup-stable-decay"), Hägele et al. 2024 (cooldowns of 10 to 20 %).

import { segmentRate } from '../../protocol/plan.ts'
import { wholeOption } from '../estimators/estimator.ts'
import { checkedRate, type Rival } from './rival.ts'

export type FixedCooldownState = {
  readonly initialRate: number
  readonly budgetSteps: number
  /** Share of the budget that the anneal takes, from 0 to 1. */
  readonly share: number
}

/** First step of an anneal over the last `share` of the budget. */
export const cooldownStep = (budgetSteps: number, share: number): number =>
  budgetSteps - Math.round(share * budgetSteps)

export const fixedCooldown: Rival<FixedCooldownState, FixedCooldownState> = {
  name: 'fixed cooldown',
  reads: [],
  init({ initialRate, budgetSteps, share }) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`share must be from 0 to 1, got ${share}`)
    return {
      initialRate: checkedRate(initialRate),
      budgetSteps: wholeOption('budgetSteps', budgetSteps, 1),
      share,
    }
  },
  update: (state) => state,
  read({ initialRate, budgetSteps, share }, step) {
    const fromStep = cooldownStep(budgetSteps, share)
    const isAnnealing = fromStep < budgetSteps && step >= fromStep
    const segment = { fromStep, toStep: budgetSteps, shape: 'linear' as const, from: initialRate, to: 0 }
    return {
      learningRate: isAnnealing ? segmentRate({ ...segment, phase: 'anneal' }, step) : initialRate,
      firstLoweredStep: isAnnealing ? fromStep : null,
      isStopped: false,
    }
  },
}
