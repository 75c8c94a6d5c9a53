// Rules that watch nothing and that only the bench compares with: cosine from the start (Loshchilov & Hutter 2017,
// one cycle without restarts) and a linear anneal from a random step on, the dummy that any rule has to beat.
// Both read nothing; the random step is uniform from 10 % of the budget to our deadline.

import { segmentRate } from '../../protocol/plan.ts'
import { deadlineShare } from '../../tuner/plan/bounds.ts'
import { type FixedCooldownState, fixedCooldown } from '../../tuner/rivals/fixedCooldown.ts'
import { checkedRate, type Rival } from '../../tuner/rivals/rival.ts'
import { random } from '../../tuner/testing/random.ts'

type BudgetOptions = { readonly initialRate: number; readonly budgetSteps: number }

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
