// One training step that shows whether a backend computes what it should: a small convolutional network on made-up
// images, its gradients and the loss after a step, compared with the plain JavaScript backend's. All that training
// uses is in it: convolution, pooling, products, the loss, their derivatives, momentum.

import * as tf from '@tensorflow/tfjs-core'
import type { Batch } from '../data/batches.ts'
import { registerGradients } from '../kernels/gradients.ts'
import { createCnn } from '../models/cnn.ts'
import { lossAndGradients } from '../models/model.ts'
import { createOptimizer } from '../optimizers/optimizers.ts'
import { createRandom } from '../random.ts'

const shape = { height: 12, width: 12, classCount: 5 }
const batchSize = 64
const learningRate = 0.01
const seed = 20

/**
 * Cards multiply in TF32, which keeps 10 binary digits of each factor (a relative error of 2^-11 each); everything
 * else is 1e-6 or better. A wrong kernel is wrong by a whole part.
 */
export const gradientErrorMax = 0.01

export type StepResult = {
  readonly lossBefore: number
  readonly lossAfter: number
  /** All gradients, one weight after the other. */
  readonly gradients: Float32Array
}

export type StepComparison = {
  readonly lossBefore: number
  readonly lossAfter: number
  /** ‖g − g₀‖ / ‖g₀‖ with g₀ of the plain backend. */
  readonly gradientError: number
}

function madeUpBatch(): Batch {
  const random = createRandom(seed)
  const size = shape.height * shape.width
  const inputs = Float32Array.from({ length: batchSize * size }, () => random.normal())
  const labels = new Float32Array(batchSize * shape.classCount)
  for (let row = 0; row < batchSize; row++)
    labels[row * shape.classCount + random.integer(shape.classCount)] = 1
  return {
    inputs: tf.tensor2d(inputs, [batchSize, size]),
    labels: tf.tensor2d(labels, [batchSize, shape.classCount]),
    count: batchSize,
  }
}

/** One step on the present backend; leaves no tensor behind. */
export function trainingStep(): StepResult {
  registerGradients()
  return tf.tidy(() => {
    const model = createCnn(shape)
    const weights = model.initialWeights(createRandom(seed + 1))
    const batch = madeUpBatch()
    const optimizer = createOptimizer('momentum')
    const before = lossAndGradients(model, weights, batch)
    const next = optimizer.step(weights, before.gradients, { learningRate, momentum: 0.9 })
    const after = lossAndGradients(model, next, batch)
    const gradients = tf.concat(before.gradients.map((gradient) => tf.reshape(gradient, [-1])))
    const result = {
      lossBefore: before.loss.dataSync()[0]!,
      lossAfter: after.loss.dataSync()[0]!,
      gradients: Float32Array.from(gradients.dataSync()),
    }
    optimizer.dispose()
    return result
  })
}

const norm = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

/**
 * The same step on a started backend and on the plain one; the former stays in use.
 * @throws Error with a sentence if they differ, or if the loss did not fall.
 */
export async function compareTrainingStep(backendName: string): Promise<StepComparison> {
  await import('@tensorflow/tfjs-backend-cpu')
  await tf.setBackend('cpu')
  const expected = trainingStep()
  await tf.setBackend(backendName)
  const found = trainingStep()
  const difference = found.gradients.map((value, index) => value - expected.gradients[index]!)
  const gradientError = norm(difference) / norm(expected.gradients)
  const { lossBefore, lossAfter } = found
  if (!(gradientError <= gradientErrorMax))
    throw new Error(
      `the gradients on ${backendName} must agree with plain JavaScript's to ${gradientErrorMax}, their relative difference is ${gradientError.toPrecision(2)}`,
    )
  if (!(lossAfter < lossBefore))
    throw new Error(
      `a training step on ${backendName} must lower the loss, it went from ${lossBefore} to ${lossAfter}`,
    )
  return { lossBefore, lossAfter, gradientError }
}
