import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { countReads } from '../testing/countReads.ts'
import { readTogether } from './backend.ts'
import { wasmOpener } from './wasm.ts'

test('scalars are read together, in order, with one read, and nothing is left', async () => {
  await wasmOpener.open()
  const scalars = [
    tf.scalar(3),
    tf.tensor1d([-1]),
    tf.scalar(Number.NaN),
    tf.scalar(Number.POSITIVE_INFINITY),
  ]
  const before = tf.memory().numTensors
  const reads = countReads()
  expect([...(await readTogether(scalars))]).toEqual([3, -1, Number.NaN, Number.POSITIVE_INFINITY])
  expect(reads.count).toBe(1)
  expect(await readTogether([])).toHaveLength(0)
  expect(reads.count).toBe(1)
  reads.stop()
  expect(tf.memory().numTensors).toBe(before)
  tf.dispose(scalars)
})
