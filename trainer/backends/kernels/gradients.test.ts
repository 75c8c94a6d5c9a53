import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { disposeBatch } from '../../data/batches.ts'
import { crossEntropy, logitsOf, lossAndGradients, type Model, type Weights } from '../../models/model.ts'
import { createModel, modelNames } from '../../models/models.ts'
import { disposeAll } from '../../optimizers/optimizer.ts'
import { createRandom } from '../../random.ts'
import { smallBatch, smallTask } from '../../testing/smallTask.ts'
import { smallText } from '../../testing/smallText.ts'
import { openBackend } from '../openBackend.ts'

// A 32-bit loss near 1 is exact to 1e-7; a central difference over ε = 0.01 then errs by 1e-5 and by ε² of the
// third derivative. Directional derivatives here are of order 0.1 to 1.
const epsilon = 0.01
const tolerance = 3e-3

beforeAll(async () => {
  await openBackend('wasm')
})
afterAll(() => {
  expect(tf.memory().numTensors).toBe(0)
})

function lossAlong(
  model: Model,
  weights: Weights,
  index: number,
  direction: tf.Tensor,
  t: number,
  batch: ReturnType<typeof smallBatch>,
): number {
  return tf.tidy(() => {
    const moved = weights.map((weight, i) => (i === index ? tf.add(weight, tf.mul(direction, t)) : weight))
    return crossEntropy(logitsOf(model, moved, batch.inputs), batch.labels).dataSync()[0]!
  })
}

const cases = [
  ...modelNames.map((name) => ({ name, dataset: smallTask() })),
  { name: 'mlp', dataset: smallText() },
] as const
for (const { name, dataset } of cases)
  describe(`gradients of the ${name} on the ${dataset.name} task`, () => {
    it('equal finite differences of the loss, weight by weight', () => {
      const model = createModel(name, dataset)
      const random = createRandom(3)
      const weights = model.initialWeights(random)
      const batch = smallBatch(dataset, 32)
      const { loss, gradients } = lossAndGradients(model, weights, batch)
      weights.forEach((weight, index) => {
        const size = weight.size
        const raw = Float32Array.from({ length: size }, () => random.normal())
        const norm = Math.hypot(...raw)
        const direction = tf.tensor(
          raw.map((value) => value / norm),
          weight.shape,
        )
        const slope = tf.tidy(() => tf.sum(tf.mul(gradients[index]!, direction)).dataSync()[0]!)
        const at = (t: number) => lossAlong(model, weights, index, direction, t, batch)
        expect(Math.abs((at(epsilon) - at(-epsilon)) / (2 * epsilon) - slope)).toBeLessThan(tolerance)
        direction.dispose()
      })
      loss.dispose()
      disposeAll(gradients)
      disposeAll(weights)
      disposeBatch(batch)
    })
  })

describe('the cross-entropy', () => {
  it('stays finite for scores that would overflow an exponential', () => {
    const value = tf.tidy(
      () =>
        crossEntropy(
          tf.tensor2d([
            [1000, 0],
            [0, 1000],
          ]),
          tf.tensor2d([
            [1, 0],
            [1, 0],
          ]),
        ).dataSync()[0]!,
    )
    expect(value).toBeCloseTo(500, 3)
  })
  it('is the log of the class count for equal scores', () => {
    const value = tf.tidy(
      () =>
        crossEntropy(
          tf.zeros([3, 5]),
          tf.oneHot(tf.tensor1d([0, 1, 4], 'int32'), 5) as tf.Tensor2D,
        ).dataSync()[0]!,
    )
    expect(value).toBeCloseTo(Math.log(5), 6)
  })
  it('is NaN for NaN scores, not an error', () => {
    const value = tf.tidy(
      () => crossEntropy(tf.fill([1, 2], Number.NaN) as tf.Tensor2D, tf.tensor2d([[1, 0]])).dataSync()[0]!,
    )
    expect(value).toBeNaN()
  })
})

describe('the gradient of gather', () => {
  it('adds each row of dy to the row it came from', () => {
    tf.tidy(() => {
      const rows = tf.customGrad((x, save) => {
        ;(save as tf.GradSaveFunc)([x as tf.Tensor])
        return {
          value: tf.sum(x as tf.Tensor),
          gradFunc: (dy: tf.Tensor) => tf.fill([3, 2], dy.dataSync()[0]!),
        }
      })
      const [gradient] = tf.grads((x) => rows(tf.gather(x as tf.Tensor2D, tf.tensor1d([0, 2, 2], 'int32'))))([
        tf.zeros([3, 2]),
      ])
      expect([...gradient!.dataSync()]).toEqual([1, 1, 0, 0, 2, 2])
    })
  })
})
