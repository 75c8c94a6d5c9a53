// All signals of one run: which estimator each sample and probe goes to, and what they say together. After a
// restore to an earlier checkpoint the trajectory is another one, so signals of the weights start afresh
// (`freshSignals`) while facts about the job (cost, bad samples) go on. The smoothed loss starts afresh too: what a
// diverged arm of the race left in it would stand in the chart, and widen the tripwire, for hundreds of steps.

import type { LineProbe, ValleyProbe } from '../../protocol/vocabulary.ts'
import { type AveragedGapState, averagedGap, bestAverage } from '../estimators/averagedGap.ts'
import { type BlocksState, blocks, blocksBackTo, withBudget } from '../estimators/blocks.ts'
import { type CostState, cost } from '../estimators/cost.ts'
import { type CurvatureState, curvature } from '../estimators/curvature.ts'
import type { Estimate } from '../estimators/estimator.ts'
import { type GapShareState, gapShare } from '../estimators/gapShare.ts'
import { type GradientNoiseState, gradientNoise } from '../estimators/gradientNoise.ts'
import { type LossSmootherState, lossSmoother } from '../estimators/lossSmoother.ts'
import { type ValleyReading, type ValleyState, valleySlope } from '../estimators/valleySlope.ts'

/** One step's numbers as the tuner uses them; null = not reported. Loss may be NaN or infinite. */
export type Sample = {
  readonly step: number
  readonly loss: number | null
  readonly learningRate: number | null
  readonly momentum: number | null
  readonly gradientNormSquared: number | null
  readonly microGradientNormSquared: number | null
  /** The same two in the norm of M⁻¹, Σ g²/(√v̂ + ε), from adaptive optimizers. */
  readonly preconditionedGradientNormSquared: number | null
  readonly preconditionedMicroGradientNormSquared: number | null
  readonly batchSize: number | null
  readonly microBatchSize: number | null
  readonly stepSeconds: number | null
  readonly signalSeconds: number | null
}

export type SignalsState = {
  readonly smoother: LossSmootherState
  readonly lossBlocks: BlocksState
  readonly noise: GradientNoiseState
  /** Of an adaptive optimizer's preconditioned gradients, which are what its steps are made of. */
  readonly preconditionedNoise: GradientNoiseState
  readonly curvature: CurvatureState
  readonly gap: AveragedGapState
  readonly gapShare: GapShareState
  readonly valley: ValleyState
  readonly cost: CostState
  readonly batchSize: number | null
  /** Raw held-out loss of the last 16 probes, oldest first. */
  readonly probeLosses: readonly number[]
  /** Averaged held-out loss of the last 16 probes. */
  readonly averagedLosses: readonly number[]
  /** Steps of those probes. */
  readonly averagedSteps: readonly number[]
  /** What the last valley probes took, oldest first, at most five. */
  readonly probeSeconds: readonly number[]
  /** Mean of the run's first losses, at most ten; null = none was reported. */
  readonly firstLoss: number | null
  readonly firstCount: number
  readonly badSamples: BadSamples
}

/** Samples that were left out, by what was wrong with them. */
export type BadSamples = Readonly<
  Record<'nonFinite' | 'nonFiniteNorms' | 'skipped' | 'outOfOrder' | 'repeated' | 'farAhead', number>
>
const noBadSamples: BadSamples = {
  nonFinite: 0,
  nonFiniteNorms: 0,
  skipped: 0,
  outOfOrder: 0,
  repeated: 0,
  farAhead: 0,
}
export const firstLosses = 10
const probesKept = 16
const probeCostsKept = 5
const usualScores = 2

export function initialSignals(budgetSteps: number | null): SignalsState {
  return {
    smoother: lossSmoother.init(),
    lossBlocks: blocks.init(budgetSteps),
    noise: gradientNoise.init(),
    preconditionedNoise: gradientNoise.init(),
    curvature: curvature.init(),
    gap: averagedGap.init(),
    gapShare: gapShare.init(),
    valley: valleySlope.init(),
    cost: cost.init(),
    batchSize: null,
    probeLosses: [],
    averagedLosses: [],
    averagedSteps: [],
    probeSeconds: [],
    firstLoss: null,
    firstCount: 0,
    badSamples: noBadSamples,
  }
}

/** Signals for a trajectory that starts afresh at other weights. */
export function freshSignals(state: SignalsState): SignalsState {
  const fresh = initialSignals(null)
  const { smoother, noise, preconditionedNoise, gap, probeLosses, averagedLosses, averagedSteps } = fresh
  const ofProbes = {
    gap,
    gapShare: fresh.gapShare,
    valley: fresh.valley,
    probeLosses,
    averagedLosses,
    averagedSteps,
  }
  return { ...state, smoother, noise, preconditionedNoise, curvature: fresh.curvature, ...ofProbes }
}

/** Signals of a run that goes on from an earlier step: what lies beyond it is another life's. */
export const signalsBackTo = (state: SignalsState, step: number): SignalsState =>
  freshSignals({ ...state, lossBlocks: blocksBackTo(state.lossBlocks, step) })

