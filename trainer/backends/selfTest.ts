// Does a backend compute what it should? One training step of a tiny convolutional network, compared with the plain
// JavaScript backend's: the loss before and after, the norm of each gradient, and what the step changed. It goes
// through convolution, pooling, products, sums that are long enough for the fast ways of our kernels, their
// derivatives, the loss and momentum. Nothing is read synchronously, which WebGPU cannot.
// Cost: .25 s of processor time on WebAssembly, of which .2 s are the plain backend's step, taken once a process.

import * as tf from '@tensorflow/tfjs-core'
import type { Batch } from '../data/batches.ts'
import { createCnn } from '../models/cnn.ts'
import { crossEntropy, logitsOf, lossAndGradients } from '../models/model.ts'
import { disposeAll } from '../optimizers/optimizer.ts'
import { createOptimizer } from '../optimizers/optimizers.ts'
import { createRandom } from '../random.ts'
import { registerGradients } from './kernels/gradients.ts'

const shape = { height: 6, width: 6, classCount: 3 }
const batchSize = 8
const rates = { learningRate: 0.01, momentum: 0.9 }
const seed = 20

/**
 * Cards multiply in TF32, which keeps 10 binary digits of each factor (a relative error of 2^-11 each), and agree to
 * about 1e-3; the others agree to 1e-6. A wrong kernel is wrong by a whole part.
 */
export const selfTestTolerance = 0.01

export type TestStep = {
  readonly lossBefore: number
  readonly lossAfter: number
  /** ‖g‖ of each weight's gradient, in the model's order. */
  readonly gradientNorms: readonly number[]
  /** w_after − w_before, one weight after the other. */
  readonly change: Float32Array
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

/** The step on the present backend; leaves no tensor behind. */
export async function takeTestStep(): Promise<TestStep> {
  registerGradients()
  const results = tf.tidy(() => {
    const model = createCnn(shape)
    const weights = model.initialWeights(createRandom(seed + 1))
    const batch = madeUpBatch()
    const optimizer = createOptimizer('momentum')
    const before = lossAndGradients(model, weights, batch)
    const next = optimizer.step(weights, before.gradients, rates)
    const after = crossEntropy(logitsOf(model, next, batch.inputs), batch.labels)
    optimizer.dispose()
    const changes = next.map((weight, index) => tf.reshape(tf.sub(weight, weights[index]!), [-1]))
    const norms = before.gradients.map((gradient) => tf.sqrt(tf.sum(tf.square(gradient))))
    return [before.loss, after, tf.stack(norms), tf.concat(changes)]
  })
  const values = await Promise.all(results.map((tensor) => tensor.data()))
  disposeAll(results)
  const [lossBefore, lossAfter, norms, change] = values
  return {
    lossBefore: lossBefore![0]!,
    lossAfter: lossAfter![0]!,
    gradientNorms: [...norms!],
    change: Float32Array.from(change!),
  }
}

const norm = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0))

const relative = (found: number, expected: number): number => Math.abs(found - expected) / Math.abs(expected)

/** The largest relative difference of each kind, against the plain backend's step. NaN where one is not a number. */
export function stepErrors(found: TestStep, expected: TestStep): Readonly<Record<string, number>> {
  const difference = found.change.map((value, index) => value - expected.change[index]!)
  const norms = found.gradientNorms.map((value, index) => relative(value, expected.gradientNorms[index]!))
  return {
    'the loss': relative(found.lossBefore, expected.lossBefore),
    "a gradient's norm": Math.max(...norms),
    'the change of the weights': norm(difference) / norm(expected.change),
    'the loss after the step': relative(found.lossAfter, expected.lossAfter),
  }
}

let plainStep: TestStep | undefined

/** The plain backend's step; afterwards that backend is the present one, if it was not taken before. */
async function expectedStep(): Promise<TestStep> {
  if (plainStep !== undefined) return plainStep
  await import('@tensorflow/tfjs-backend-cpu')
  await tf.setBackend('cpu')
  plainStep = await takeTestStep()
  return plainStep
}

export type SelfTestResult = {
  readonly lossBefore: number
  readonly lossAfter: number
  /** The largest relative difference to the plain backend's step. */
  readonly difference: number
}

/**
 * Compares a step of the present tfjs backend, which stays in use.
 * @throws Error with a sentence if a difference is above `selfTestTolerance` or not a number.
 */
export async function selfTest(): Promise<SelfTestResult> {
  const name = tf.getBackend()
  const expected = await expectedStep()
  await tf.setBackend(name)
  const found = await takeTestStep()
  const errors = stepErrors(found, expected)
  for (const [what, error] of Object.entries(errors))
    if (!(error <= selfTestTolerance))
      throw new Error(
        `it computes something else than plain JavaScript: in a training step ${what} must agree to ${selfTestTolerance}, it differs by ${error.toPrecision(2)} of its size`,
      )
  const { lossBefore, lossAfter } = found
  return { lossBefore, lossAfter, difference: Math.max(...Object.values(errors)) }
}
