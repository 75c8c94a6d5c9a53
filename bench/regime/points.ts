// The points of the regime benchmark: for each checkpoint of a trace its labels by fork, and everything that could say the
// regime from what the tuner had folded by then, with its decisions off; and the transitions that it recorded on the way.

import { median } from 'simple-statistics'
import { gapShare } from '../../tuner/estimators/gapShare.ts'
import { mean, probesInMedian } from '../../tuner/estimators/uncertainty.ts'
import { judgementNow } from '../../tuner/phases/judgement.ts'
import { readRegime } from '../../tuner/signals/regime.ts'
import type { TunerState } from '../../tuner/state.ts'
import { everything, replay } from '../decisions/replay.ts'
import type { BenchTask } from '../tasks.ts'
import type { TraceRun } from '../traces/format.ts'
import { rateAt } from '../traces/largeRun.ts'
import { annealDropsOf, dropsOf, type Label, type LabelSet, labelOf } from './label.ts'

export const candidateInputs = [
  'gapShare',
  'gapOverLoss',
  'gainOverLoss',
  'rateRatio',
  'shareRisen',
  'noiseOverBatch',
  'rate',
  'elapsed',
] as const
export type CandidateInput = (typeof candidateInputs)[number]
export type Candidates = Readonly<Record<CandidateInput, number | null>>

export type RegimePoint = {
  readonly task: string
  readonly run: string
  readonly share: number
  readonly labels: Readonly<Record<LabelSet, Label>>
  /** What the tuner calls it. */
  readonly regime: TunerState['regime']
  readonly inputs: Candidates
  /** The run never learned: its final training loss is near that of its first steps. */
  readonly isDead: boolean
}

/** The regimes of one run: at its checkpoints, from which share of the budget on the index was known, and its names over time. */
export type RegimeRun = {
  readonly points: readonly RegimePoint[]
  /** Infinity = never. */
  readonly knownFromShare: number
  /** Each known name with the step at which it began. */
  readonly names: readonly { readonly name: string; readonly step: number }[]
  readonly budgetSteps: number
}

/** Shares of the first steps' loss above which a run has learned nothing. */
const deadShareMin = 0.9
const firstSteps = 10

export function regimeRunOf(task: BenchTask, run: TraceRun): RegimeRun {
  const states: TunerState[] = []
  replay(task, run, { ...everything, mode: 'off' }, (state) => states.push(state))
  const isDead =
    run.final === null || run.final.train.loss > deadShareMin * mean(run.loss.slice(0, firstSteps))
  const known = states.find(({ regime }) => regime.index !== null)
  const points = run.checkpoints.map((checkpoint): RegimePoint => {
    const state = stateAt(states, run, checkpoint.step)
    return {
      task: task.name,
      run: `${task.name} ${run.rate} ${run.seed}`,
      share: checkpoint.share,
      labels: {
        train: labelOf(dropsOf(checkpoint, 'train')),
        heldOut: labelOf(dropsOf(checkpoint, 'heldOut')),
        annealed: labelOf(annealDropsOf(run, checkpoint)),
      },
      regime: state?.regime ?? { name: 'unknown', index: null, low: null, high: null },
      inputs: candidatesOf(state, run, checkpoint.share),
      isDead,
    }
  })
  return {
    points,
    knownFromShare: known === undefined ? Number.POSITIVE_INFINITY : known.seen.step / run.budgetSteps,
    names: namesOf(states),
    budgetSteps: run.budgetSteps,
  }
}

/** What the tuner knew by a step: as at the last probe, at the rate of the step. */
function stateAt(states: readonly TunerState[], run: TraceRun, step: number): TunerState | undefined {
  const probed = states.findLast(({ seen }) => seen.step <= step)
  if (probed === undefined) return undefined
  const state = { ...probed, seen: { ...probed.seen, learningRate: rateAt(run, step) } }
  const { signals, learningRate } = state.seen
  const { gain } = judgementNow(state)
  const before = probed.regime.name
  return {
    ...state,
    regime: readRegime({
      signals,
      learningRate,
      gain,
      isTripped: before === 'unstable',
      validFromStep: 0,
      before,
    }),
  }
}

function namesOf(states: readonly TunerState[]): { name: string; step: number }[] {
  const names: { name: string; step: number }[] = []
  for (const { regimeKnown: name, seen } of states)
    if (name !== 'unknown' && name !== names.at(-1)?.name) names.push({ name, step: seen.step })
  return names
}

const noInputs = Object.fromEntries(candidateInputs.map((name) => [name, null])) as unknown as Candidates

function candidatesOf(state: TunerState | undefined, run: TraceRun, elapsed: number): Candidates {
  if (state === undefined) return noInputs
  const { signals, learningRate } = state.seen
  const { reading, gain } = judgementNow(state)
  const { probeLosses, batchSize, lossBlocks } = signals
  const { gap, noiseScale, rateRatio } = reading
  const trained = lossBlocks.blocks.slice(-probesInMedian).map((block) => block.mean)
  return {
    gapShare: gapShare.read(signals.gapShare, learningRate).value,
    gapOverLoss: ratio(gap.value, mean(probeLosses.slice(-probesInMedian))),
    gainOverLoss: ratio(gain.value, mean(trained)),
    rateRatio: rateRatio.value,
    shareRisen: shareRisen(probeLosses),
    noiseOverBatch: ratio(noiseScale.value, batchSize),
    rate: run.rate,
    elapsed,
  }
}

const ratio = (a: number | null, b: number | null): number | null =>
  a === null || b === null || !(b > 0) ? null : a / b

/** Share of the probes whose loss lies above the one before. */
function shareRisen(losses: readonly number[]): number | null {
  if (losses.length < 2) return null
  return losses.slice(1).filter((loss, i) => loss > losses[i]!).length / (losses.length - 1)
}

/** Median of D/L over G/L, both measured and above 0, of runs that learned something. */
export function gapOverGainOf(points: readonly RegimePoint[]): number {
  const ratios = points.flatMap(({ isDead, inputs: { gapOverLoss, gainOverLoss } }) =>
    isDead || gapOverLoss === null || gainOverLoss === null || !(gapOverLoss > 0 && gainOverLoss > 0)
      ? []
      : [gapOverLoss / gainOverLoss],
  )
  return ratios.length === 0 ? Number.NaN : median(ratios)
}
