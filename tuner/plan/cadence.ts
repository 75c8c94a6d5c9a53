// How often the job measures, in the large phase and in the anneal. The distance of valley probes grows with the steps so
// far and not with the budget: what happens early in a run must not depend on how long it is meant to be, or a budget far
// beyond what the data carries sees overfitting too late. Probes at a distance c·t are spread evenly in log t, as the
// valley's power law wants them. c is the smallest that the probes' share of the time allows, within bounds: so a run of
// a few thousand steps has about 24 probes, and they may take up to 8 % of its time, or a minute; a longer one about 1 %.
// Where a probe is too dear for that, probes come evenly, and rarely. Distances are taken from a short list (20, 30, 40, 60,
// 80, 120, 160, 320, …), because a job probes at multiples of the distance, and one that wanders would make probes fall close
// together. Shares of time: bench/records/2026-11-28-core/README.md.

import type { Cadence } from '../../protocol/vocabulary.ts'
import { blockSteps } from '../estimators/blocks.ts'
import { cost } from '../estimators/cost.ts'
import { valleyProbesNeeded } from '../estimators/valleySlope.ts'
import { offers } from '../options.ts'
import type { TunerState } from '../state.ts'
import { elapsedOf, endOf, fallbackStep, lengthOf, originOf } from './bounds.ts'
import { openEndSteps } from './segments.ts'

/** Distance of valley probes as a share of the steps so far: the first where time allows it, the second at most. */
export const elapsedShareMin = 0.06
const elapsedShareMax = 0.25
/** Bounds of the distance; beyond the upper one it grows, up to a share of the budget, only to hold its share of time. */
export const probeStepsMin = 20
export const probeStepsMax = 160
const budgetShareMax = 0.075
/** Distance of probes without a budget as a share of the steps so far, and where it grows beyond the upper bound: the slope over
 *  the last half of the steps rests on some 16 of them, or 25. */
const openElapsedShare = 0.04
const openElapsedShareLate = 0.02
/** An averaging block is this share of the steps so far, and at least so long: windows are 1, 2 and 4 blocks, the longest of
 *  them a sixteenth of the run (within .75 % of the best window on all jobs tried but tables that overfit). */
const averagingShare = 1 / 64
export const averagingStepsMin = 10
/** Probes aim at this share of the run's time. A run has time for so many all the same, if they take no more than the second,
 *  or than a minute that is no more than the third; else they come evenly, at the fourth. */
const probeShareGoal = 0.011
const runProbes = 24
const runProbesShareMax = 0.08
const runProbesSeconds = 60
const shortRunShareMax = 0.2
const dearProbesShare = 0.035
/** A line probe at each of the first valley probes, then at every sixth: it costs twice as much, and G rests on its power of
 *  .27 alone. Chosen. */
const lineProbesFirst = 2
const lineProbeStride = 6
/** The batch is split into micro-batches at every such step, or once per block of training losses where that is longer. */
export const microBatchSteps = 20
/** Signals may take this share of the time; above it micro-batch norms come more rarely, at twice that so many times … */
const signalShareGoal = 0.011
const microBatchStrideMax = 4
/** … but not before this many blocks of pairs are there: without them short runs of small networks had no gain to decide by. */
const noiseBlocksFirst = 8

export function cadenceOf(run: TunerState): Cadence | null {
  const { options, course, seen } = run
  const isMeasured = course.kind === 'large' || course.kind === 'anneal'
  const distance = isMeasured ? probeDistance(run) : null
  const block = course.kind === 'search' ? armBlockSteps(course.race) : averagingSteps(run, distance)
  // Curvature changes more slowly than the loss, and costs as much to measure; but the gain of annealing rests on
  // it, so the first ones come with the first valley probes.
  const stride = seen.signals.curvature.count < lineProbesFirst ? 1 : lineProbeStride
  return {
    blockSteps: block,
    valleySteps: offers(options, 'heldOutLoss') ? distance : null,
    lineSteps: distance !== null && offers(options, 'lineProbe') ? stride * distance : null,
    microBatchSteps: isMeasured && offers(options, 'microBatchNorms') ? microBatchDistance(run) : null,
  }
}

