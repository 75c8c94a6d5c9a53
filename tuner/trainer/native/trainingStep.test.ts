import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { wasmOpener } from '../backends/wasm.ts'
import { readTogether } from './nativeBackend.ts'
import { compareTrainingStep } from './trainingStep.ts'

test('a sound backend passes the training step, stays in use, and keeps no tensor', async () => {
  await wasmOpener.open()
  const before = tf.memory().numTensors
  const { lossBefore, lossAfter, gradientError } = await compareTrainingStep('wasm')
  expect(lossAfter).toBeLessThan(lossBefore)
  expect(gradientError).toBeLessThan(1e-4)
  expect(tf.getBackend()).toBe('wasm')
  expect(tf.memory().numTensors).toBe(before)
})

test('a wrong kernel is caught', async () => {
  await wasmOpener.open()
  const { kernelFunc, ...rest } = tf.getKernel('MaxPoolGrad', 'wasm')
  tf.unregisterKernel('MaxPoolGrad', 'wasm')
  const louder: tf.KernelFunc = (call) => {
    const dy = tf.mul(call.inputs.dy as tf.Tensor, 1.1)
    return kernelFunc({ ...call, inputs: { ...call.inputs, dy } })
  }
  tf.registerKernel({ ...rest, kernelFunc: louder })
  await expect(compareTrainingStep('wasm')).rejects.toThrow(
    /^the gradients on wasm must agree with plain JavaScript's to 0\.01, their relative difference is 0\.\d+$/,
  )
  tf.unregisterKernel('MaxPoolGrad', 'wasm')
  tf.registerKernel({ ...rest, kernelFunc })
})

test('scalars are read together, in order, with one read, and nothing is left', async () => {
  await wasmOpener.open()
  const scalars = [
    tf.scalar(3),
    tf.tensor1d([-1]),
    tf.scalar(Number.NaN),
    tf.scalar(Number.POSITIVE_INFINITY),
  ]
  const before = tf.memory().numTensors
  expect([...(await readTogether(scalars))]).toEqual([3, -1, Number.NaN, Number.POSITIVE_INFINITY])
  expect(await readTogether([])).toHaveLength(0)
  expect(tf.memory().numTensors).toBe(before)
  tf.dispose(scalars)
})
