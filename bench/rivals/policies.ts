// The rivals as steering: `createPolicy(name, …)` is told each step's loss and each held-out loss and says which rate
// the next step takes. Nothing is decided here: each policy folds what it is told through the same rule that its
// reference test checks and, where a decision record cites it, that the tuner folds.

import { fixedCooldown } from '../../tuner/rivals/fixedCooldown.ts'
import { greedyLimits, greedyLR } from '../../tuner/rivals/greedyLR.ts'
import { reduceOnPlateau } from '../../tuner/rivals/reduceOnPlateau.ts'
import type { Rival, RivalInput, RivalObservation, RivalReading } from '../../tuner/rivals/rival.ts'
import { cosineFromStart, randomSwitch } from './schedules.ts'

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
  /** The rate of a step, the next one to be taken. */
  rateFor(step: number): number
  /** A step was taken: its training loss, and ‖w‖² after it where `reads` asks for it. */
  observeLoss(step: number, loss: number, weightNormSquared?: number | null): void
  /** A held-out loss after `step` steps. */
  observeProbe(step: number, heldOutLoss: number): void
}

type Fold = {
  readonly reads: readonly RivalInput[]
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
