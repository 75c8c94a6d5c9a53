// What the experiments share: runs of our own trainer at a rate and momentum that the experiment sets step by step,
// scored on fixed examples under fixed weights. Nothing here steers: signals and probes are off. The images are
// read once for all runs, as reading them takes longer than a short run.

import * as tf from '@tensorflow/tfjs-core'
import type { Backend } from '../../trainer/backends/backend.ts'
import { openBackend } from '../../trainer/backends/openBackend.ts'
import type { Checkpoint } from '../../trainer/checkpoints.ts'
import { createBatchMaker, disposeBatch } from '../../trainer/data/batches.ts'
import { type Dataset, indexRange } from '../../trainer/data/dataset.ts'
import { loadTask, type TaskName } from '../../trainer/data/task.ts'
import { logitsOf } from '../../trainer/models/model.ts'
import { createModel } from '../../trainer/models/models.ts'
import { createOptimizer } from '../../trainer/optimizers/optimizers.ts'
import { createTrainer, type TestScore } from '../../trainer/trainer.ts'

/** What is trained. */
export type Subject = {
  readonly task: TaskName
  readonly trainExamples: number
  readonly widths: readonly number[]
  readonly batchSize: number
  readonly labelNoise?: number
}

export type Rates = { readonly learningRate: number; readonly momentum: number }

export type LabRun = {
  readonly stepsPerEpoch: number
  /** A minibatch's loss was not finite: no more steps are taken, and every score is NaN. */
  readonly isBroken: boolean
  take(stepCount: number, rates: Rates): Promise<void>
  /** Loss of each of the fixed training examples, with the labels that are trained on. */
  exampleLosses(): Promise<Float32Array>
  trainingLoss(): Promise<number>
  test(): Promise<TestScore>
  heldOut(): Promise<TestScore>
  /** The present state; the caller owns its tensors. */
  capture(): Checkpoint
  /** Goes on from a state, also from that of a run with another batch size. */
  resumeFrom(checkpoint: Checkpoint): void
  dispose(): void
}

export type Lab = { start(subject: Subject, seed: number): LabRun }

/** Training examples whose loss is the training loss. */
export const lossExamples = 2_000

/** Cross-entropy of each row: log Σ exp(z − max z) − (z_label − max z). */
function crossEntropies(logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor1D {
  const shifted = tf.sub(logits, tf.max(logits, 1, true))
  const chosen = tf.sum(tf.mul(shifted, labels), 1)
  return tf.sub(tf.log(tf.sum(tf.exp(shifted), 1)), chosen) as tf.Tensor1D
}

export const meanLoss = (losses: Float32Array): number =>
  losses.reduce((sum, loss) => sum + loss, 0) / losses.length

const noScore: TestScore = { loss: Number.NaN, accuracy: Number.NaN }

function startRun(backend: Backend, dataset: Dataset, subject: Subject, seed: number): LabRun {
  const { batchSize, widths } = subject
  const model = createModel('mlp', { ...dataset, widths })
  const trainer = createTrainer({
    backend,
    dataset,
    model,
    optimizer: createOptimizer('momentum'),
    batchSize,
    seed,
  })
  const count = Math.min(lossExamples, dataset.train.count)
  const scored = createBatchMaker(dataset)(dataset.train, indexRange(0, count))
  let isBroken = false

  const readSteps = async (): Promise<void> => {
    const readings = await trainer.read()
    if (readings.some(({ loss }) => !Number.isFinite(loss ?? Number.NaN))) isBroken = true
  }
  const exampleLosses = async (): Promise<Float32Array> => {
    if (isBroken) return new Float32Array(count).fill(Number.NaN)
    const losses = tf.tidy(() =>
      crossEntropies(logitsOf(model, trainer.weights(), scored.inputs), scored.labels),
    )
    const values = await losses.data()
    losses.dispose()
    return Float32Array.from(values)
  }
  return {
    stepsPerEpoch: Math.floor(dataset.train.count / batchSize),
    get isBroken() {
      return isBroken
    },
    take: async (stepCount, rates) => {
      for (let taken = 0; taken < stepCount && !isBroken; taken++) {
        trainer.step({ ...rates, measureNorm: false })
        if (trainer.unreadCount >= backend.stepsPerRead) await readSteps()
      }
      if (trainer.unreadCount > 0) await readSteps()
    },
    exampleLosses,
    trainingLoss: async () => meanLoss(await exampleLosses()),
    test: async () => (isBroken ? noScore : trainer.evaluateTest()),
    heldOut: async () => (isBroken ? noScore : trainer.evaluateHeldOut()),
    capture: () => trainer.capture(),
    resumeFrom: (checkpoint) => {
      trainer.resumeFrom(checkpoint, checkpoint.step)
      isBroken = false
    },
    dispose: () => {
      disposeBatch(scored)
      trainer.dispose()
    },
  }
}

/** @throws BackendError where WebAssembly cannot be used. */
export async function openLab(): Promise<Lab> {
  const { backend } = await openBackend('wasm')
  const wholes = new Map<TaskName, Dataset>()
  return {
    start: (subject, seed) => {
      const { task, trainExamples, labelNoise = 0 } = subject
      const whole = wholes.get(task) ?? loadTask(task, { seed })
      wholes.set(task, whole)
      return startRun(backend, loadTask(task, { seed, trainExamples, labelNoise }, whole), subject, seed)
    },
  }
}
