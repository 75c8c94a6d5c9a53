// The points of the regime benchmark: for each checkpoint of a trace its labels by fork, and everything that could say
// the regime from what the tuner had folded by then, with decisions off.

import { mean } from '../../tuner/estimators/uncertainty.ts'
import { judgementNow } from '../../tuner/phases/judgement.ts'
import { lossOfBlocks, lossOfProbes, regimeGapOverGain, shareOf } from '../../tuner/signals/regime.ts'
import type { TunerState } from '../../tuner/state.ts'
import { everything, replay } from '../decisions/replay.ts'
import type { BenchTask } from '../tasks.ts'
import type { CheckpointTruth, TraceRun } from '../traces/format.ts'
import { annealDropsOf, dropsOf, type Label, type LabelSet, labelOf } from './label.ts'

export const candidateInputs = [
  'meanShare',
  'rateRatio',
  'shareRisen',
  'gapOverLoss',
  'gainOverLoss',
  'gapOverScatter',
  'noiseOverBatch',
  'logRate',
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
  readonly regime: string
  readonly index: number | null
  readonly inputs: Candidates
  /** The run never learned: its final training loss is near that of its first steps. */
  readonly isDead: boolean
}

/** Shares of the first steps' loss above which a run has learned nothing. */
const deadShareMin = 0.9
const firstSteps = 10

export function pointsOf(task: BenchTask, run: TraceRun): RegimePoint[] {
  const states: TunerState[] = []
  replay(task, run, { ...everything, mode: 'off' }, (state) => states.push(state))
  const isDead =
    run.final === null || run.final.train.loss > deadShareMin * mean(run.loss.slice(0, firstSteps))
  return run.checkpoints.map((checkpoint): RegimePoint => {
    const state = states.findLast(({ seen }) => seen.step <= checkpoint.step)
    return {
      task: task.name,
      run: `${task.name} ${run.rate} ${run.seed}`,
      share: checkpoint.share,
      labels: labelsOf(run, checkpoint),
      regime: state?.regime.name ?? 'unknown',
      index: state?.regime.index ?? null,
      inputs: candidatesOf(state, run, checkpoint.share),
      isDead,
    }
  })
}

const labelsOf = (run: TraceRun, checkpoint: CheckpointTruth) => ({
  train: labelOf(dropsOf(checkpoint, 'train')),
  heldOut: labelOf(dropsOf(checkpoint, 'heldOut')),
  annealed: labelOf(annealDropsOf(run, checkpoint)),
})

const noInputs = Object.fromEntries(candidateInputs.map((name) => [name, null])) as unknown as Candidates

function candidatesOf(state: TunerState | undefined, run: TraceRun, elapsed: number): Candidates {
  if (state === undefined) return noInputs
  const { signals } = state.seen
  const { reading, gain } = judgementNow(state)
  const { probeLosses, batchSize } = signals
  const { gap, noiseScale, rateRatio } = reading
  const gapOverLoss = shareOf(gap, lossOfProbes(signals), 1).value
  const gainOverLoss = shareOf(gain, lossOfBlocks(signals), regimeGapOverGain).value
  const shares = [gapOverLoss, gainOverLoss].filter((share) => share !== null)
  return {
    meanShare: shares.length === 0 ? null : mean(shares),
    rateRatio: rateRatio.value === null ? null : Math.min(Math.max(rateRatio.value, 0), 2),
    shareRisen: shareRisen(probeLosses),
    gapOverLoss,
    gainOverLoss,
    gapOverScatter: clippedLog(gap.value, probeScatter(probeLosses), 3),
    noiseOverBatch: clippedLog(noiseScale.value, batchSize, 5),
    logRate: Math.log(run.rate),
    elapsed,
  }
}

/** Share of the probes whose loss lies above the one before. */
function shareRisen(losses: readonly number[]): number | null {
  if (losses.length < 2) return null
  return losses.slice(1).filter((loss, i) => loss > losses[i]!).length / (losses.length - 1)
}

/** ln(a/b) within ±bound; null where either is not above 0. */
function clippedLog(a: number | null, b: number | null, bound: number): number | null {
  if (a === null || b === null || !(a > 0) || !(b > 0)) return null
  return Math.min(Math.max(Math.log(a / b), -bound), bound)
}

/** Deviation of the probe loss about its course, from first differences: √(Σ(Δ)²/(2(n−1))). */
function probeScatter(losses: readonly number[]): number {
  if (losses.length < 2) return 0
  const squares = losses.slice(1).reduce((sum, loss, i) => sum + (loss - losses[i]!) ** 2, 0)
  return Math.sqrt(squares / (2 * (losses.length - 1)))
}
