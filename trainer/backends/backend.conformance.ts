// The laws of a backend, run for each one that can be opened. The plain JavaScript backend is the reference: all
// numbers are compared with what it computes for the same seeds.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Plan } from '../../protocol/vocabulary.ts'
import { readCheckpoint, writeCheckpoint } from '../checkpointFile.ts'
import { disposeCheckpoint } from '../checkpoints.ts'
import { disposeBatch } from '../data/batches.ts'
import { crossEntropy, logitsOf, lossAndGradients, type Weights } from '../models/model.ts'
import { createModel, modelNames } from '../models/models.ts'
import { disposeAll, optimizerNames } from '../optimizers/optimizer.ts'
import { createPlanFollower } from '../planFollower.ts'
import { createRandom } from '../random.ts'
import { runSession } from '../session.ts'
import { countReads } from '../testing/countReads.ts'
import { smallBatch, smallTask } from '../testing/smallTask.ts'
import { smallTrainer, takeSteps, type UntimedReading } from '../testing/smallTrainer.ts'
import type { Trainer } from '../trainer.ts'
import type { Backend, BackendOpener } from './backend.ts'
import { cpuOpener } from './cpu.ts'
import { selfTest, takeTestStep } from './selfTest.ts'

// 32-bit floats summed in another order differ by 1e-7 to 1e-6; steps at a rate of .02 let that grow to some 1e-5.
const curveTolerance = 1e-3
// A central difference of a 32-bit loss over ε = .01 errs by 1e-5, and by ε² of the third derivative.
const epsilon = 0.01
const slopeTolerance = 3e-3
const steps = 12
const batchSize = 8
/** Without these two every read waits for a device. */
const hostMemory: readonly string[] = ['wasm', 'cpu']

type ReadingKey = Exclude<keyof UntimedReading, 'step'>

function expectSameCurve(found: readonly UntimedReading[], expected: readonly UntimedReading[]): void {
  expect(found.map(({ step }) => step)).toEqual(expected.map(({ step }) => step))
  found.forEach((reading, index) => {
    for (const key of Object.keys(reading).filter((name) => name !== 'step') as ReadingKey[]) {
      const [value, reference] = [reading[key], expected[index]![key]]
      if (reference === null) expect(value, key).toBeNull()
      else {
        const difference = Math.abs(value! - reference) / Math.max(Math.abs(reference), 1e-3)
        expect(difference, `${key} at step ${reading.step}`).toBeLessThan(curveTolerance)
      }
    }
  })
}

/** Kernels that training, evaluation and probes of both models call, as tfjs's own profiler saw them. */
async function kernelsOfTraining(backend: Backend): Promise<string[]> {
  const names = new Set<string>()
  for (const model of modelNames)
    for (const optimizer of optimizerNames) {
      const trainer = smallTrainer(backend, { model, optimizer, batchSize })
      await takeSteps(trainer, 10)
      const { kernelNames } = await tf.profile(async () => {
        await takeSteps(trainer, 1)
        await trainer.valleyProbe()
        if (optimizer !== 'sgd') await trainer.lineProbe(0.02)
        return [] as tf.Tensor[]
      })
      for (const name of kernelNames) names.add(name)
      trainer.dispose()
    }
  // The profiler also names scopes of the tape, which are no kernels.
  const known = new Set(tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName))
  return [...names].filter((name) => known.has(name))
}

/**
 * @param whyNot why it cannot be opened here: the suite is then skipped, with the reason said aloud.
 */