/** Signals under another budget: the blocks lengthen, nothing is lost. */
export const rebudgetedSignals = (state: SignalsState, budgetSteps: number | null): SignalsState => ({
  ...state,
  lossBlocks: withBudget(state.lossBlocks, budgetSteps),
})

/** @param step steps since the run's first one, where the job counts from elsewhere. */
export function foldSample(state: SignalsState, sample: Sample, step: number = sample.step): SignalsState {
  const { loss, batchSize, microBatchSize } = sample
  const isSound = loss !== null && Number.isFinite(loss)
  const point = { step, value: loss ?? Number.NaN }
  const isPreconditioned = sample.preconditionedMicroGradientNormSquared !== null
  return {
    smoother: isSound ? lossSmoother.update(state.smoother, point) : state.smoother,
    lossBlocks: isSound ? blocks.update(state.lossBlocks, point) : state.lossBlocks,
    noise: gradientNoise.update(state.noise, sample),
    preconditionedNoise: isPreconditioned
      ? gradientNoise.update(state.preconditionedNoise, {
          gradientNormSquared: sample.preconditionedGradientNormSquared,
          microGradientNormSquared: sample.preconditionedMicroGradientNormSquared,
          batchSize,
          microBatchSize,
        })
      : state.preconditionedNoise,
    curvature: state.curvature,
    gap: state.gap,
    gapShare: state.gapShare,
    valley: state.valley,
    cost: sample.stepSeconds === null ? state.cost : cost.update(state.cost, sample),
    batchSize: batchSize ?? state.batchSize,
    probeLosses: state.probeLosses,
    averagedLosses: state.averagedLosses,
    averagedSteps: state.averagedSteps,
    probeSeconds: state.probeSeconds,
    firstLoss:
      isSound && state.firstCount < firstLosses
        ? (state.firstLoss ?? 0) + (loss - (state.firstLoss ?? 0)) / (state.firstCount + 1)
        : state.firstLoss,
    firstCount: isSound ? Math.min(state.firstCount + 1, firstLosses) : state.firstCount,
    badSamples: state.badSamples,
  }
}

/** Folds a valley probe taken at run length `largeSteps`; without averaged weights the raw loss stands in for P.
 *  @param learningRate of the step; null = it is not told. */
export function foldValleyProbe(
  state: SignalsState,
  probe: ValleyProbe,
  largeSteps: number,
  learningRate: number | null = null,
): SignalsState {
  const averaged = bestAverage(probe)?.loss ?? probe.raw.loss
  const kept = (values: readonly number[], value: number, isSound: boolean) =>
    isSound ? [...values.slice(1 - probesKept), value] : values
  const isSound = Number.isFinite(averaged)
  return {
    ...foldProbeCost(state, probe),
    gap: averagedGap.update(state.gap, probe),
    gapShare: gapShare.update(state.gapShare, { ...probe, learningRate }),
    valley: valleySlope.update(state.valley, { runLength: largeSteps, averagedLoss: averaged }),
    probeLosses: kept(state.probeLosses, probe.raw.loss, Number.isFinite(probe.raw.loss)),
    averagedLosses: kept(state.averagedLosses, averaged, isSound),
    averagedSteps: kept(state.averagedSteps, probe.step, isSound),
  }
}

export const foldLineProbe = (
  state: SignalsState,
  probe: LineProbe,
  learningRate: number | null,
): SignalsState => ({
  ...state,
  cost: cost.update(state.cost, { probeSeconds: probe.seconds }),
  curvature: curvature.update(state.curvature, { probe, learningRate }),
})

/**
 * Folds what a valley probe took of the run's time, and nothing else of it. Where it scored more weights than the probes that
 * the cadence asks for, which are the present ones and one average, its part of that many is what such a probe would take.
 */
export function foldProbeCost(state: SignalsState, probe: ValleyProbe): SignalsState {
  const { seconds, averaged, checkpoints = [] } = probe
  const scores = 1 + averaged.length + checkpoints.length
  const usual = (seconds * Math.min(scores, usualScores)) / scores
  return {
    ...state,
    cost: cost.update(state.cost, { probeSeconds: seconds }),
    probeSeconds: [...state.probeSeconds.slice(1 - probeCostsKept), usual],
  }
}

/** Everything that the rules and the page read, computed at probes; the fit of the valley, which is dear, when asked for. */
export type SignalsReading = ReturnType<(typeof gradientNoise)['read']> &
  ReturnType<(typeof curvature)['read']> &
  ReturnType<(typeof averagedGap)['read']> &
  ReturnType<(typeof cost)['read']> & {
    /** trΣ in the norm of M⁻¹; no value where the job has no preconditioner, or does not send its norms. */
    readonly preconditionedTraceSigma: Estimate
    readonly valley: ValleyReading
  }

export function readSignals(state: SignalsState): SignalsReading {
  let valley: ValleyReading | undefined
  return {
    ...gradientNoise.read(state.noise),
    ...curvature.read(state.curvature),
    ...averagedGap.read(state.gap),
    ...cost.read(state.cost),
    preconditionedTraceSigma: gradientNoise.read(state.preconditionedNoise).traceSigma,
    get valley() {
      valley ??= valleySlope.read(state.valley)
      return valley
    },
  }
}