/** Length of an averaging block: four between two probes, or both would see the same weights, and their noise would be one. */
function averagingSteps(run: TunerState, distance: number | null): number {
  const wanted = listedDistance(averagingShare * elapsedOf(run), averagingStepsMin)
  return distance === null ? wanted : Math.min(wanted, Math.max(averagingStepsMin, Math.floor(distance / 4)))
}

/** In a race averages end with the arm: over its last quarter, its second half, or all of it. */
const armBlockSteps = ({ armSteps }: { readonly armSteps: number }): number =>
  Math.max(1, Math.round(armSteps / 4))

/**
 * Norms of micro-batches come more rarely once trΣ is known and signals take more than their share of the time: not at all
 * more rarely up to the goal, four times at twice the goal. In the anneal, where nothing is decided by them, they come as
 * rarely.
 */
function microBatchDistance(run: TunerState): number {
  const { seen, course } = run
  const { signals } = seen
  const shortest = Math.max(microBatchSteps, blockSteps(lengthOf(run)))
  if (course.kind === 'anneal') return shortest * microBatchStrideMax
  if (signals.noise.trace.length < noiseBlocksFirst) return shortest
  const excess = (cost.read(signals.cost).signalShare ?? 0) / signalShareGoal - 1
  return shortest * Math.min(Math.max(Math.ceil(microBatchStrideMax * excess), 1), microBatchStrideMax)
}

function probeDistance(run: TunerState): number {
  const length = lengthOf(run)
  if (length === null) return openDistance(run)
  if (isDear(run, length)) return evenDistance(run, length)
  const elapsed = elapsedOf(run)
  const left = affordableProbes(run, length)
  const stepsLeft = Math.max(0, length - elapsed)
  // Evenly in log t to the end: n probes from t to T are ln(T/t)/n apart.
  const wanted = stepsLeft === 0 || left <= 0 ? Infinity : Math.log(length / Math.max(1, elapsed)) / left
  const share = Math.min(Math.max(wanted, elapsedShareMin), elapsedShareMax)
  // Late in a long run the distance would grow beyond what is affordable anyway.
  const longest = left <= 0 ? Infinity : stepsLeft / left
  const most = Math.max(probeStepsMax, Math.min(longest, budgetShareMax * length))
  return listedDistance(Math.min(share * elapsed, most))
}

/** Probes by which their cost is judged: the first is compiled, or read from disk, and may take a thousand times as long. */
const probesTimed = 2

/** What a probe usually takes: the middle one of the last, of two the shorter, as a cold or busy computer lengthens them. */
function usualSeconds(probeSeconds: readonly number[]): number {
  const sorted = probeSeconds.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]!
}

/** Mean seconds of a step, usual ones of a valley probe with its part of a line probe; undefined = not known yet. */
function seconds(run: TunerState): { readonly step: number; readonly probe: number } | undefined {
  const { cost: spent, probeSeconds } = run.seen.signals
  if (probeSeconds.length < probesTimed || spent.steps === 0 || !(spent.step > 0)) return undefined
  const lines = offers(run.options, 'lineProbe') ? 1 / lineProbeStride : 0
  return { step: spent.step / spent.steps, probe: (1 + lines) * usualSeconds(probeSeconds) }
}

/** Valley probes that the rest of the run has time for; Infinity = not known. Where steps tell no time, probes may be dear. */
function affordableProbes(run: TunerState, length: number): number {
  const time = seconds(run)
  if (time === undefined) {
    const { cost: spent, probeSeconds } = run.seen.signals
    return spent.steps === 0 && probeSeconds.some((taken) => taken > 0) ? 0 : Infinity
  }
  return (probeShareGoal * time.step * length - (run.seen.signals.cost.probe ?? 0)) / time.probe
}

