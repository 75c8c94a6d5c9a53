import * as tf from '@tensorflow/tfjs-core'
import { afterEach, expect, it } from 'vitest'
import { cpuOpener } from './cpu.ts'
import { selfTest, selfTestTolerance, stepErrors, takeTestStep } from './selfTest.ts'
import { wasmOpener } from './wasm.ts'

afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

it('agrees to rounding on WebAssembly, leaves it in use, and takes less than a second', async () => {
  await wasmOpener.open()
  const started = performance.now()
  const { difference, lossBefore, lossAfter } = await selfTest()
  expect(difference).toBeLessThan(1e-5)
  expect(lossAfter).toBeLessThan(lossBefore)
  expect(performance.now() - started).toBeLessThan(1_000)
  expect(tf.getBackend()).toBe('wasm')
})

it('is a step that lowers the loss and moves every weight', async () => {
  await cpuOpener.open()
  const { lossBefore, lossAfter, gradientNorms, change } = await takeTestStep()
  expect(lossAfter).toBeLessThan(lossBefore)
  expect(gradientNorms).toHaveLength(6)
  expect(Math.min(...gradientNorms)).toBeGreaterThan(1e-3)
  expect(change.some((value) => value !== 0)).toBe(true)
})

it('measures each kind of difference by itself, and takes NaN for none of them', async () => {
  await cpuOpener.open()
  const step = await takeTestStep()
  expect(Object.values(stepErrors(step, step))).toEqual([0, 0, 0, 0])
  const doubled = { ...step, change: step.change.map((value) => 2 * value) }
  expect(stepErrors(doubled, step)['the change of the weights']).toBeCloseTo(1, 6)
  const turned = { ...step, gradientNorms: step.gradientNorms.map((n, i) => (i === 3 ? 1.5 * n : n)) }
  expect(stepErrors(turned, step)["a gradient's norm"]).toBeCloseTo(0.5, 6)
  const broken = stepErrors({ ...step, lossAfter: Number.NaN }, step)['the loss after the step']!
  expect(broken <= selfTestTolerance).toBe(false)
})

it('catches a wrong kernel', async () => {
  await wasmOpener.open()
  const { kernelFunc, ...rest } = tf.getKernel('MaxPoolGrad', 'wasm')
  tf.unregisterKernel('MaxPoolGrad', 'wasm')
  const louder: tf.KernelFunc = (call) => {
    const dy = tf.mul(call.inputs.dy as tf.Tensor, 1.1)
    return kernelFunc({ ...call, inputs: { ...call.inputs, dy } })
  }
  tf.registerKernel({ ...rest, kernelFunc: louder })
  await expect(selfTest()).rejects.toThrow(
    /^it computes something else than plain JavaScript: in a training step a gradient's norm must agree to 0\.01, it differs by 0\.\d+ of its size$/,
  )
  tf.unregisterKernel('MaxPoolGrad', 'wasm')
  tf.registerKernel({ ...rest, kernelFunc })
})
