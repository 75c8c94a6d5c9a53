import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../random.ts'
import { openBackend } from '../openBackend.ts'
import { columnSumShape } from './sum.ts'

// Both backends compute in 32-bit floats, in different orders: sums of n products differ by about √n·6e-8.
const tolerance = 2e-5

beforeAll(async () => {
  await openBackend('cpu')
  await openBackend('wasm')
})

function values(shape: readonly number[], seed: number): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal())
}

/** The result of a computation on a backend; asserts that it leaves no tensor behind. */
function on(backend: 'wasm' | 'cpu', compute: () => tf.Tensor): Float32Array {
  tf.setBackend(backend)
  const before = tf.memory().numTensors
  const result = Float32Array.from(tf.tidy(() => compute().dataSync()))
  expect(tf.memory().numTensors).toBe(before)
  return result
}

function expectSame(compute: () => tf.Tensor): void {
  const expected = on('cpu', compute)
  const got = on('wasm', compute)
  expect(got.length).toBe(expected.length)
  const scale = Math.max(1, ...expected.map(Math.abs))
  got.forEach((value, index) => {
    expect(Math.abs(value - expected[index]!) / scale).toBeLessThan(tolerance)
  })
}

describe('matrix products on WebAssembly equal those of the plain backend', () => {
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const)
    it(`transposed: ${transposeA}, ${transposeB}; flat and in batches`, () => {
      const shapes = (outer: number[]): [number[], number[]] => [
        [...outer, ...(transposeA ? [7, 5] : [5, 7])],
        [...outer, ...(transposeB ? [9, 7] : [7, 9])],
      ]
      for (const outer of [[], [3]]) {
        const [a, b] = shapes(outer)
        expectSame(() =>
          tf.matMul(tf.tensor(values(a, 1), a), tf.tensor(values(b, 2), b), transposeA, transposeB),
        )
      }
    })
})

describe('sums on WebAssembly', () => {
  it('equal those of the plain backend for every kind of axis', () => {
    const cases: [number[], number | number[] | undefined][] = [
      [[512, 16], 0],
      [[512, 16], undefined],
      [[512, 16], 1],
      [
        [512, 16],
        [0, 1],
      ],
      [
        [16, 8, 8, 12],
        [0, 1, 2],
      ],
      [
        [16, 8, 8, 12],
        [1, 2],
      ],
      [[16, 8, 8, 12], undefined],
      [[4096], undefined],
      [[300, 3], 0],
      [[3, 9], -2],
    ]
    for (const [shape, axis] of cases) expectSame(() => tf.sum(tf.tensor(values(shape, 3), shape), axis))
  })
  it('keep dimensions where asked', () => {
    expectSame(() => tf.sum(tf.tensor(values([512, 16], 4), [512, 16]), 0, true))
  })
  it('take the fast way for leading axes and whole tensors only', () => {
    expect(columnSumShape([512, 16], [0])).toEqual([512, 16])
    expect(columnSumShape([8, 8, 64, 16], [2, 0, 1])).toEqual([4096, 16])
    expect(columnSumShape([512, 16], [0, 1])).toEqual([512, 16])
    expect(columnSumShape([512, 16], [-1])).toBeUndefined()
    expect(columnSumShape([4096, 1], [0])).toBeUndefined()
    expect(columnSumShape([4096], [0])).toBeUndefined()
    expect(columnSumShape([4, 4], [0])).toBeUndefined()
  })
})

const convolutions = [
  { image: [2, 7, 7, 1], filter: [3, 3, 1, 4] },
  { image: [3, 8, 6, 5], filter: [3, 3, 5, 2] },
  { image: [2, 9, 9, 6], filter: [2, 3, 6, 3] },
  { image: [1, 5, 5, 2], filter: [1, 1, 2, 8] },
  { image: [4, 6, 7, 8], filter: [5, 5, 8, 2] },
] as const

