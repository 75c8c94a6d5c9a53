import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backends/openBackend.ts'
import { disposeBatch } from '../data/batches.ts'
import { lossAndGradients } from '../models/model.ts'
import { createModel, modelNames } from '../models/models.ts'
import { disposeAll } from '../optimizers/optimizer.ts'
import { createRandom } from '../random.ts'
import { smallBatch, smallTask } from '../testing/smallTask.ts'
import { microBatchGradients } from './microBatches.ts'

beforeAll(async () => {
  await openBackend('wasm')
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

const squares = (tensors: readonly tf.Tensor[]) =>
  tensors.reduce((sum, tensor) => sum + Math.hypot(...tensor.dataSync()) ** 2, 0)

describe.each(modelNames)('micro-batch gradients of the %s', (name) => {
  for (const onePass of [true, false])
    it(`${onePass ? 'in one pass' : 'in four passes'} are those of the quarters, and their mean is that of the batch`, () => {
      const dataset = smallTask()
      const model = createModel(name, dataset)
      const weights = model.initialWeights(createRandom(2))
      const batch = smallBatch(dataset, 32)
      const whole = lossAndGradients(model, weights, batch)
      const norms = [0, 8, 16, 24].map((from) => {
        const part = smallBatch(dataset, 8, from)
        const { loss, gradients } = lossAndGradients(model, weights, part)
        const norm = squares(gradients)
        disposeAll([loss, ...gradients])
        disposeBatch(part)
        return norm
      })
      const expected = norms.reduce((a, b) => a + b) / 4
      const quarter = (gradients: readonly tf.Tensor[]) => gradients.map(({ shape }) => tf.fill(shape, 0.25))
      const got = microBatchGradients(model, weights, batch, quarter, onePass)
      expect(got.microNormSquared.dataSync()[0]! / expected).toBeCloseTo(1, 4)
      expect(got.preconditioned!.microNormSquared.dataSync()[0]! / expected).toBeCloseTo(0.25, 4)
      const ratio = got.preconditioned!.normSquared.dataSync()[0]! / squares(got.gradients)
      expect(ratio).toBeCloseTo(0.25, 4)
      expect(got.loss.dataSync()[0]).toBeCloseTo(whole.loss.dataSync()[0]!, 5)
      got.gradients.forEach((gradient, index) => {
        const difference = tf.tidy(
          () => tf.max(tf.abs(tf.sub(gradient, whole.gradients[index]!))).dataSync()[0]!,
        )
        expect(difference).toBeLessThan(1e-6)
      })
      disposeAll([got.loss, got.microNormSquared, ...Object.values(got.preconditioned!), whole.loss])
      disposeAll([...got.gradients, ...whole.gradients, ...weights])
      disposeBatch(batch)
    })
})
