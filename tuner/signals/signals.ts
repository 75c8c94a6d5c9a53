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
import { type GradientNoiseState, gradientNoise } from '../estimators/gradientNoise.ts'
import { type LossSmootherState, lossSmoother } from '../estimators/lossSmoother.ts'
import { trendOfBlocks } from '../estimators/lossTrend.ts'
import { type ValleyState, valleySlope } from '../estimators/valleySlope.ts'

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
  readonly valley: ValleyState
  readonly cost: CostState
  readonly batchSize: number | null
  /** Raw held-out loss of the last 16 probes, oldest first. */
  readonly probeLosses: readonly number[]
  /** Averaged held-out loss of the last 16 probes. */
  readonly averagedLosses: readonly number[]
  /** Steps of those probes. */
  readonly averagedSteps: readonly number[]
  readonly probeSecondsMean: number | null
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
const firstLosses = 10

const probesKept = 16

export function initialSignals(budgetSteps: number | null): SignalsState {
  return {
    smoother: lossSmoother.init({}),
    lossBlocks: blocks.init({ budgetSteps }),
    noise: gradientNoise.init({}),
    preconditionedNoise: gradientNoise.init({}),
    curvature: curvature.init({}),
    gap: averagedGap.init({}),
    valley: valleySlope.init({}),
    cost: cost.init({}),
    batchSize: null,
    probeLosses: [],
    averagedLosses: [],
    averagedSteps: [],
    probeSecondsMean: null,
    firstLoss: null,
    firstCount: 0,
    badSamples: noBadSamples,
  }
}

/** Signals for a trajectory that starts afresh at other weights. */
export function freshSignals(state: SignalsState): SignalsState {
  const { lossBlocks, cost: costs, batchSize, probeSecondsMean, firstLoss, firstCount, badSamples } = state
  return {
    ...initialSignals(null),
    lossBlocks,
    cost: costs,
    batchSize,
    probeSecondsMean,
    firstLoss,
    firstCount,
    badSamples,
  }
}

/** Signals of a run that goes on from an earlier step: what lies beyond it is another life's. */
export const signalsBackTo = (state: SignalsState, step: number): SignalsState => ({
  ...freshSignals(state),
  lossBlocks: blocksBackTo(state.lossBlocks, step),
})

/** Signals under another budget: the blocks lengthen, nothing is lost. */
export function rebudgetedSignals(state: SignalsState, budgetSteps: number | null): SignalsState {
  return { ...state, lossBlocks: withBudget(state.lossBlocks, budgetSteps) }
}

export function foldSample(state: SignalsState, sample: Sample): SignalsState {
  const { step, loss, batchSize } = sample
  const isSound = loss !== null && Number.isFinite(loss)
  const point = { step, value: loss ?? Number.NaN }
  return {
    smoother: isSound ? lossSmoother.update(state.smoother, point) : state.smoother,
    lossBlocks: isSound ? blocks.update(state.lossBlocks, point) : state.lossBlocks,
    noise: foldNorms(state.noise, sample.gradientNormSquared, sample.microGradientNormSquared, sample),
    preconditionedNoise: foldNorms(
      state.preconditionedNoise,
      sample.preconditionedGradientNormSquared,
      sample.preconditionedMicroGradientNormSquared,
      sample,
    ),
    curvature: state.curvature,
    gap: state.gap,
    valley: state.valley,
    cost:
      sample.stepSeconds === null
        ? state.cost
        : cost.update(state.cost, {
            stepSeconds: sample.stepSeconds,
            signalSeconds: sample.signalSeconds,
            probeSeconds: null,
          }),
    batchSize: batchSize ?? state.batchSize,
    probeLosses: state.probeLosses,
    averagedLosses: state.averagedLosses,
    averagedSteps: state.averagedSteps,
    probeSecondsMean: state.probeSecondsMean,
    firstLoss:
      isSound && state.firstCount < firstLosses
        ? (state.firstLoss ?? 0) + (loss - (state.firstLoss ?? 0)) / (state.firstCount + 1)
        : state.firstLoss,
    firstCount: isSound ? Math.min(state.firstCount + 1, firstLosses) : state.firstCount,
    badSamples: state.badSamples,
  }
}

