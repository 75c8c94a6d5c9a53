import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Backend } from './backends/backend.ts'
import { openBackend } from './backends/openBackend.ts'
import { readCheckpoint, writeCheckpoint } from './checkpointFile.ts'
import { checkpointsMax, disposeCheckpoint } from './checkpoints.ts'
import { createModel, type ModelName } from './models/models.ts'
import { type OptimizerName, optimizerNames } from './optimizers/optimizer.ts'
import { createOptimizer } from './optimizers/optimizers.ts'
import { smallTask } from './testing/smallTask.ts'
import { createTrainer, type Trainer } from './trainer.ts'

let backend: Backend
let folder: string
beforeAll(async () => {
  backend = (await openBackend('wasm')).backend
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-trainer-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  expect(tf.memory().numTensors).toBe(0)
})

const dataset = smallTask()
function newTrainer(
  options: { optimizer?: OptimizerName; model?: ModelName; seed?: number; batchSize?: number } = {},
): Trainer {
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

const request = (trainer: Trainer, learningRate = 0.02) => ({
  learningRate,
  momentum: 0.9,
  measureMicroBatches: trainer.stepCount % 5 === 0,
  measureUpdate: trainer.stepCount % 10 === 0,
})

/** Takes steps and gives what they showed, without the times. */
async function run(trainer: Trainer, steps: number, learningRate?: number) {
  for (let i = 0; i < steps; i++) trainer.step(request(trainer, learningRate))
  return (await trainer.read()).map(({ stepSeconds, signalSeconds, ...reading }) => {
    expect(stepSeconds).toBeGreaterThanOrEqual(signalSeconds)
    return reading
  })
}
const losses = async (trainer: Trainer, steps: number) => (await run(trainer, steps)).map(({ loss }) => loss)

describe('training', () => {
  it.each(optimizerNames)('with %s lowers the loss and learns the small task', async (optimizer) => {
    const trainer = newTrainer({ optimizer })
    const before = await trainer.evaluateTest()
    const curve = await run(trainer, 80, optimizer === 'adam' ? 0.005 : 0.02)
    const after = await trainer.evaluateTest()
    expect(after.loss).toBeLessThan(before.loss / 2)
    expect(after.accuracy).toBeGreaterThan(0.8)
    expect(curve.map(({ step }) => step)).toEqual(Array.from({ length: 80 }, (_, step) => step))
    trainer.dispose()
  })
  it('gives identical curves for one seed, and others for another', async () => {
    const curve = async (seed: number) => {
      const trainer = newTrainer({ seed, model: 'cnn' })
      const result = await run(trainer, 12)
      trainer.dispose()
      return result
    }
    const first = await curve(1)
    expect(await curve(1)).toEqual(first)
    expect((await curve(2))[0]!.loss).not.toBe(first[0]!.loss)
  })
  it('measures what was asked for, and null elsewhere', async () => {
    const trainer = newTrainer({ optimizer: 'adam' })
    const readings = await run(trainer, 11)
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
    const [reading] = await run(trainer, 1)
    expect(reading!.microGradientNormSquared).toBeNull()
    expect(reading!.weightNormSquared).toBeGreaterThan(0)
    trainer.dispose()
  })
  it('goes through a diverging rate without an error, and says NaN', async () => {
    const trainer = newTrainer()
    const curve = await run(trainer, 30, 1e30)
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
        await run(trainer, 20)
        await trainer.valleyProbe()
        await trainer.lineProbe(0.02)
        trainer.checkpoint('a')
        await run(trainer, 3)
        trainer.restore('a', { rewindData: true })
        await run(trainer, 20)
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
    trainer.step(request(trainer))
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
      await run(trainer, 18)
      trainer.checkpoint('here')
      const first = await losses(trainer, 25)
      trainer.restore('here', { rewindData: true })
      expect(await losses(trainer, 25)).toEqual(first)
      expect(trainer.stepCount).toBe(68)
      trainer.dispose()
    },
  )
  it('leaves the data order alone unless asked, and skips batches', async () => {
    const trainer = newTrainer()
    trainer.checkpoint('start')
    const first = await losses(trainer, 4)
    trainer.restore('start', { rewindData: true, skipBatches: 2 })
    const skipped = await losses(trainer, 1)
    trainer.restore('start')
    const onward = await losses(trainer, 1)
    expect(skipped[0]).not.toBe(first[0])
    expect(onward[0]).not.toBe(skipped[0])
    const other = newTrainer()
    other.checkpoint('start')
    await run(other, 2)
    other.restore('start')
    expect((await losses(other, 1))[0]).toBe(skipped[0])
    trainer.dispose()
    other.dispose()
  })
  it('starts the averages anew', async () => {
    const trainer = newTrainer()
    await run(trainer, 20)
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
    await run(trainer, 8)
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

describe('a checkpoint on disk', () => {
  it.each(optimizerNames)('with %s makes another trainer go on bit for bit', async (optimizer) => {
    const file = join(folder, 'deep', 'x.checkpoint')
    const trainer = newTrainer({ optimizer })
    await run(trainer, 7)
    const checkpoint = trainer.capture()
    await writeCheckpoint(file, { checkpoint, stepCount: trainer.stepCount }, 'small')
    disposeCheckpoint(checkpoint)
    const first = await losses(trainer, 10)
    trainer.dispose()
    const other = newTrainer({ optimizer, seed: 99 })
    const stored = await readCheckpoint(file, 'small')
    // A split batch adds in another order, so the steps that are split must be the same ones: 47 is 7 modulo 5.
    other.resumeFrom(stored.checkpoint, 47)
    disposeCheckpoint(stored.checkpoint)
    expect(stored.stepCount).toBe(7)
    const again = await run(other, 10)
    expect(again.map(({ loss }) => loss)).toEqual(first)
    expect(again[0]!.step).toBe(47)
    other.dispose()
    expect(readdirSync(join(folder, 'deep'))).toEqual(['x.checkpoint'])
  })
  it('that is missing, foreign, damaged or of another kind is refused with a sentence', async () => {
    const file = join(folder, 'x.checkpoint')
    await expect(readCheckpoint(file, 'small')).rejects.toThrow(
      /x\.checkpoint cannot be read .* nothing to resume from/,
    )
    writeFileSync(file, 'something else')
    await expect(readCheckpoint(file, 'small')).rejects.toThrow('it is no checkpoint')
    const trainer = newTrainer()
    const checkpoint = trainer.capture()
    await writeCheckpoint(file, { checkpoint, stepCount: 0 }, 'small')
    disposeCheckpoint(checkpoint)
    trainer.dispose()
    await expect(readCheckpoint(file, 'large')).rejects.toThrow('must be of large, got one of small')
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.subarray(0, bytes.length - 4))
    await expect(readCheckpoint(file, 'small')).rejects.toThrow(
      /must hold \d+ bytes, got \d+: the file is cut off or damaged/,
    )
    writeFileSync(file, bytes.subarray(0, 40))
    await expect(readCheckpoint(file, 'small')).rejects.toThrow('cut off or damaged')
  })
})

describe('probes', () => {
  it('change nothing of the steps that follow', async () => {
    const plain = newTrainer()
    const probed = newTrainer()
    const first = await losses(plain, 12)
    const second = await losses(probed, 6)
    await probed.valleyProbe()
    await probed.lineProbe(0.02)
    second.push(...(await losses(probed, 6)))
    expect(second).toEqual(first)
    plain.dispose()
    probed.dispose()
  })
  it('say where, on how many examples and in which time they were made', async () => {
    const trainer = newTrainer()
    await run(trainer, 5)
    const valley = await trainer.valleyProbe()
    expect(valley).toMatchObject({ kind: 'valley', step: 5, set: 'held-out', examples: 32 })
    expect(valley.seconds).toBeGreaterThan(0)
    const line = await trainer.lineProbe(0.02)
    expect(line).toMatchObject({ kind: 'line', step: 5, examples: 32 })
    expect(line.criticalLearningRate).toBeGreaterThan(0)
    expect(Number.isFinite(line.noiseCurvature)).toBe(true)
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
