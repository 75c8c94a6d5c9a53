// Both derivatives here are of linear functions, so they must be adjoints: ⟨f(x), dy⟩ = ⟨x, f*(dy)⟩ for any x and dy,
// which checks them without an implementation to compare with.

import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../random.ts'
import { openBackend } from '../openBackend.ts'

// 32-bit sums of up to 60 products of normal values, in another order.
const tolerance = 1e-4

beforeAll(async () => {
  await openBackend('cpu')
  await openBackend('wasm')
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

const random = createRandom(7)
const normal = (shape: readonly number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    [...shape],
  )
const inner = (x: tf.Tensor, y: tf.Tensor): number => tf.sum(tf.mul(x, y)).dataSync()[0]!

function expectAdjoint(
  f: (x: tf.Tensor) => tf.Tensor,
  xShape: readonly number[],
  backend: 'wasm' | 'cpu' = 'wasm',
): void {
  tf.setBackend(backend)
  tf.tidy(() => {
    const x = normal(xShape)
    const y = f(x)
    const dy = normal(y.shape)
    const gradient = tf.grad(f)(x, dy)
    expect(gradient.shape).toEqual([...xShape])
    expect(Math.abs(inner(y, dy) - inner(x, gradient))).toBeLessThan(tolerance)
  })
}

describe('the derivative of gather', () => {
  for (const { x, indices, axis, batchDims = 0 } of [
    {
      x: [5],
      indices: [
        [0, 4],
        [4, 1],
      ],
      axis: 0,
    },
    { x: [4, 3], indices: [2, 0, 2], axis: 0 },
    {
      x: [4, 3],
      indices: [
        [2, 0],
        [2, 2],
      ],
      axis: 0,
    },
    { x: [4, 3], indices: [2, 0, 2, 1], axis: 1 },
    {
      x: [2, 3, 4],
      indices: [
        [1, 1],
        [0, 2],
      ],
      axis: 1,
    },
    { x: [2, 3, 4], indices: [3, 0, 3], axis: 2 },
    { x: [2, 3, 4], indices: [3, 0, 3], axis: -1 },
    {
      x: [2, 3, 4],
      indices: [
        [1, 1],
        [0, 2],
      ],
      axis: 1,
      batchDims: 1,
    },
    {
      x: [2, 2, 4],
      indices: [
        [1, 1, 0],
        [0, 3, 3],
      ],
      axis: 2,
      batchDims: 1,
    },
  ])
    it(`is its adjoint for x of ${x.join('×')}, indices ${JSON.stringify(indices)} along axis ${axis}, ${batchDims} shared`, () => {
      const take = (values: tf.Tensor) =>
        tf.gather(values, tf.tensor(indices, undefined, 'int32'), axis, batchDims)
      expectAdjoint(take, x, 'cpu')
      // With shared axes the WASM backend's gather itself is wrong in tfjs 4.22.
      if (batchDims === 0) expectAdjoint(take, x, 'wasm')
    })
})

describe('the derivatives of a matrix product', () => {
  for (const transposeA of [false, true])
    for (const transposeB of [false, true])
      for (const outer of [[], [2], [2, 3]])
        it(`are its adjoints, transposed: ${transposeA}, ${transposeB}; outer axes ${outer.join('×') || 'none'}`, () => {
          const a = [...outer, ...(transposeA ? [4, 3] : [3, 4])]
          const b = [...outer, ...(transposeB ? [5, 4] : [4, 5])]
          const fixed = { a: normal(a), b: normal(b) }
          expectAdjoint((x) => tf.matMul(x, fixed.b, transposeA, transposeB), a)
          expectAdjoint((x) => tf.matMul(fixed.a, x, transposeA, transposeB), b)
          fixed.a.dispose()
          fixed.b.dispose()
        })
})
