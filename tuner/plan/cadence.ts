// How often the job measures, in the large phase and in the anneal. The distance of valley probes grows with the
// steps so far and not with the budget: what happens early in a run must not depend on how long it is meant to
// be, or a budget far beyond what the data carries sees overfitting too late. Probes at a distance c·t are spread
// evenly in log t, as the valley's power law wants them. c is the smallest that the probes' share of the time
// allows. Distances are taken from a short list (20, 30, 40, 60, 80, 120, 160, 320, …), because a job probes at multiples
// of the distance, and one that wanders would make probes fall close together. Beyond `valleyStepsMax` it does wander,
// as it holds the share of time there, so those are doublings: multiples of one another.

import type { Cadence } from '../../protocol/vocabulary.ts'
import {
  averagingStepsMin,
  lineProbeStride,
  lineProbesFirst,
  microBatchSteps,
  microBatchStrideMax,
  noiseBlocksFirst,
  probeShareGoal,
  probeShareGoalShort,
  shortBudgetSteps,
  signalShareGoal,
  valleyElapsedShare,
  valleyElapsedShareMax,
  valleyShareMax,
  valleyStepsMax,
  valleyStepsMin,
  valleyStepsWithoutBudget,
} from '../constants.ts'
import { blockSteps } from '../estimators/blocks.ts'
import { cost } from '../estimators/cost.ts'
import { offers } from '../options.ts'
import type { RaceState } from '../phases/search/race.ts'
import type { TunerState } from '../state.ts'

export function cadenceOf(state: TunerState): Cadence | null {
  const { options, budgetSteps, phase, signals, warmup } = state
  const isSteered = phase === 'large' || phase === 'anneal'
  const distance = isSteered ? probeDistance(state) : null
  const block = warmup?.kind === 'race' ? raceBlockSteps(warmup.race) : averagingSteps(budgetSteps, distance)
  const hasNorms = isSteered && offers(options, 'microBatchNorms')
  // Curvature changes more slowly than the loss, and costs as much to measure; but the gain of annealing rests on
  // it, so the first ones come with the first valley probes.
  const stride = signals.curvature.count < lineProbesFirst ? 1 : lineProbeStride
  return {
    blockSteps: block,
    valleySteps: offers(options, 'heldOutLoss') ? distance : null,
    lineSteps: distance !== null && offers(options, 'lineProbe') ? stride * distance : null,
    microBatchSteps: hasNorms ? microBatchDistance(state, block) : null,
  }
}

/** Steps between two evaluations of the switch rule; 0 = there is nothing to evaluate but the loss. */
export function evaluationDistance(state: TunerState): number {
  if (offers(state.options, 'heldOutLoss')) return cadenceOf(state)?.valleySteps ?? 0
  if (!offers(state.options, 'microBatchNorms')) return 0
  // Means of three blocks of the training loss stand in for probes, at the ends of blocks.
  const { blockSteps: block } = state.signals.lossBlocks
  return block * Math.max(3, Math.ceil(probeDistance(state) / block))
}

/** Length of an averaging block: at least one new block between two probes, or both would see the same average. */
function averagingSteps(budgetSteps: number | null, distance: number | null): number {
  const longest = blockSteps(budgetSteps)
  if (budgetSteps === null || distance === null) return longest
  return Math.min(longest, Math.max(averagingStepsMin, Math.floor(distance / 2)))
}

/** In a race averages end with the arm: over its last quarter, its second half, or all of it. */
const raceBlockSteps = ({ segmentSteps }: RaceState): number => Math.max(1, Math.round(segmentSteps / 4))

/**
 * Norms of micro-batches come more rarely once trΣ is known and signals take more than their share of the time: not at all
 * more rarely up to the goal, `microBatchStrideMax` times at twice the goal. In the anneal, where nothing is decided by them,
 * they come as rarely.
 */
function microBatchDistance({ signals, phase }: TunerState, block: number): number {
  const shortest = Math.max(microBatchSteps, block)
  if (phase === 'anneal') return shortest * microBatchStrideMax
  if (signals.noise.trace.length < noiseBlocksFirst) return shortest
  const excess = (cost.read(signals.cost).signalShare ?? 0) / signalShareGoal - 1
  const stride = Math.min(Math.max(Math.ceil(microBatchStrideMax * excess), 1), microBatchStrideMax)
  return shortest * stride
}

function probeDistance(state: TunerState): number {
  const { budgetSteps, step } = state
  if (budgetSteps === null) return valleyStepsWithoutBudget
  const left = affordableProbes(state, budgetSteps)
  const stepsLeft = Math.max(0, budgetSteps - step)
  // Evenly in log t to the end: n probes from t to T are ln(T/t)/n apart.
  const wanted = stepsLeft === 0 || left <= 0 ? Infinity : Math.log(budgetSteps / Math.max(1, step)) / left
  const share = Math.min(Math.max(wanted, valleyElapsedShare), valleyElapsedShareMax)
  // Late in a long run the distance would grow beyond what is affordable anyway.
  const longest = left <= 0 ? Infinity : stepsLeft / left
  const most = Math.max(valleyStepsMax, Math.min(longest, valleyShareMax * budgetSteps))
  return listedDistance(Math.min(share * step, most))
}

/** Valley probes, each with its part of a line probe, that the rest of the run has time for; Infinity = not known. */
function affordableProbes({ signals, step }: TunerState, budgetSteps: number): number {
  const { probeSecondsMean, cost: spent } = signals
  if (probeSecondsMean === null || spent.step <= 0) return Infinity
  const goal = budgetSteps < shortBudgetSteps ? probeShareGoalShort : probeShareGoal
  // By the mean of all steps: a few that other work slowed down must not change the distance.
  const runSeconds = (spent.step / Math.max(1, step)) * budgetSteps
  return (goal * runSeconds - (spent.probe ?? 0)) / ((1 + 1 / lineProbeStride) * probeSecondsMean)
}

/** The longest listed distance that is not above this one; `valleyStepsMin` at least. */
function listedDistance(distance: number): number {
  let listed = valleyStepsMin
  for (let base = valleyStepsMin; base <= distance; base *= 2)
    listed = base < valleyStepsMax && 1.5 * base <= distance ? 1.5 * base : base
  return listed
}
