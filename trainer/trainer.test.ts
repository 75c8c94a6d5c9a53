import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from './backends/backend.ts'
import { openBackend } from './backends/openBackend.ts'
import { checkpointsMax } from './checkpoints.ts'
import { optimizerNames } from './optimizers/optimizer.ts'
import { type SmallTrainerOptions, smallTrainer, takeLosses, takeSteps } from './testing/smallTrainer.ts'
import type { Trainer } from './trainer.ts'

let backend: Backend
beforeAll(async () => {
  backend = (await openBackend('wasm')).backend
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

const newTrainer = (options?: SmallTrainerOptions): Trainer => smallTrainer(backend, options)

describe('training', () => {
  it.each(optimizerNames)('with %s lowers the loss and learns the small task', async (optimizer) => {
    const trainer = newTrainer({ optimizer })
    const before = await trainer.evaluateTest()
    const curve = await takeSteps(trainer, 80, optimizer === 'adam' ? 0.005 : 0.02)
    const after = await trainer.evaluateTest()
    expect(after.loss).toBeLessThan(before.loss / 2)
    expect(after.accuracy).toBeGreaterThan(0.8)
    expect(curve.map(({ step }) => step)).toEqual(Array.from({ length: 80 }, (_, step) => step))
    trainer.dispose()
  })
  it('gives identical curves for one seed, and others for another', async () => {
    const curve = async (seed: number) => {
      const trainer = newTrainer({ seed, model: 'cnn' })
      const result = await takeSteps(trainer, 12)
      trainer.dispose()
      return result
    }
    const first = await curve(1)
    expect(await curve(1)).toEqual(first)
    expect((await curve(2))[0]!.loss).not.toBe(first[0]!.loss)
  })
  it('measures what was asked for, and null elsewhere', async () => {
    const trainer = newTrainer({ optimizer: 'adam' })
    const readings = await takeSteps(trainer, 11)
    const measured = (step: number) =>
      Object.entries(readings[step]!).flatMap(([name, value]) => (value === null ? [] : [name]))
    const plain = ['step', 'learningRate', 'momentum', 'batchSize', 'loss', 'gradientNormSquared']
    const split = [
      ...plain,
      'microBatchSize',
      'microGradientNormSquared',
      'preconditionedGradientNormSquared',
      'preconditionedMicroGradientNormSquared',
    ]
    expect(measured(3).sort()).toEqual([...plain].sort())
    expect(measured(5).sort()).toEqual([...split].sort())
    expect(measured(10).sort()).toEqual(
      [...split, 'gradientDotUpdate', 'updateNormSquared', 'weightNormSquared'].sort(),
    )
    // A batch's gradient is the mean of its quarters', so by convexity its squared norm is at most their mean.
    expect(readings[5]!.gradientNormSquared!).toBeLessThanOrEqual(readings[5]!.microGradientNormSquared!)
    expect(readings[5]!.microBatchSize).toBe(4)
    trainer.dispose()
  })
  it('of batches that cannot be split offers no micro-batch norms', async () => {
    const trainer = newTrainer({ batchSize: 10 })
    expect(trainer.splitsBatches).toBe(false)
    const [reading] = await takeSteps(trainer, 1)
    expect(reading!.microGradientNormSquared).toBeNull()
    expect(reading!.weightNormSquared).toBeGreaterThan(0)
    trainer.dispose()
  })
  it('goes through a diverging rate without an error, and says NaN', async () => {
    const trainer = newTrainer()
    const curve = await takeSteps(trainer, 30, 1e30)
    expect(Number.isFinite(curve.at(-1)!.loss)).toBe(false)
    const probe = await trainer.valleyProbe()
    expect(Number.isFinite(probe.raw.loss)).toBe(false)
    const line = await trainer.lineProbe(1e30)
    expect([line.curvature, line.noiseCurvature]).toEqual([null, null])
    trainer.dispose()
  })
  it('refuses a batch larger than the data', () => {
    expect(() => newTrainer({ batchSize: 257 })).toThrow(
      'batchSize must be a whole number from 1 to the 256 training examples, got 257',
    )
  })
})

describe('tensors', () => {
  it.each(['mlp', 'cnn'] as const)(
    'stay as many over steps, probes and checkpoints of the %s',
    async (model) => {
      const trainer = newTrainer({ model, optimizer: 'adam' })
      const cycle = async () => {
        await takeSteps(trainer, 20)
        await trainer.valleyProbe()
        await trainer.lineProbe(0.02)
        trainer.checkpoint('a')
        await takeSteps(trainer, 3)
        trainer.restore('a', { rewindData: true })
        await takeSteps(trainer, 20)
        await trainer.evaluateHeldOut()
        trainer.drop('a')
      }
      await cycle()
      const { numTensors, numBytes } = tf.memory()
      await cycle()
      await cycle()
      expect(tf.memory().numTensors).toBe(numTensors)
      expect(tf.memory().numBytes).toBe(numBytes)
      trainer.dispose()
    },
  )
  it('go with a trainer that has unread steps and kept checkpoints', () => {
    const trainer = newTrainer()
    trainer.step({ learningRate: 0.02, momentum: 0.9 })
    trainer.checkpoint('a')
    trainer.dispose()
    expect(tf.memory().numTensors).toBe(0)
  })
})

describe('a checkpoint', () => {
  it.each(optimizerNames)(
    'with %s brings the same steps again, bit for bit, when the data is taken back too',
    async (optimizer) => {
      const trainer = newTrainer({ optimizer })
      await takeSteps(trainer, 18)
      trainer.checkpoint('here')
      const first = await takeLosses(trainer, 25)
      trainer.restore('here', { rewindData: true })
      expect(await takeLosses(trainer, 25)).toEqual(first)
      expect(trainer.stepCount).toBe(68)
      trainer.dispose()
    },
  )
  it('leaves the data order alone unless asked, and skips batches', async () => {
    const trainer = newTrainer()
    trainer.checkpoint('start')
    const first = await takeLosses(trainer, 4)
    trainer.restore('start', { rewindData: true, skipBatches: 2 })
    const skipped = await takeLosses(trainer, 1)
    trainer.restore('start')
    const onward = await takeLosses(trainer, 1)
    expect(skipped[0]).not.toBe(first[0])
    expect(onward[0]).not.toBe(skipped[0])
    const other = newTrainer()
    other.checkpoint('start')
    await takeSteps(other, 2)
    other.restore('start')
    expect((await takeLosses(other, 1))[0]).toBe(skipped[0])
    trainer.dispose()
    other.dispose()
  })
  it('starts the averages anew', async () => {
    const trainer = newTrainer()
    await takeSteps(trainer, 20)
    trainer.checkpoint('a')
    expect((await trainer.valleyProbe()).averaged.map(({ windowSteps }) => windowSteps)).toEqual([4, 8, 16])
    trainer.restore('a')
    expect((await trainer.valleyProbe()).averaged).toEqual([])
    trainer.dispose()
  })
  it('beyond the limit drops the oldest, and says which', () => {
    const trainer = newTrainer()
    const dropped = Array.from({ length: checkpointsMax + 2 }, (_, index) =>
      trainer.checkpoint(`c${index}`),
    ).flat()
    expect(dropped).toEqual(['c0', 'c1'])
    expect(trainer.checkpointNames()).toHaveLength(checkpointsMax)
    trainer.dispose()
  })
  it('that does not exist is named, with those that do', () => {
    const trainer = newTrainer()
    expect(() => trainer.restore('x')).toThrow('checkpoint must be one of (none kept), got x')
    trainer.checkpoint('a')
    expect(() => trainer.restore('x')).toThrow('checkpoint must be one of a, got x')
    expect(trainer.drop('x')).toBe(false)
    trainer.dispose()
  })
  it('or the averaged weights can be kept as the result', async () => {
    const trainer = newTrainer()
    expect(() => trainer.keep('averaged')).toThrow('got averaged without a finished block')
    await takeSteps(trainer, 8)
    const { raw, averaged } = await trainer.valleyProbe()
    trainer.checkpoint('raw')
    trainer.keep('averaged')
    const kept = await trainer.valleyProbe()
    expect(kept.raw.loss).toBeCloseTo(averaged[0]!.loss, 6)
    trainer.keep({ checkpoint: 'raw' })
    expect((await trainer.valleyProbe()).raw).toEqual(raw)
    trainer.keep('last')
    trainer.dispose()
  })
})

describe('probes', () => {
  it('change nothing of the steps that follow', async () => {
    const plain = newTrainer()
    const probed = newTrainer()
    const first = await takeLosses(plain, 12)
    const second = await takeLosses(probed, 6)
    await probed.valleyProbe()
    await probed.lineProbe(0.02)
    second.push(...(await takeLosses(probed, 6)))
    expect(second).toEqual(first)
    plain.dispose()
    probed.dispose()
  })
  it('say where, on how many examples and in which time they were made', async () => {
    const trainer = newTrainer()
    await takeSteps(trainer, 5)
    const valley = await trainer.valleyProbe()
    expect(valley).toMatchObject({ kind: 'valley', step: 5, set: 'held-out', examples: 32 })
    expect(valley.seconds).toBeGreaterThan(0)
    const line = await trainer.lineProbe(0.02)
    expect(line).toMatchObject({ kind: 'line', step: 5, examples: 32 })
    expect(line.criticalLearningRate).toBeGreaterThan(0)
    expect(Number.isFinite(line.noiseCurvature)).toBe(true)
    trainer.dispose()
  })
  it('of the valley carry the losses of 16 fixed parts, whose mean is the loss', async () => {
    const trainer = newTrainer()
    await takeSteps(trainer, 20)
    const { raw, averaged } = await trainer.valleyProbe()
    for (const { loss, lossByPart = [] } of [raw, ...averaged]) {
      expect(lossByPart).toHaveLength(16)
      expect(lossByPart.reduce((sum, part) => sum + part / 16, 0)).toBeCloseTo(loss, 5)
    }
    expect(averaged.length).toBeGreaterThan(0)
    expect(new Set(raw.lossByPart).size).toBeGreaterThan(8)
    trainer.dispose()
  })
  it('before the first step have no update to look along, and still the noise', async () => {
    const trainer = newTrainer()
    const line = await trainer.lineProbe(0.02)
    expect([line.criticalLearningRate, line.curvature]).toEqual([null, null])
    expect(Number.isFinite(line.noiseCurvature)).toBe(true)
    trainer.dispose()
  })
})