/** How many probes a run of this length has time for; Infinity = not known. */
function probesWithin(run: TunerState, length: number): number {
  const time = seconds(run)
  if (time === undefined) return Infinity
  const whole = time.step * length
  const allowed = Math.max(runProbesShareMax * whole, Math.min(shortRunShareMax * whole, runProbesSeconds))
  return allowed / time.probe
}

const isDear = (run: TunerState, length: number): boolean => probesWithin(run, length) < runProbes

/** Of fewer probes than a run should have: as many as it has time for, evenly. */
function evenDistance(run: TunerState, length: number): number {
  const distance = length / Math.max(1, probesWithin(run, length))
  const listed = listedDistance(distance)
  return listed < distance ? listedDistance(listed >= probeStepsMax ? 2 * listed : 1.5 * listed) : listed
}

/** Without a budget: evenly in log t, but never so dense that probes take more than their share of the time so far. */
function openDistance(run: TunerState): number {
  const elapsed = elapsedOf(run)
  const even = Math.min(openElapsedShare * elapsed, Math.max(probeStepsMax, openElapsedShareLate * elapsed))
  return listedDistance(Math.min(Math.max(even, dearDistance(run)), openEndSteps))
}

/** The distance of dear probes without a budget; 0 = not known. */
function dearDistance(run: TunerState): number {
  const time = seconds(run)
  if (time === undefined) return 0
  const isShort = (run.seen.signals.cost.probe ?? 0) < runProbesSeconds
  return time.probe / (time.step * (isShort ? shortRunShareMax : dearProbesShare))
}

/**
 * How many probes come before the fallback plan acts, where they are too few for the rule because a probe takes too long;
 * null = enough, or not known.
 */
export function tooFewProbes(
  run: TunerState,
): { readonly probes: number; readonly stepsEach: number } | null {
  const time = seconds(run)
  const until = fallbackStep(run)
  const length = lengthOf(run)
  if (time === undefined || until === null || length === null || !isDear(run, length)) return null
  const distance = evenDistance(run, length)
  const probes = run.seen.signals.valley.count + Math.max(0, until - run.seen.step) / distance
  return probes < valleyProbesNeeded
    ? { probes: Math.floor(probes), stepsEach: time.probe / time.step }
    : null
}

/** The longest listed distance that is not above this one; the shortest at least. */
function listedDistance(distance: number, shortest = probeStepsMin): number {
  let listed = shortest
  for (let base = shortest; base <= distance; base *= 2)
    listed = base < probeStepsMax && 1.5 * base <= distance ? 1.5 * base : base
  return listed
}

/** Steps between two evaluations of the switch rule as asked for; 0 = there is nothing to evaluate but the loss. */
export function evaluationDistance(run: TunerState): number {
  const { options, seen } = run
  if (offers(options, 'heldOutLoss')) return cadenceOf(run)?.valleySteps ?? 0
  if (!offers(options, 'microBatchNorms')) return 0
  // Means of three blocks of the training loss stand in for probes, at the ends of blocks.
  const { blockSteps: block } = seen.signals.lossBlocks
  return block * Math.max(3, Math.ceil(probeDistance(run) / block))
}

/** … and as the job makes them: the longest of the last three distances, where it is longer. */
export function ownDistance(run: TunerState): number {
  const { averagedSteps } = run.seen.signals
  const last = averagedSteps.slice(-4)
  const gaps = last.slice(1).map((step, i) => step - last[i]!)
  return Math.max(evaluationDistance(run), ...gaps)
}

/** The step at which the next two evaluations must have come, seen from the last one. */
export function patienceStep(run: TunerState): number {
  const { averagedSteps } = run.seen.signals
  const last = averagedSteps.at(-1)
  const from = last === undefined ? run.seen.step : originOf(run) + last
  const end = endOf(run)
  const step = Math.max(from, run.seen.step) + 2 * ownDistance(run) + 1
  return end === null ? step : Math.min(step, end)
}
