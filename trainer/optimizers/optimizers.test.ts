import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backends/openBackend.ts'
import { disposeAll, disposeState, type Optimizer, optimizerNames } from './optimizer.ts'
import { createOptimizer } from './optimizers.ts'

beforeAll(async () => {
  await openBackend('wasm')
})
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0)
})

/** Steps on one weight w of two numbers with given gradients; returns the weights after each. */
function trajectory(
  optimizer: Optimizer,
  gradients: readonly number[][],
  rates: readonly [number, number][],
): number[][] {
  let weights: tf.Tensor[] = [tf.tensor1d([1, -2])]
  const seen = gradients.map((values, index) => {
    const gradient = tf.tensor1d(values)
    const [learningRate, momentum] = rates[index]!
    const next = optimizer.step(weights, [gradient], { learningRate, momentum })
    disposeAll([...weights, gradient])
    weights = next
    return [...weights[0]!.dataSync()]
  })
  disposeAll(weights)
  return seen
}

const gradients = [
  [1, 2],
  [0.5, -1],
  [-2, 0.25],
  [1, 1],
]
const close = (got: number[][], expected: number[][]) =>
  got.flat().forEach((value, index) => {
    // Weights of order 1 in 32 bits: 1e-7 a step.
    expect(value).toBeCloseTo(expected.flat()[index]!, 5)
  })

describe('stochastic gradient descent', () => {
  it('steps by −ηg, with the rate of each step', () => {
    const optimizer = createOptimizer('sgd')
    const got = trajectory(optimizer, gradients.slice(0, 2), [
      [0.1, 0.9],
      [0.2, 0.9],
    ])
    optimizer.dispose()
    close(got, [
      [0.9, -2.2],
      [0.8, -2],
    ])
  })
  it('with momentum keeps v ← μv + g through a change of rate', () => {
    const optimizer = createOptimizer('momentum')
    const got = trajectory(optimizer, gradients, [
      [0.1, 0.9],
      [0.1, 0.9],
      [0.01, 0.9],
      [0.01, 0.9],
    ])
    optimizer.dispose()
    const expected: number[][] = []
    const w = [1, -2]
    const v = [0, 0]
    gradients.forEach((g, step) => {
      for (const i of [0, 1]) {
        v[i] = 0.9 * v[i]! + g[i]!
        w[i] = w[i]! - (step < 2 ? 0.1 : 0.01) * v[i]!
      }
      expected.push([...w])
    })
    close(got, expected)
  })
  it('scales the buffer where the momentum falls, so that a steady gradient goes on at the same speed', () => {
    const optimizer = createOptimizer('momentum')
    const steady = Array.from({ length: 400 }, () => [1, -1])
    // η/(1 − μ) is 0.1 before and after: 0.01/0.1, then 0.05/0.5.
    const rates = steady.map((_, step): [number, number] => (step < 300 ? [0.01, 0.9] : [0.05, 0.5]))
    const path = trajectory(optimizer, steady, rates)
    optimizer.dispose()
    const speed = (step: number) => path[step]![0]! - path[step - 1]![0]!
    for (const step of [299, 300, 301, 302, 320]) expect(speed(step)).toBeCloseTo(-0.1, 4)
  })
  it('does not scale the buffer up where the momentum rises: a steady gradient gains its speed anew', () => {
    const optimizer = createOptimizer('momentum')
    const steady = Array.from({ length: 100 }, () => [1, -1])
    // η/(1 − μ) is 0.1 before and after: 0.05/0.5, then 0.01/0.1. The buffer goes from 2 towards 10.
    const rates = steady.map((_, step): [number, number] => (step < 50 ? [0.05, 0.5] : [0.01, 0.9]))
    const path = trajectory(optimizer, steady, rates)
    optimizer.dispose()
    const speed = (step: number) => path[step]![0]! - path[step - 1]![0]!
    expect(speed(49)).toBeCloseTo(-0.1, 4)
    expect(speed(50)).toBeCloseTo(-0.01 * (0.5 * 2 + 1), 4)
    expect(speed(99)).toBeCloseTo(-0.1, 3)
  })
  it('takes no gradient twice where momentum sets in: the buffer without momentum has had its way', () => {
    const optimizer = createOptimizer('momentum')
    const [first, ...rest] = gradients
    const path = trajectory(
      optimizer,
      [first!, ...rest],
      [
        [0.1, 0],
        [0.01, 0.9],
        [0.01, 0.9],
        [0.01, 0.9],
      ],
    )
    optimizer.dispose()
    const fresh = createOptimizer('momentum')
    const alone = trajectory(
      fresh,
      rest,
      rest.map(() => [0.01, 0.9]),
    )
    fresh.dispose()
    const moved = (points: number[][], from: number[]) => points.map((at) => at.map((w, i) => w - from[i]!))
    close(moved(path.slice(1), path[0]!), moved(alone, [1, -2]))
  })
})

