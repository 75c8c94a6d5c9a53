// A run at a constant rate with everything observed that a job can report, and checkpoints along the way. The loop
// is the trainer's own steps and probes; probes come twice as often as the tuner asks for, so that a replay can thin
// them, and averaging blocks are those that it would ask for.

import type { Probe } from '../../protocol/vocabulary.ts'
import type { Checkpoint } from '../../trainer/checkpoints.ts'
import { ownMomentum } from '../../trainer/optimizers/optimizers.ts'
import type { BuiltTrainer } from '../../trainer/run.ts'
import type { StepReading } from '../../trainer/signals.ts'
import { blockSteps } from '../../tuner/estimators/blocks.ts'
import {
  averagingStepsMin,
  elapsedShareMin,
  microBatchSteps,
  probeStepsMax,
  probeStepsMin,
} from '../../tuner/plan/cadence.ts'
import type { BenchTask } from '../tasks.ts'
import { type Sparse, type SparseColumn, sparseColumns, type TraceRun } from './format.ts'

/** Elapsed shares of the budget at which runs are forked. */
export const forkShares = [0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.8, 0.9] as const
/** Steps between valley probes after so many steps: half of the tuner's own distance, 10, 15, 20, 30, … */
export function tracedDistance(step: number): number {
  const wanted = Math.min(elapsedShareMin * step, probeStepsMax)
  let distance = probeStepsMin
  for (let base = probeStepsMin; base <= wanted; base *= 2)
    distance = 1.5 * base <= wanted ? 1.5 * base : base
  return distance / 2
}
/** A line probe at every second valley probe. */
export const tracedLineStride = 2
/** ‖g‖², ‖w‖² and the like at one step in so many. */
export const tracedNormSteps = 10
const nonFiniteMax = 5
/** Share of the budget over which the rate climbs to its height. */
const rampShare = 0.01

export type LargeRun = {
  readonly observed: Omit<TraceRun, 'checkpoints' | 'final'>
  /** One per share that was reached; the caller disposes them. */
  readonly checkpoints: readonly { readonly share: number; readonly checkpoint: Checkpoint }[]
}

export type RunKey = {
  readonly rate: number
  readonly seed: number
  /** Steps of the climb to the rate, where it is not the usual one. */
  readonly rampSteps?: number
  /** Share of the rate at which the climb begins, where it is not a tenth. */
  readonly rampFrom?: number
  /** The rate falls linearly to 0 from this step on; absent = it stays. */
  readonly annealFromStep?: number
}

export const rampStepsOf = (budgetSteps: number): number => Math.max(1, Math.round(rampShare * budgetSteps))

type Rates = Pick<TraceRun, 'rate' | 'rampSteps' | 'rampFrom' | 'annealFromStep' | 'budgetSteps'>

/** The rate at a step: a linear ramp from a share of it, then constant, then, where it anneals, linear to 0. */
export function rateAt(run: Rates, step: number): number {
  const { rate, rampSteps, rampFrom = 0.1, annealFromStep = Number.POSITIVE_INFINITY, budgetSteps } = run
  if (step >= annealFromStep) return (rate * (budgetSteps - step)) / (budgetSteps - annealFromStep)
  return step >= rampSteps ? rate : rate * (rampFrom + ((1 - rampFrom) * step) / rampSteps)
}

/** @param shares of the budget at which checkpoints are taken. */
export async function largeRun(
  task: BenchTask,
  key: RunKey,
  built: BuiltTrainer,
  shares: readonly number[] = forkShares,
): Promise<LargeRun> {
  const { trainer, backend } = built
  const { budgetSteps, optimizer } = task
  const block = blockSteps(budgetSteps)
  const { rampSteps = rampStepsOf(budgetSteps) } = key
  const momentum = ownMomentum[optimizer]
  const microSteps = Math.max(microBatchSteps, block)
  const forkSteps = new Map<number, number>(shares.map((share) => [Math.round(share * budgetSteps), share]))
  const readings: StepReading[] = []
  const probes: Probe[] = []
  const checkpoints: { share: number; checkpoint: Checkpoint }[] = []
  let nonFinite = 0
  for (let step = 0; step < budgetSteps && nonFinite < nonFiniteMax; step++) {
    const share = forkSteps.get(step)
    if (share !== undefined) checkpoints.push({ share, checkpoint: trainer.capture() })
    const distance = tracedDistance(step)
    if (step > 0 && step % distance === 0) probes.push(await trainer.valleyProbe())
    if (step > 0 && step % (tracedLineStride * distance) === 0) probes.push(await trainer.lineProbe(key.rate))
    trainer.setBlockSteps(Math.min(block, Math.max(averagingStepsMin, distance)))
    trainer.step({
      learningRate: rateAt({ ...key, rampSteps, budgetSteps }, step),
      momentum,
      measureMicroBatches: step % microSteps === 0,
      measureUpdate: step % tracedNormSteps === 0,
      measureNorm: step % tracedNormSteps === 0,
    })
    if (trainer.unreadCount < backend.stepsPerRead) continue
    for (const reading of await trainer.read()) {
      readings.push(reading)
      nonFinite = Number.isFinite(reading.loss) ? 0 : nonFinite + 1
    }
  }
  const isDiverged = nonFinite >= nonFiniteMax
  if (!isDiverged) readings.push(...(await trainer.read()))
  return {
    checkpoints,
    observed: {
      kind: 'run',
      ...key,
      budgetSteps,
      rampSteps,
      momentum,
      batchSize: task.batchSize,
      microBatchSize:
        readings.find((reading) => reading.microBatchSize !== null)?.microBatchSize ?? task.batchSize,
      divergedAtStep: isDiverged ? readings.length : null,
      stepSeconds: mean(readings.map(({ stepSeconds }) => stepSeconds)),
      signalSeconds: mean(readings.map(({ signalSeconds }) => signalSeconds)),
      loss: readings.map(({ loss }) => loss ?? Number.NaN),
      columns: columnsOf(readings),
      probes,
    },
  }
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

function columnsOf(readings: readonly StepReading[]): Partial<Record<SparseColumn, Sparse>> {
  const columns: Partial<Record<SparseColumn, Sparse>> = {}
  for (const name of sparseColumns) {
    const measured = readings.filter((reading) => reading[name] !== null)
    if (measured.length === 0) continue
    columns[name] = {
      step: measured.map(({ step }) => step),
      value: measured.map((reading) => reading[name]!),
    }
  }
  return columns
}
