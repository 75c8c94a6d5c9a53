import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../../trainer/backends/openBackend.ts'
import { normals, random } from '../../tuner/testing/random.ts'
import { bestMomentum, type Descent, eigenvaluesOf, stepsToAim } from './leastSquares.ts'

beforeAll(async () => {
  await openBackend('cpu')
})

/** The same recursion in 64 bits, without tensors or the trainer's optimizer. */
function exactSteps({ condition, momentum, effectiveRate }: Descent, seed: number): number {
  const h = eigenvaluesOf(condition)
  let w = Array.from(h, normals(random(seed)))
  let v = h.map(() => 0)
  const loss = () => h.reduce((sum, curvature, i) => sum + (curvature * w[i]! ** 2) / 2, 0)
  const aim = 1e-8 * loss()
  for (let step = 1; ; step++) {
    v = v.map((speed, i) => momentum * speed + h[i]! * w[i]!)
    w = w.map((weight, i) => weight - effectiveRate * (1 - momentum) * v[i]!)
    if (loss() <= aim) return step
  }
}

describe('least squares', () => {
  it('have the condition number that is asked for', () => {
    const h = eigenvaluesOf(100)
    expect(h[0]).toBe(1)
    expect(h[0]! / h.at(-1)!).toBeCloseTo(100, 9)
  })
  it('have a best momentum that grows with the condition number', () => {
    expect(bestMomentum(1)).toBe(0)
    expect(bestMomentum(1_444)).toBeCloseTo((37 / 39) ** 2, 12)
  })
  it.each([
    { condition: 10, momentum: 0, effectiveRate: 1.8 },
    { condition: 10, momentum: 0.9, effectiveRate: 1 },
    { condition: 100, momentum: 0.669, effectiveRate: 9.5 },
  ])('need as many steps as the recursion says: %o', async (descent) => {
    // 32 bits against 64: a step more or less where the loss passes the aim.
    for (const seed of [1, 2])
      expect(Math.abs((await stepsToAim(descent, seed))! - exactSteps(descent, seed))).toBeLessThanOrEqual(1)
    expect(tf.memory().numTensors).toBe(0)
  })
  it('do not arrive beyond the edge of what is stable', async () => {
    expect(await stepsToAim({ condition: 10, momentum: 0, effectiveRate: 2.1 }, 1)).toBeNull()
  })
})
