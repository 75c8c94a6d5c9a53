// ABEL ("automatic, bouncing into equilibration, learning rate scheduler"): once a period the weights' norm is looked
// at; a change of direction of its course is an extremum. Its first extremum, the minimum of a bounce, is only noted;
// the second one lowers the rate and the count starts again. One more lowering comes close to the end of training.
// Source: Lewkowycz 2021, "How to decay your learning rate" (arXiv 2103.12682), algorithm 1, with periods of one
// epoch. No reference package can be installed; cases made by hand stand in for one. What the paper leaves to its
// user is chosen here: factor .1, last lowering at 85 % of the budget, a period of 3 % of it, as far apart as the
// tuner's own probes. A norm that is missing or not finite is left out. Cost: O(1).

import { wholeOption } from '../../tuner/estimators/estimator.ts'
import { checkedFactor, checkedRate, type Rival } from '../../tuner/rivals/rival.ts'

export type AbelOptions = {
  readonly initialRate: number
  readonly budgetSteps: number
  readonly periodSteps?: number
  readonly factor?: number
  /** Share of the budget after which the rate is lowered one last time. */
  readonly lastShare?: number
}

export type AbelState = {
  readonly options: { readonly factor: number; readonly lastStep: number; readonly periodSteps: number }
  readonly learningRate: number
  /** Norms at the ends of the last two periods, newest last. */
  readonly norms: readonly number[]
  readonly hasMinimum: boolean
  readonly firstLoweredStep: number | null
}

export const abel: Rival<AbelOptions, AbelState> = {
  name: 'ABEL',
  reads: ['weightNormSquared'],
  init({
    initialRate,
    budgetSteps,
    periodSteps = Math.ceil(0.03 * budgetSteps),
    factor = 0.1,
    lastShare = 0.85,
  }) {
    if (!(lastShare > 0 && lastShare <= 1))
      throw new RangeError(`lastShare must be in (0, 1], got ${lastShare}`)
    return {
      options: {
        factor: checkedFactor(factor),
        lastStep: Math.round(lastShare * wholeOption('budgetSteps', budgetSteps, 1)),
        periodSteps: wholeOption('periodSteps', periodSteps, 1),
      },
      learningRate: checkedRate(initialRate),
      norms: [],
      hasMinimum: false,
      firstLoweredStep: null,
    }
  },
  update(state, observation) {
    if (observation.kind !== 'step') return state
    const { periodSteps, lastStep } = state.options
    const count = observation.step + 1
    const last = count === lastStep ? lowered(state, count) : state
    const normSquared = observation.weightNormSquared
    if (count % periodSteps !== 0 || normSquared === null || !Number.isFinite(normSquared)) return last
    return withNorm(last, Math.sqrt(normSquared), count)
  },
  read: ({ learningRate, firstLoweredStep }) => ({ learningRate, firstLoweredStep, isStopped: false }),
}

function withNorm(state: AbelState, norm: number, step: number): AbelState {
  const [before, last] = state.norms
  const next = { ...state, norms: [...state.norms, norm].slice(-2) }
  if (before === undefined || last === undefined || (norm - last) * (last - before) >= 0) return next
  return state.hasMinimum ? lowered({ ...next, hasMinimum: false }, step) : { ...next, hasMinimum: true }
}

const lowered = (state: AbelState, step: number): AbelState => ({
  ...state,
  learningRate: state.options.factor * state.learningRate,
  firstLoweredStep: state.firstLoweredStep ?? step,
})
