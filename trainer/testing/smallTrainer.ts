// A trainer on the small task, and its steps without their times, for tests.

import type { Backend } from '../backends/backend.ts'
import { createModel, type ModelName } from '../models/models.ts'
import type { OptimizerName } from '../optimizers/optimizer.ts'
import { createOptimizer } from '../optimizers/optimizers.ts'
import type { StepReading } from '../signals.ts'
import { createTrainer, type Trainer } from '../trainer.ts'
import { smallTask } from './smallTask.ts'

const dataset = smallTask()

export type SmallTrainerOptions = {
  readonly optimizer?: OptimizerName
  readonly model?: ModelName
  readonly seed?: number
  readonly batchSize?: number
}

export function smallTrainer(backend: Backend, options: SmallTrainerOptions = {}): Trainer {
  const { optimizer = 'momentum', model = 'mlp', seed = 1, batchSize = 16 } = options
  return createTrainer({
    backend,
    dataset,
    model: createModel(model, dataset),
    optimizer: createOptimizer(optimizer),
    batchSize,
    seed,
    probeExamples: 32,
    lineExamples: 32,
    blockSteps: 4,
  })
}

export type UntimedReading = Omit<StepReading, 'stepSeconds' | 'signalSeconds'>

/** Takes steps, measuring micro-batches at each 5th and the update at each 10th, and gives what they showed. */
export async function takeSteps(
  trainer: Trainer,
  count: number,
  learningRate = 0.02,
): Promise<UntimedReading[]> {
  for (let i = 0; i < count; i++)
    trainer.step({
      learningRate,
      momentum: 0.9,
      measureMicroBatches: trainer.stepCount % 5 === 0,
      measureUpdate: trainer.stepCount % 10 === 0,
    })
  return (await trainer.read()).map(({ stepSeconds, signalSeconds, ...reading }) => {
    if (signalSeconds > stepSeconds) throw new Error(`step ${reading.step} must take longer than its signals`)
    return reading
  })
}

export const takeLosses = async (trainer: Trainer, count: number): Promise<(number | null)[]> =>
  (await takeSteps(trainer, count)).map(({ loss }) => loss)