function foldNorms(
  state: GradientNoiseState,
  gradientNormSquared: number | null,
  microGradientNormSquared: number | null,
  { batchSize, microBatchSize }: Sample,
): GradientNoiseState {
  if (gradientNormSquared === null || microGradientNormSquared === null) return state
  return gradientNoise.update(state, {
    gradientNormSquared,
    microGradientNormSquared,
    batchSize,
    microBatchSize,
  })
}

/** Folds a valley probe taken at run length `largeSteps`; without averaged weights the raw loss stands in for P. */
export function foldValleyProbe(state: SignalsState, probe: ValleyProbe, largeSteps: number): SignalsState {
  const averaged = bestAverage(probe)?.loss ?? probe.raw.loss
  const isSound = Number.isFinite(averaged)
  return {
    ...state,
    gap: averagedGap.update(state.gap, probe),
    valley: valleySlope.update(state.valley, { runLength: largeSteps, averagedLoss: averaged }),
    probeLosses: Number.isFinite(probe.raw.loss)
      ? [...state.probeLosses.slice(1 - probesKept), probe.raw.loss]
      : state.probeLosses,
    averagedLosses: isSound
      ? [...state.averagedLosses.slice(1 - probesKept), averaged]
      : state.averagedLosses,
    averagedSteps: isSound ? [...state.averagedSteps.slice(1 - probesKept), probe.step] : state.averagedSteps,
    ...probeCost(state, probe.seconds),
  }
}

export function foldLineProbe(
  state: SignalsState,
  probe: LineProbe,
  learningRate: number | null,
): SignalsState {
  return {
    ...state,
    curvature: curvature.update(state.curvature, { probe, learningRate }),
    ...probeCost(state, probe.seconds),
  }
}

/** Folds what a probe took of the run's time, and nothing else of it. */
export const foldProbeCost = (state: SignalsState, seconds: number): SignalsState => ({
  ...state,
  ...probeCost(state, seconds),
})

function probeCost(state: SignalsState, seconds: number): Pick<SignalsState, 'cost' | 'probeSecondsMean'> {
  return {
    cost: cost.update(state.cost, { stepSeconds: null, signalSeconds: null, probeSeconds: seconds }),
    probeSecondsMean:
      state.probeSecondsMean === null
        ? seconds
        : state.probeSecondsMean + (seconds - state.probeSecondsMean) / 4,
  }
}

/** Everything that the rules and the page read, computed at probes; the two that are dear only when asked for. */
export type SignalsReading = {
  readonly noiseScale: Estimate
  readonly traceSigma: Estimate
  /** trΣ in the norm of M⁻¹; no value where the job has no preconditioner, or does not send its norms. */
  readonly preconditionedTraceSigma: Estimate
  readonly criticalLearningRate: Estimate
  readonly curvature: Estimate
  readonly noiseCurvature: Estimate
  readonly rateRatio: Estimate
  readonly gap: Estimate
  readonly averagedLoss: Estimate
  readonly lossTrend: Estimate
  readonly valley: ReturnType<typeof valleySlope.read>
  readonly signalShare: number | null
  readonly probeShare: number | null
}

export function readSignals(state: SignalsState): SignalsReading {
  const { noiseScale, traceSigma } = gradientNoise.read(state.noise)
  const {
    criticalLearningRate,
    curvature: curvatureAlong,
    noiseCurvature,
    rateRatio,
  } = curvature.read(state.curvature)
  const { gap, averagedLoss } = averagedGap.read(state.gap)
  const lossTrend = once(() => trendOfBlocks(state.lossBlocks.blocks))
  const valley = once(() => valleySlope.read(state.valley))
  return {
    noiseScale,
    traceSigma,
    preconditionedTraceSigma: gradientNoise.read(state.preconditionedNoise).traceSigma,
    criticalLearningRate,
    curvature: curvatureAlong,
    noiseCurvature,
    rateRatio,
    gap,
    averagedLoss,
    ...cost.read(state.cost),
    get lossTrend() {
      return lossTrend()
    },
    get valley() {
      return valley()
    },
  }
}

/** Computed when first asked for, and then kept. */
function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => {
    known ??= { value: compute() }
    return known.value
  }
}
