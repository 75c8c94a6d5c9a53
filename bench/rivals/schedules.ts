// Rules that watch nothing and that only the bench compares with: a constant rate with a linear anneal to 0 over a fixed share
// of the budget, as most jobs use it (Hu et al. 2024, MiniCPM; Hägele et al. 2024: cooldowns of 10 to 20 %; a share of 1 is
// "linear from the start", of 0 a constant rate; the last step is still taken with a positive rate), cosine from the
// start (Loshchilov & Hutter 2017, one cycle without restarts), and a linear anneal from a random step on, the dummy that
// any rule has to beat. The random step is uniform from 10 % of the budget to our deadline.

import { segmentRate } from '../../protocol/plan.ts'
import { wholeOption } from '../../tuner/estimators/estimator.ts'
import { deadlineShare } from '../../tuner/plan/bounds.ts'
import { cooldownStep } from '../../tuner/rivals/counterfactuals.ts'
import { checkedRate, type Rival } from '../../tuner/rivals/rival.ts'
import { random } from '../../tuner/testing/random.ts'

type BudgetOptions = { readonly initialRate: number; readonly budgetSteps: number }
/** `share` of the budget that the anneal takes, from 0 to 1. */
type FixedCooldownState = BudgetOptions & { readonly share: number }

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

export const cosineFromStart: Rival<BudgetOptions, BudgetOptions> = {
  name: 'cosine',
  reads: [],
  init: ({ initialRate, budgetSteps }) => ({ initialRate: checkedRate(initialRate), budgetSteps }),
  update: (state) => state,
  read: ({ initialRate, budgetSteps }, step) => ({
    learningRate: segmentRate(
      { fromStep: 0, toStep: budgetSteps, shape: 'cosine', from: initialRate, to: 0, phase: 'anneal' },
      step,
    ),
    firstLoweredStep: step > 0 ? 1 : null,
    isStopped: false,
  }),
}

export const randomSwitch: Rival<BudgetOptions & { readonly seed: number }, FixedCooldownState> = {
  name: 'random switch',
  reads: [],
  init({ initialRate, budgetSteps, seed }) {
    const share = 1 - deadlineShare + (2 * deadlineShare - 1) * random(seed)()
    return fixedCooldown.init({ initialRate, budgetSteps, share })
  },
  update: fixedCooldown.update,
  read: fixedCooldown.read,
}