describe('Adam', () => {
  it('follows its definition in plain numbers, with a rate that changes', () => {
    const optimizer = createOptimizer('adam')
    const rates = [0.1, 0.1, 0.03, 0.03].map((rate): [number, number] => [rate, 0.9])
    const got = trajectory(optimizer, gradients, rates)
    optimizer.dispose()
    const w = [1, -2]
    const m = [0, 0]
    const v = [0, 0]
    const expected = gradients.map((g, step) => {
      for (const i of [0, 1]) {
        m[i] = 0.9 * m[i]! + 0.1 * g[i]!
        v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2
        const mHat = m[i]! / (1 - 0.9 ** (step + 1))
        const vHat = v[i]! / (1 - 0.999 ** (step + 1))
        w[i] = w[i]! - (rates[step]![0] * mHat) / (Math.sqrt(vHat) + 1e-8)
      }
      return [...w]
    })
    close(got, expected)
  })
  it('corrects the first moment by the product of the coefficients that were used', () => {
    const optimizer = createOptimizer('adam')
    const steady = Array.from({ length: 3 }, () => [2, 2])
    const path = trajectory(optimizer, steady, [
      [0.1, 0.9],
      [0.1, 0.5],
      [0.1, 0.8],
    ])
    optimizer.dispose()
    // For a constant gradient m̂ = g and √v̂ = |g|, whatever β₁ does: each step is −0.1.
    close(path, [
      [0.9, -2.1],
      [0.8, -2.2],
      [0.7, -2.3],
    ])
  })
  it('offers 1/(√v̂ + ε) of the step that given gradients would make', () => {
    const optimizer = createOptimizer('adam')
    const inverseFor = (gradient: number[]): number[] => {
      const tensor = tf.tensor1d(gradient)
      const inverse = optimizer.inversePreconditioner!([tensor])!
      const values = [...inverse[0]!.dataSync()].map((x) => Number(x.toFixed(5)))
      disposeAll([tensor, ...inverse])
      return values
    }
    trajectory(optimizer, [[2, 4]], [[0.1, 0.9]])
    expect(inverseFor([2, 4])).toEqual([0.5, 0.25])
    // A weight whose gradient was 0 so far: v̂ = (1 − β₂)·g²/(1 − β₂²) = g²/1.999.
    optimizer.restore({ tensors: {}, numbers: {} })
    expect(optimizer.inversePreconditioner!([])).toBeUndefined()
    trajectory(optimizer, [[0, 1]], [[0.1, 0.9]])
    expect(inverseFor([3, 1])).toEqual([Number((Math.sqrt(1.999) / 3).toFixed(5)), 1])
    optimizer.dispose()
  })
})

describe.each(optimizerNames)('%s', (name) => {
  const rates = gradients.map((): [number, number] => [0.1, 0.9])
  it('goes on exactly from a saved state', () => {
    const optimizer = createOptimizer(name)
    trajectory(optimizer, gradients, rates)
    const state = optimizer.state()
    const first = trajectory(optimizer, gradients, rates)
    optimizer.restore(state)
    expect(trajectory(optimizer, gradients, rates)).toEqual(first)
    const fresh = createOptimizer(name)
    fresh.restore(state)
    expect(trajectory(fresh, gradients, rates)).toEqual(first)
    disposeState(state)
    optimizer.dispose()
    fresh.dispose()
  })
  it('gives the update by which the last step moved: Δw = −η·u', () => {
    const optimizer = createOptimizer(name)
    expect(optimizer.update()).toBeUndefined()
    const path = trajectory(optimizer, gradients, rates)
    const update = optimizer.update()!
    update[0]!.dataSync().forEach((u, i) => {
      expect(-0.1 * u).toBeCloseTo(path[3]![i]! - path[2]![i]!, 5)
    })
    disposeAll(update)
    optimizer.dispose()
  })
  it('carries a NaN gradient into the weights without an error', () => {
    const optimizer = createOptimizer(name)
    expect(trajectory(optimizer, [[Number.NaN, 1]], rates)[0]![0]).toBeNaN()
    optimizer.dispose()
  })
})
