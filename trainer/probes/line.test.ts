import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Backend, readEach } from '../backends/backend.ts'
import { openBackend } from '../backends/openBackend.ts'
import { disposeBatch } from '../data/batches.ts'
import { crossEntropy, logitsOf, lossAndGradients, type Model, type Weights } from '../models/model.ts'
import { createModel, modelNames } from '../models/models.ts'
import { disposeAll } from '../optimizers/optimizer.ts'
import { createRandom } from '../random.ts'
import { smallBatch, smallTask } from '../testing/smallTask.ts'
import { createLineLoss, criticalRate, lineStart, measureAlongUpdate, measureNoiseCurvature } from './line.ts'

let backend: Backend
beforeAll(async () => {
  backend = (await openBackend('wasm')).backend
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

describe('the search for the critical rate', () => {
  // L(η) = −η·s + ½hη²: the loss is back at L(0) at η_c = 2s/h.
  const quadratic = (critical: number) => (eta: number) => Promise.resolve(eta * eta - critical * eta)
  it('finds it from below, from above and from the spot, to a factor of the fourth root of 2', async () => {
    for (const start of [0.02, 0.1, 0.5, 3]) {
      const { rate, safe } = await criticalRate(quadratic(0.3), 0, start)
      expect(rate! / 0.3).toBeGreaterThanOrEqual(1)
      expect(rate! / 0.3).toBeLessThanOrEqual(2 ** 0.25 + 1e-9)
      expect(safe!.rate).toBeLessThan(rate!)
    }
  })
  it('gives up where no rate raises the loss, and where every rate does', async () => {
    expect((await criticalRate((eta) => Promise.resolve(-eta), 0, 1)).rate).toBeNull()
    expect(await criticalRate((eta) => Promise.resolve(eta), 0, 1)).toEqual({ rate: null, safe: null })
  })
  it('takes a loss that is not finite as raised', async () => {
    const { rate } = await criticalRate((eta) => Promise.resolve(eta > 0.5 ? Number.NaN : -eta), 0, 0.1)
    expect(rate!).toBeGreaterThan(0.5)
    expect(rate!).toBeLessThan(0.8)
  })
  it('ends within eight forward passes', async () => {
    let passes = 0
    await criticalRate((eta) => Promise.resolve(++passes && eta - 1e-9), 0, 1)
    expect(passes).toBeLessThanOrEqual(8)
  })
})

function setting(name: (typeof modelNames)[number]) {
  const dataset = smallTask()
  const model = createModel(name, dataset)
  const weights = model.initialWeights(createRandom(11))
  const examples = smallBatch(dataset, 64)
  return { dataset, model, weights, examples }
}

function lossAt(
  model: Model,
  weights: Weights,
  direction: readonly tf.Tensor[],
  t: number,
  batch: ReturnType<typeof smallBatch>,
): number {
  return tf.tidy(() => {
    const moved = weights.map((weight, index) => tf.add(weight, tf.mul(direction[index]!, t)))
    return crossEntropy(logitsOf(model, moved, batch.inputs), batch.labels).dataSync()[0]!
  })
}

describe.each(modelNames)('the line probe on the %s', (name) => {
  it('computes the loss on a line as the whole model does', async () => {
    const { model, weights, examples } = setting(name)
    const { loss, gradients } = lossAndGradients(model, weights, examples)
    const { context, lossHere } = await lineStart(backend, model, weights, examples)
    // Sums in another order, in 32 bits: 1e-6.
    expect(Math.abs(lossHere - loss.dataSync()[0]!)).toBeLessThan(1e-5)
    const line = createLineLoss(context, gradients)
    for (const t of [-0.3, -0.05, 0.1])
      expect(await line.at(t)).toBeCloseTo(lossAt(model, weights, gradients, t, examples), 4)
    line.dispose()
    disposeAll([loss, ...gradients, ...weights, context.stem])
    disposeBatch(examples)
  })

  it('brackets the rate at which a step along the gradient stops paying', async () => {
    const { model, weights, examples } = setting(name)
    const { loss, gradients } = lossAndGradients(model, weights, examples)
    const { context, lossHere } = await lineStart(backend, model, weights, examples)
    const { criticalLearningRate, curvature } = await measureAlongUpdate(context, gradients, {
      lossHere,
      lastRate: null,
      start: 0.1,
    })
    const critical = criticalLearningRate!
    expect(lossAt(model, weights, gradients, -critical, examples)).toBeGreaterThan(lossHere)
    expect(lossAt(model, weights, gradients, -critical / 2, examples)).toBeLessThan(lossHere)
    expect(curvature).toBeGreaterThan(0)
    // From the place where a step of 0.1 would lead, the probe looks back to where the step began.
    const moved = weights.map((weight, index) =>
      tf.tidy(() => tf.sub(weight, tf.mul(gradients[index]!, 0.1))),
    )
    const after = await lineStart(backend, model, moved, examples)
    const again = await measureAlongUpdate(after.context, gradients, {
      lossHere: after.lossHere,
      lastRate: 0.1,
      start: 0.1,
    })
    expect(again.criticalLearningRate! / critical).toBeCloseTo(1, 3)
    disposeAll([loss, ...gradients, ...weights, ...moved, context.stem, after.context.stem])
    disposeBatch(examples)
  })

  it('measures the noise curvature as a second difference of the whole loss, and in a metric', async () => {
    const { dataset, model, weights, examples } = setting(name)
    const parts = [smallBatch(dataset, 16), smallBatch(dataset, 16, 100)]
    const passes = parts.map((part) => lossAndGradients(model, weights, part))
    const { context, lossHere } = await lineStart(backend, model, weights, examples)
    const pair = [passes[0]!.gradients, passes[1]!.gradients] as const
    const direction = pair[0].map((g, index) => tf.sub(g, pair[1][index]!))
    const norm = Math.sqrt(direction.reduce((sum, d) => sum + Math.hypot(...d.dataSync()) ** 2, 0))
    const epsilon = 0.05 / norm
    const at = (t: number) => lossAt(model, weights, direction, t, examples)
    const expected = (at(epsilon) - 2 * at(0) + at(-epsilon)) / 0.05 ** 2
    const got = await measureNoiseCurvature(context, pair, undefined, lossHere)
    // A loss of order 1 in 32 bits errs by 1e-7; divided by 0.05² that is 1e-4, times the three terms.
    expect(Math.abs(got! - expected)).toBeLessThan(5e-4)
    // With M⁻¹ = ½: d is halved, ε‖d‖ stays, dᵀMd = ½‖g_a − g_b‖²: the curvature is halved.
    const half = (gradients: readonly tf.Tensor[]) => gradients.map(({ shape }) => tf.fill(shape, 0.5))
    expect(
      Math.abs((await measureNoiseCurvature(context, pair, half, lossHere))! - expected / 2),
    ).toBeLessThan(5e-4)
    expect(await measureNoiseCurvature(context, [pair[0], pair[0]], undefined, lossHere)).toBeNull()
    disposeAll([
      ...passes.flatMap(({ loss, gradients }) => [loss, ...gradients]),
      ...weights,
      ...direction,
      context.stem,
    ])
    for (const part of [...parts, examples]) disposeBatch(part)
  })
})

describe('a backend that reads in pieces', () => {
  it('gives scalars in their order', async () => {
    const scalars = [tf.scalar(3), tf.scalar(Number.NaN), tf.scalar(-1)]
    expect([...(await readEach(scalars))]).toEqual([3, Number.NaN, -1])
    disposeAll(scalars)
  })
})
