// TensorFlow itself, where the setup was done; elsewhere these tests are skipped, and say so. They download nothing.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { loadTask } from '../../data/task.ts'
import { createModel, type ModelName } from '../../models/models.ts'
import { createOptimizer } from '../../optimizers/optimizers.ts'
import { createTrainer } from '../../trainer.ts'
import type { Backend } from '../backend.ts'
import { hasPartGradients } from '../kernels/gradients.ts'
import { selfTest } from '../selfTest.ts'
import { registerWasmKernels, wasmOpener } from '../wasm.ts'
import { whyNotInstalled } from './installation.ts'
import { loadNative, tensorflowBackend } from './loadNative.ts'
import { openNative } from './nativeBackend.ts'
import { tensorflowVersion } from './pins.ts'
import { nativePlace } from './place.ts'

const whyNoCpu = whyNotInstalled(nativePlace('cpu'))
const whyNoGpu = whyNotInstalled(nativePlace('gpu'))
for (const reason of [whyNoCpu, whyNoGpu])
  if (reason !== undefined) console.warn(`SKIPPED, tests of the real TensorFlow: ${reason}`)

const dataset = loadTask('digits', { seed: 1 })

function train(backend: Backend, model: ModelName, steps: number, measureAll: boolean) {
  const trainer = createTrainer({
    backend,
    dataset,
    model: createModel(model, dataset),
    optimizer: createOptimizer('momentum'),
    batchSize: 64,
    seed: 1,
  })
  for (let i = 0; i < steps; i++) {
    trainer.step({
      learningRate: 0.05,
      momentum: 0.9,
      measureMicroBatches: measureAll,
      measureUpdate: measureAll,
    })
  }
  return trainer
}

describe.skipIf(whyNoCpu !== undefined)('native TensorFlow on the processor', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = (await openNative()) as unknown as Backend
  })

  test('it is the pinned version, and its words while loading are kept', () => {
    const loaded = loadNative(nativePlace('cpu'))
    expect(loaded).toMatchObject({ tensorflow: tensorflowVersion, onGpu: false })
    expect(loaded.log).toContain('oneDNN')
    expect(backend.description).toMatch(/^TensorFlow 2\.21\.0 on the processor, \d+ threads$/)
  })

  test('a training step agrees with plain JavaScript to rounding', async () => {
    expect((await selfTest()).difference).toBeLessThan(1e-5)
  })

  test('our derivatives are in use, so a batch gives its micro-batch norms in one pass', () => {
    expect(hasPartGradients()).toBe(true)
  })

  test('our kernels for WebAssembly replace none of TensorFlow', async () => {
    await import('@tensorflow/tfjs-backend-wasm')
    const before = new Map(
      tf.getKernelsForBackend(tensorflowBackend).map((kernel) => [kernel.kernelName, kernel.kernelFunc]),
    )
    registerWasmKernels()
    const after = tf.getKernelsForBackend(tensorflowBackend)
    expect(after).toHaveLength(before.size)
    for (const { kernelName, kernelFunc } of after) expect(before.get(kernelName)).toBe(kernelFunc)
  })

  test.each([0, 0.5])(
    'the step function with slope %d below zero is as in plain JavaScript',
    async (slope) => {
      const values = [-Number.POSITIVE_INFINITY, -2, -0, 0, 1e-30, 3, Number.POSITIVE_INFINITY, Number.NaN]
      const step = () => tf.tidy(() => [...tf.step(tf.tensor1d(values), slope).dataSync()])
      const found = step()
      await tf.setBackend('cpu')
      const expected = step()
      await tf.setBackend(tensorflowBackend)
      expect(found.map((value) => value + 0)).toEqual(expected.map((value) => value + 0))
    },
  )

  test('steps read nothing from the device; a flush of many steps reads once', async () => {
    const reads = vi.spyOn(tf.backend(), 'readSync')
    const trainer = train(backend, 'mlp', 10, true)
    expect(reads).not.toHaveBeenCalled()
    const steps = await trainer.read()
    expect(reads).toHaveBeenCalledOnce()
    expect(steps).toHaveLength(10)
    expect(steps.every(({ microGradientNormSquared }) => microGradientNormSquared! > 0)).toBe(true)
    reads.mockRestore()
    trainer.dispose()
  })

  test.each(['mlp', 'cnn'] as const)('%s: the same run as on WebAssembly, to rounding', async (model) => {
    const native = train(backend, model, 10, true)
    const expected = await native.read()
    native.dispose()
    const wasm = train(await wasmOpener.open(), model, 10, true)
    const found = await wasm.read()
    wasm.dispose()
    await tf.setBackend(tensorflowBackend)
    for (const [index, { loss, gradientNormSquared }] of found.entries()) {
      // Ten steps let rounding errors of 1e-7 grow a little.
      expect(loss! / expected[index]!.loss!).toBeCloseTo(1, 3)
      expect(gradientNormSquared! / expected[index]!.gradientNormSquared!).toBeCloseTo(1, 2)
    }
  })

  test('nothing leaks, in tfjs or in TensorFlow', async () => {
    const counts = () => [tf.memory().numTensors, tf.engine().backend.numDataIds()]
    const before = counts()
    const trainer = train(backend, 'cnn', 5, true)
    await trainer.read()
    await trainer.valleyProbe()
    await trainer.lineProbe(0.05)
    trainer.checkpoint('here')
    trainer.restore('here')
    trainer.dispose()
    expect(counts()).toEqual(before)
  })
})

describe.skipIf(whyNoGpu !== undefined)('native TensorFlow for cards, without a card', () => {
  test('with a stand-in driver it finds every CUDA library that the setup brought', () => {
    const folder = mkdtempSync(join(tmpdir(), 'twostep-driver-'))
    const source = fileURLToPath(new URL('./testing/standInDriver.c', import.meta.url))
    const compiled = spawnSync('cc', ['-shared', '-fPIC', '-w', source, '-o', join(folder, 'libcuda.so.1')])
    expect(compiled.status).toBe(0)
    symlinkSync('libcuda.so.1', join(folder, 'libnvidia-ml.so.1'))
    const env = {
      ...process.env,
      LD_LIBRARY_PATH: folder,
      TF_CPP_MAX_VLOG_LEVEL: '1',
      TF_CPP_MIN_LOG_LEVEL: '0',
    }
    delete (env as NodeJS.ProcessEnv).CUDA_VISIBLE_DEVICES
    const program = `require(${JSON.stringify(nativePlace('gpu').addon)})`
    // The stand-in card cannot be used, so TensorFlow ends the process: only what it opened until then counts.
    const { stderr } = spawnSync(process.execPath, ['-e', program], {
      encoding: 'utf8',
      env,
      maxBuffer: 64 << 20,
    })
    rmSync(folder, { recursive: true })
    const opened = [...stderr.matchAll(/opened dynamic library (lib(?:cu|nv)\S+)/g)].map(([, name]) => name)
    expect([...new Set(opened)].sort()).toEqual([
      'libcublas.so.12',
      'libcublasLt.so.12',
      'libcuda.so.1',
      'libcudart.so.12',
      'libcudnn.so.9',
      'libcufft.so.11',
      'libcusolver.so.11',
      'libcusparse.so.12',
      'libnvidia-ml.so.1',
    ])
    expect(stderr).not.toMatch(/Could not load dynamic library/)
    expect(stderr).toContain('Adding visible gpu devices: 0')
  })
})