export function backendConformance(opener: BackendOpener, whyNot?: string): void {
  const { name } = opener
  const isHost = hostMemory.includes(name)
  if (whyNot !== undefined) console.warn(`SKIPPED, conformance of the backend ${name}: ${whyNot}`)

  describe.skipIf(whyNot !== undefined)(`the backend ${name}`, () => {
    let backend: Backend
    let reference: Backend
    /** What tfjs calls it. */
    let tfjsName: string
    const use = async (which: 'this' | 'reference'): Promise<Backend> => {
      await tf.setBackend(which === 'this' ? tfjsName : 'cpu')
      return which === 'this' ? backend : reference
    }
    beforeAll(async () => {
      reference = await cpuOpener.open()
      backend = await opener.open()
      tfjsName = tf.getBackend()
    })
    afterEach(async () => {
      await use('this')
      expect(tf.memory().numTensors).toBe(0)
    })
    afterAll(() => {
      expect(tf.memory().numTensors).toBe(0)
    })

    it('says what it is, and is the present backend once opened', () => {
      expect(backend.name).toBe(name)
      expect(backend.description).toMatch(/^TensorFlow.* (in|on) /)
      expect(backend.stepsPerRead).toBeGreaterThanOrEqual(1)
      expect(tf.getBackend()).toBe(tfjsName)
    })

    it('passes its self-test, to rounding', async () => {
      await use('this')
      expect((await selfTest()).difference).toBeLessThan(1e-4)
      expect(tf.getBackend()).toBe(tfjsName)
    })

    it('computes a step twice to the same bits', async () => {
      await use('this')
      expect(await takeTestStep()).toEqual(await takeTestStep())
    })

    it('has every kernel that training and probes of the models use', async () => {
      const needed = await kernelsOfTraining(await use('reference'))
      expect(needed.length).toBeGreaterThan(20)
      const own = new Set(tf.getKernelsForBackend(tfjsName).map(({ kernelName }) => kernelName))
      expect(needed.filter((kernel) => !own.has(kernel))).toEqual([])
    })

    for (const modelName of modelNames) {
      it(`${modelName}: gradients equal finite differences of the loss`, async () => {
        await use('this')
        const dataset = smallTask()
        const model = createModel(modelName, dataset)
        const random = createRandom(3)
        const weights = model.initialWeights(random)
        const batch = smallBatch(dataset, 32)
        const { loss, gradients } = lossAndGradients(model, weights, batch)
        const lossOf = (list: Weights) => crossEntropy(logitsOf(model, list, batch.inputs), batch.labels)
        for (const [index, weight] of weights.entries()) {
          const raw = Float32Array.from({ length: weight.size }, () => random.normal())
          const norm = Math.hypot(...raw)
          const values = raw.map((value) => value / norm)
          const scalars = tf.tidy(() => {
            const direction = tf.tensor(values, weight.shape)
            const at = (t: number) =>
              lossOf(weights.map((w, i) => (i === index ? tf.add(w, tf.mul(direction, t)) : w)))
            return [at(epsilon), at(-epsilon), tf.sum(tf.mul(gradients[index]!, direction))]
          })
          const [above, below, slope] = await backend.readValues(scalars)
          disposeAll(scalars)
          const found = (above! - below!) / (2 * epsilon)
          expect(Math.abs(found - slope!), model.weightInfos[index]!.name).toBeLessThan(slopeTolerance)
        }
        disposeAll([loss, ...gradients, ...weights])
        disposeBatch(batch)
      })

      for (const optimizer of optimizerNames)
        it(`${modelName}, ${optimizer}: ${steps} steps go as on the plain backend, all signals alike`, async () => {
          const run = async (which: 'this' | 'reference') => {
            const trainer = smallTrainer(await use(which), { model: modelName, optimizer, batchSize })
            const readings = await takeSteps(trainer, steps, optimizer === 'adam' ? 0.002 : 0.02)
            const checkpoint = trainer.capture()
            disposeCheckpoint(checkpoint)
            trainer.dispose()
            return { readings, dataOrder: checkpoint.dataOrder }
          }
          const expected = await run('reference')
          const found = await run('this')
          expectSameCurve(found.readings, expected.readings)
          expect(found.dataOrder).toEqual(expected.dataOrder)
        })

      it(`${modelName}: probes show what they show on the plain backend`, async () => {
        const run = async (which: 'this' | 'reference') => {
          const trainer = smallTrainer(await use(which), { model: modelName, batchSize })
          await takeSteps(trainer, steps)
          const valley = await trainer.valleyProbe()
          const line = await trainer.lineProbe(0.02)
          const test = await trainer.evaluateTest()
          trainer.dispose()
          return { valley, line, test }
        }
        const expected = await run('reference')
        const found = await run('this')
        const close = (value: number | null | undefined, to: number | null | undefined, within: number) =>
          expect(Math.abs(value! - to!) / Math.abs(to!)).toBeLessThan(within)
        close(found.valley.raw.loss, expected.valley.raw.loss, curveTolerance)
        close(found.valley.averaged[0]!.loss, expected.valley.averaged[0]!.loss, curveTolerance)
        close(found.test.loss, expected.test.loss, curveTolerance)
        // Second differences magnify rounding by 1/ε².
        close(found.line.noiseCurvature, expected.line.noiseCurvature, 0.05)
      })
    }

    it('sees the same batches in the same order, to the bit', async () => {
      const inputs = async (which: 'this' | 'reference') => {
        await use(which)
        const batch = smallBatch(smallTask(), 16, 32)
        const values = [...(await batch.inputs.data()), ...(await batch.labels.data())]
        disposeBatch(batch)
        return values
      }
      expect(await inputs('this')).toEqual(await inputs('reference'))
    })

    for (const [from, to] of [
      ['this', 'reference'],
      ['reference', 'this'],
    ] as const)
      it(`goes on from a checkpoint ${from === 'this' ? 'of its own on' : 'written by'} the plain backend`, async () => {
        const folder = mkdtempSync(join(tmpdir(), 'twostep-conformance-'))
        const file = join(folder, 'checkpoint')
        const writer: Trainer = smallTrainer(await use(from), { model: 'cnn', batchSize })
        await takeSteps(writer, 7)
        const checkpoint = writer.capture()
        await writeCheckpoint(file, { checkpoint, stepCount: writer.stepCount }, 'it')
        disposeCheckpoint(checkpoint)
        const expected = await takeSteps(writer, 5)
        writer.dispose()
        const reader = smallTrainer(await use(to), { model: 'cnn', batchSize, seed: 99 })
        const stored = await readCheckpoint(file, 'it')
        reader.resumeFrom(stored.checkpoint, stored.stepCount)
        disposeCheckpoint(stored.checkpoint)
        expectSameCurve(await takeSteps(reader, 5), expected)
        reader.dispose()
        rmSync(folder, { recursive: true })
      })

    it('leaves no tensor and no memory behind, after steps, probes, checkpoints and restores', async () => {
      const trainer0 = smallTrainer(await use('this'), { model: 'cnn', batchSize })
      // The first time it may set up buffers that it keeps.
      await takeSteps(trainer0, 2)
      trainer0.dispose()
      const ids = () => tf.backend().numDataIds()
      const before = { tensors: tf.memory().numTensors, ids: ids() }
      const trainer = smallTrainer(backend, { model: 'cnn', optimizer: 'adam', batchSize })
      await takeSteps(trainer, 5, 0.002)
      await trainer.valleyProbe()
      await trainer.lineProbe(0.002)
      trainer.checkpoint('here')
      await takeSteps(trainer, 3, 0.002)
      trainer.restore('here')
      trainer.step({ learningRate: 0.002, momentum: 0.9, measureMicroBatches: true })
      trainer.dispose()
      expect({ tensors: tf.memory().numTensors, ids: ids() }).toEqual(before)
    })

    it('reads the scalars of a flush in order, by one read where its memory is not the host’s', async () => {
      await use('this')
      const scalars = [3, 1, 2].map((value) => tf.tidy(() => tf.sum(tf.fill([4], value))))
      const reads = countReads()
      expect([...(await backend.readValues(scalars))]).toEqual([12, 4, 8])
      expect(reads.count).toBe(isHost ? scalars.length : 1)
      expect([...(await backend.readValues([]))]).toEqual([])
      reads.stop()
      disposeAll(scalars)
    })

    // WebAssembly's own kernels read its memory, which is the host's, so there is nothing to count.
    const itOnDevices = it.skipIf(isHost)
    itOnDevices('reads nothing between two flushes, whatever the steps measure', async () => {
      const trainer = smallTrainer(await use('this'), { model: 'cnn', optimizer: 'adam', batchSize })
      const reads = countReads()
      for (let i = 0; i < 8; i++)
        trainer.step({ learningRate: 0.002, momentum: 0.9, measureMicroBatches: true, measureUpdate: true })
      expect(reads.count).toBe(0)
      expect(await trainer.read()).toHaveLength(8)
      expect(reads.count).toBe(1)
      reads.stop()
      trainer.dispose()
    })

    itOnDevices('reads once in so many steps in the trainer’s own loop', async () => {
      const trainer = smallTrainer(await use('this'), { batchSize })
      const segment = { fromStep: 0, toStep: 15, shape: 'constant', from: 0.02, to: 0.02 } as const
      const cadence = { blockSteps: 4, valleySteps: null, lineSteps: null, microBatchSteps: 3 }
      const plan: Plan = { version: 1, segments: [segment], cadence }
      const reads = countReads()
      const readsAfter: number[] = []
      await runSession({
        trainer,
        follower: createPlanFollower({ plan, ownMomentum: 0.9 }),
        stepsMax: 15,
        budgetSteps: 15,
        stepsPerRead: 5,
        emit: () => undefined,
        afterStep: () => readsAfter.push(reads.count),
      })
      reads.stop()
      trainer.dispose()
      expect(readsAfter).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3])
      expect(reads.count).toBe(3)
    })
  })
}
