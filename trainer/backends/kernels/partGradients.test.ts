import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { disposeBatch } from '../../data/batches.ts'
import { createModel, modelNames } from '../../models/models.ts'
import { disposeAll } from '../../optimizers/optimizer.ts'
import { microBatchGradients } from '../../probes/microBatches.ts'
import { createRandom } from '../../random.ts'
import { smallBatch, smallTask } from '../../testing/smallTask.ts'
import { openBackend } from '../openBackend.ts'
import { productNorm, rowSumNorm, takePartsTogether } from './partGradients.ts'

beforeAll(async () => {
  await openBackend('cpu')
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

const random = createRandom(11)
const normal = (shape: readonly number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    [...shape],
  )
const value = (x: tf.Tensor): number => x.dataSync()[0]!

describe('norms of parts without the parts', () => {
  it('of a product equal those of xᵀ·dy, part by part', () => {
    tf.tidy(() => {
      const [x, dy] = [normal([4, 6, 5]), normal([4, 6, 3])]
      const explicit = tf.sum(tf.square(tf.matMul(x, dy, true, false)))
      expect(value(productNorm([x, dy])) / value(explicit)).toBeCloseTo(1, 5)
    })
  })
  it('of a bias equal those of the sums of rows, also of images', () => {
    tf.tidy(() => {
      for (const shape of [
        [4, 6, 5],
        [4, 2, 3, 3, 5],
      ]) {
        const dy = normal(shape)
        const axes = shape.map((_, axis) => axis).slice(1, -1)
        expect(value(rowSumNorm([dy])) / value(tf.sum(tf.square(tf.sum(dy, axes))))).toBeCloseTo(1, 5)
      }
    })
  })
})

it('a backend that takes parts together gives the same gradients and norms', () => {
  const dataset = smallTask()
  const batch = smallBatch(dataset, 16)
  const measure = () =>
    modelNames.map((name) => {
      const model = createModel(name, dataset)
      const weights = model.initialWeights(createRandom(3))
      const { loss, gradients, microNormSquared } = microBatchGradients(model, weights, batch, undefined)
      const result = [value(microNormSquared), value(loss), ...gradients.map((g) => value(tf.sum(g)))]
      disposeAll([loss, microNormSquared, ...gradients, ...weights])
      return result
    })
  const expected = tf.tidy(measure)
  takePartsTogether('cpu')
  tf.tidy(measure).forEach((numbers, model) => {
    numbers.forEach((number, index) => {
      expect(number).toBeCloseTo(expected[model]![index]!, 4)
    })
  })
  disposeBatch(batch)
})
