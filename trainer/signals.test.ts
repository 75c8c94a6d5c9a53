import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from './backends/backend.ts'
import { openBackend } from './backends/openBackend.ts'
import { createSignalBuffer, type HostSignals } from './signals.ts'

let backend: Backend
beforeAll(async () => {
  backend = (await openBackend('cpu')).backend
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

const host = (step: number): HostSignals => ({
  step,
  learningRate: 0.1,
  momentum: 0.9,
  batchSize: 8,
  microBatchSize: null,
  stepSeconds: 1,
  signalSeconds: 0,
})

/** A backend on which a read takes 6 seconds of the clock. */
function slowlyRead(stepsPerRead: number) {
  let now = 100
  const slow: Backend = {
    ...backend,
    stepsPerRead,
    readValues: (scalars) => {
      now += 6
      return backend.readValues(scalars)
    },
  }
  return createSignalBuffer(slow, () => now)
}

describe('the signals of steps', () => {
  it('come back in order with what was not measured as null, and are gone then', async () => {
    const buffer = createSignalBuffer(backend, () => 0)
    buffer.add(host(0), { loss: tf.scalar(3), gradientNormSquared: undefined })
    buffer.add(host(1), { loss: tf.scalar(2), gradientNormSquared: tf.scalar(7) })
    expect(buffer.count).toBe(2)
    const readings = await buffer.read()
    expect(readings.map(({ step, loss, gradientNormSquared }) => [step, loss, gradientNormSquared])).toEqual([
      [0, 3, null],
      [1, 2, 7],
    ])
    expect(buffer.count).toBe(0)
    expect(await buffer.read()).toEqual([])
  })
  it('share the wait for a device among the gathered steps', async () => {
    const buffer = slowlyRead(20)
    for (const step of [0, 1, 2]) buffer.add(host(step), { loss: tf.scalar(step) })
    expect((await buffer.read()).map(({ stepSeconds }) => stepSeconds)).toEqual([3, 3, 3])
    expect(await buffer.read()).toEqual([])
  })
  it('keep their own times where each step is read', async () => {
    const buffer = slowlyRead(1)
    buffer.add(host(0), { loss: tf.scalar(1) })
    expect((await buffer.read())[0]!.stepSeconds).toBe(1)
  })
  it('are freed unread with the buffer', () => {
    const buffer = createSignalBuffer(backend, () => 0)
    buffer.add(host(0), { loss: tf.scalar(3) })
    buffer.dispose()
    expect(buffer.count).toBe(0)
  })
})
