// The rivals as steering: `createPolicy(name, …)` is told each step's loss and each held-out loss and says which rate
// the next step takes. Nothing is decided here: each policy folds what it is told through the same rule that its
// reference test checks and, where a decision record cites it, that the tuner folds.

import { dlibSlope } from '../../tuner/rivals/dlibSlope.ts'
import { greedyLimits, greedyLR } from '../../tuner/rivals/greedyLR.ts'
import { reduceOnPlateau } from '../../tuner/rivals/reduceOnPlateau.ts'
import type { Rival, RivalInput, RivalObservation, RivalReading } from '../../tuner/rivals/rival.ts'
import { abel } from './abel.ts'
import { sasa } from './sasa.ts'
import { cosineFromStart, fixedCooldown, randomSwitch } from './schedules.ts'
import { type TrialSearch, trialSearch } from './trials.ts'

export type PolicyOptions = {
  readonly initialRate: number
  readonly budgetSteps: number
  /** For the policies that draw lots. */
  readonly seed: number
}

export type Policy = {
  readonly name: string
  /** What has to be measured and told. */
  readonly reads: readonly RivalInput[]
  /** The weights of the best held-out loss are the run's result, not the last ones. */
  readonly keepsBest: boolean
  readonly isStopped: boolean
  readonly firstLoweredStep: number | null
  /** A policy that tries rates itself: before each step it has to be asked whether trials are due. */
  readonly trials?: TrialSearch
  /** The rate of a step, the next one to be taken. */
  rateFor(step: number): number
  /** A step was taken: its training loss, and ‖w‖² after it where `reads` asks for it. */
  observeLoss(step: number, loss: number, weightNormSquared?: number | null): void
  /** A held-out loss after `step` steps. */
  observeProbe(step: number, heldOutLoss: number): void
}

type Fold = {
  readonly reads: readonly RivalInput[]
  readonly trials?: TrialSearch
  update(observation: RivalObservation): void
  read(step: number): RivalReading
}

function folded<Options, State>(rival: Rival<Options, State>, options: Options, reads = rival.reads): Fold {
  let state = rival.init(options)
  return {
    reads,
    update: (observation) => {
      state = rival.update(state, observation)
    },
    read: (step) => rival.read(state, step),
  }
}

/** A policy whose rate is what its last trials chose. */
function searching(trials: TrialSearch): Fold {
  return {
    reads: [],
    trials,
    update: () => undefined,
    read: () => ({ learningRate: trials.learningRate, firstLoweredStep: null, isStopped: false }),
  }
}

const cooldown = (share: number) => (options: PolicyOptions) => folded(fixedCooldown, { ...options, share })
const greedy = (watches: 'heldOut' | 'loss') => (options: PolicyOptions) => {
  const { initialRate } = options
  return folded(greedyLR, { initialRate, watches, ...greedyLimits(initialRate) }, [
    watches === 'heldOut' ? 'heldOutLoss' : 'loss',
  ])
}
const plateau = ({ initialRate }: PolicyOptions) => folded(reduceOnPlateau, { initialRate })

const policies = {
  constant: cooldown(0),
  linear: cooldown(1),
  cosine: (options) => folded(cosineFromStart, options),
  'fixed 10 %': cooldown(0.1),
  'fixed 20 %': cooldown(0.2),
  'fixed 45 %': cooldown(0.45),
  'fixed 60 %': cooldown(0.6),
  'fixed 80 %': cooldown(0.8),
  'random switch': (options) => folded(randomSwitch, options),
  ReduceLROnPlateau: plateau,
  'ReduceLROnPlateau, best kept': plateau,
  /** Patience and factor for a few dozen validations, as people set them; the defaults are for hundreds of epochs. */
  'ReduceLROnPlateau, patience 2': ({ initialRate }) =>
    folded(reduceOnPlateau, { initialRate, patience: 2, factor: 0.5 }),
  /** As the Trainer of transformers steps it: by each held-out loss. */
  GreedyLR: greedy('heldOut'),
  /** As its paper's algorithm: by the training loss of each step. */
  'GreedyLR, per step': greedy('loss'),
  'dlib slope': ({ initialRate }) => folded(dlibSlope, { initialRate }),
  /** Its window of 2,000 losses, which many runs here never fill, scaled to a tenth of the budget. */
  'dlib slope, short': ({ initialRate, budgetSteps }) => {
    const threshold = Math.max(50, Math.round(budgetSteps / 10))
    return folded(dlibSlope, { initialRate, threshold, dumpAmount: Math.round(threshold / 5) })
  },
  'SASA+': ({ initialRate }) => folded(sasa, { initialRate }),
  /** The fewest values that the package allows, by the paper's variance: the defaults ask for 8,000 steps. */
  'SASA+, short': ({ initialRate, budgetSteps }) =>
    folded(sasa, {
      initialRate,
      countMin: 100,
      warmup: Math.round(budgetSteps / 10),
      testSteps: Math.max(1, Math.round(budgetSteps / 100)),
      variance: 'batchMeans',
    }),
  ABEL: ({ initialRate, budgetSteps }) => folded(abel, { initialRate, budgetSteps }),
  'AutoLRS-like': (options) => searching(trialSearch(options)),
} as const satisfies Readonly<Record<string, (options: PolicyOptions) => Fold>>

export type PolicyName = keyof typeof policies
export const policyNames = Object.keys(policies) as readonly PolicyName[]

/** @throws RangeError for options out of range. */
export function createPolicy(name: PolicyName, options: PolicyOptions): Policy {
  const fold = policies[name](options)
  let nextStep = 0
  return {
    name,
    reads: fold.reads,
    ...(fold.trials === undefined ? {} : { trials: fold.trials }),
    keepsBest: name === 'ReduceLROnPlateau, best kept',
    get isStopped() {
      return fold.read(nextStep).isStopped
    },
    get firstLoweredStep() {
      return fold.read(nextStep).firstLoweredStep
    },
    rateFor(step) {
      nextStep = step
      return fold.read(step).learningRate
    },
    observeLoss: (step, loss, weightNormSquared = null) =>
      fold.update({ kind: 'step', step, loss, weightNormSquared }),
    observeProbe: (step, heldOutLoss) => fold.update({ kind: 'probe', step, heldOutLoss }),
  }
}