describe('convolution gradients on WebAssembly equal those of the plain backend', () => {
  for (const stride of [1, 2])
    for (const pad of ['same', 'valid'] as const)
      for (const { image, filter } of convolutions)
        it(`stride ${stride}, ${pad}, image ${image.join('×')}, filter ${filter.join('×')}`, () => {
          const attrs = { strides: [stride, stride], pad, dataFormat: 'NHWC' }
          const shape = tf.backend_util.computeConv2DInfo([...image], [...filter], stride, 1, pad).outShape
          const dy = () => tf.tensor4d(values(shape, 5), shape)
          const run = (name: string, inputs: tf.NamedTensorMap, more: object) =>
            tf.engine().runKernel(name, inputs, { ...attrs, ...more } as never) as tf.Tensor
          expectSame(() =>
            run(
              'Conv2DBackpropFilter',
              { x: tf.tensor4d(values(image, 6), [...image]), dy: dy() },
              { filterShape: [...filter] },
            ),
          )
          expectSame(() =>
            run(
              'Conv2DBackpropInput',
              { dy: dy(), filter: tf.tensor4d(values(filter, 7), [...filter]) },
              { inputShape: [...image] },
            ),
          )
        })
  it('go back to the loop for a dy that is of another size than the image asked for', () => {
    const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', inputShape: [1, 4, 4, 3] }
    const call = () =>
      tf
        .engine()
        .runKernel(
          'Conv2DBackpropInput',
          { dy: tf.tensor4d(values([1, 8, 8, 2], 14), [1, 8, 8, 2]), filter: tf.ones([3, 3, 3, 2]) },
          attrs as never,
        ) as tf.Tensor
    expectSame(call)
  })
  it('refuse another data format with a sentence', () => {
    tf.setBackend('wasm')
    const x = tf.zeros([1, 2, 4, 4])
    const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NCHW', filterShape: [3, 3, 2, 2] }
    expect(() => tf.engine().runKernel('Conv2DBackpropFilter', { x, dy: x }, attrs as never)).toThrow(
      'dataFormat must be NHWC for convolution gradients on this backend, got NCHW',
    )
    x.dispose()
  })
})

describe('the gradient of max pooling on WebAssembly', () => {
  const gradient =
    (
      shape: [number, number, number, number],
      size: number,
      strides: number,
      pad: 'same' | 'valid',
      ties: boolean,
    ) =>
    () => {
      const all = values(shape, 12)
      const x = tf.tensor4d(ties ? all.map((value) => Math.round(value)) : all, shape)
      const y = tf.maxPool(x, size, strides, pad)
      const attrs = { filterSize: [size, size], strides: [strides, strides], pad }
      return tf
        .engine()
        .runKernel(
          'MaxPoolGrad',
          { dy: tf.tensor4d(values(y.shape, 13), y.shape), input: x, output: y },
          attrs as never,
        ) as tf.Tensor
    }
  for (const pad of ['same', 'valid'] as const)
    for (const [size, strides] of [
      [2, 2],
      [3, 2],
      [3, 1],
      [2, 3],
    ] as const)
      it(`of ${size}×${size} windows at stride ${strides}, ${pad}, equals that of the plain backend, with ties too`, () => {
        for (const ties of [false, true]) {
          expectSame(gradient([2, 7, 8, 3], size, strides, pad, ties))
          expectSame(gradient([3, 4, 4, 5], size, strides, pad, ties))
        }
      })
})

describe('other kernels on WebAssembly', () => {
  it('sum rows by segment, leaving out ids beyond the segments', () => {
    const sum = (ids: number[], count: number) => () =>
      tf.unsortedSegmentSum(tf.tensor2d(values([6, 3], 8), [6, 3]), tf.tensor1d(ids, 'int32'), count)
    expectSame(sum([0, 2, 2, 1, 0, 3], 4))
    expectSame(sum([1, 1, 1, 1, 1, 1], 3))
    expect(on('wasm', sum([0, 5, 5, 5, 5, 5], 2)).slice(3)).toEqual(new Float32Array(3))
  })
  it('cut slices, contiguous or not', () => {
    const x = () => tf.tensor4d(values([4, 3, 5, 2], 9), [4, 3, 5, 2])
    expectSame(() => tf.slice(x(), [1, 0, 0, 0], [2, 3, 5, 2]))
    expectSame(() => tf.slice(x(), [2, 1, 0, 0], [1, 2, 5, 2]))
    expectSame(() => tf.slice(x(), [0, 1, 1, 1], [4, 2, 3, 1]))
    expectSame(() => tf.slice(tf.cast(x(), 'int32'), [1, 0, 0, 0], [2, 3, 5, 2]))
  })
  it('share the memory of clones, until the last one goes', () => {
    tf.setBackend('wasm')
    const bytes = tf.memory().numBytes
    const original = tf.tensor1d([1, 2, 3])
    const clone = original.clone()
    original.dispose()
    expect([...clone.dataSync()]).toEqual([1, 2, 3])
    clone.dispose()
    expect(tf.memory().numBytes).toBe(bytes)
  })
})
