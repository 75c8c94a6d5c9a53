// The task matrix of the decision benchmarks: small enough for two cores, different enough to tell rules apart.
// Fashion on 10,000 examples runs for many epochs, so a long anneal can overfit; with 30 % wrong labels and a
// smaller set it memorises them. Each job's default rate is the usual one for its optimizer; the grid around it
// is what a patient person would try.

import type { TaskName } from '../trainer/data/task.ts'
import type { ModelName } from '../trainer/models/models.ts'
import type { OptimizerName } from '../trainer/optimizers/optimizer.ts'
import type { JobOptions } from './steeredRun.ts'

export type BenchTask = {
  /** The task's name in tables and files. */
  readonly name: string
  readonly task: TaskName
  readonly model: ModelName
  readonly widths: readonly number[]
  readonly batchSize: number
  readonly trainExamples?: number
  readonly labelNoise?: number
  readonly optimizer: OptimizerName
  readonly budgetSteps: number
  readonly defaultRate: number
  /** Ascending, about a factor 3 apart, with the default rate among them. */
  readonly rateGrid: readonly number[]
  readonly seeds: readonly number[]
}

const sgdRates = { optimizer: 'momentum', defaultRate: 0.1, rateGrid: [0.003, 0.01, 0.03, 0.1] } as const
const seeds = [1, 2, 3] as const
const smallMlp = { model: 'mlp', widths: [64, 32], batchSize: 64 } as const

export const benchTasks: readonly BenchTask[] = [
  {
    name: 'fashion',
    task: 'fashion',
    ...smallMlp,
    trainExamples: 10_000,
    ...sgdRates,
    budgetSteps: 3_000,
    seeds,
  },
  {
    name: 'noise',
    task: 'fashion',
    ...smallMlp,
    trainExamples: 5_000,
    labelNoise: 0.3,
    ...sgdRates,
    budgetSteps: 3_000,
    seeds,
  },
  { name: 'mnist', task: 'mnist', ...smallMlp, ...sgdRates, budgetSteps: 2_000, seeds },
  { name: 'digits', task: 'digits', ...smallMlp, ...sgdRates, budgetSteps: 1_400, seeds },
  {
    name: 'cnn',
    task: 'fashion',
    model: 'cnn',
    widths: [4, 8],
    batchSize: 32,
    trainExamples: 10_000,
    ...sgdRates,
    budgetSteps: 600,
    seeds,
  },
  {
    name: 'text',
    task: 'text',
    model: 'mlp',
    widths: [64, 64],
    batchSize: 64,
    optimizer: 'adam',
    defaultRate: 0.001,
    rateGrid: [0.0003, 0.001, 0.003, 0.01],
    budgetSteps: 3_000,
    seeds,
  },
]

/** @throws RangeError for a name that is not in the matrix. */
export function benchTask(name: string): BenchTask {
  const found = benchTasks.find((task) => task.name === name)
  if (found !== undefined) return found
  throw new RangeError(`task must be one of ${benchTasks.map((task) => task.name).join(', ')}, got ${name}`)
}

/** The task as a job of the trainer; without `learningRate` the tuner looks for one. */
export function jobOf(task: BenchTask, run: { seed: number; learningRate?: number }): JobOptions {
  const { name: _name, defaultRate: _rate, rateGrid: _grid, seeds: _seeds, ...job } = task
  return { ...job, ...run, backend: 'wasm' }
}
