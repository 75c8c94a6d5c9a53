import { describe, expect, it } from 'vitest'
import { gradientNoise } from './gradientNoise.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }

const oracle = oracles.gradientNoise
/** Means and jackknife sums are taken in another order than NumPy's: rounding only. */
const relative = 1e-10

function expectEstimate(
  actual: { value: number | null; standardError: number | null; count: number },
  expected: { value: number; standardError: number; count: number },
) {
  expect(actual.count).toBe(expected.count)
  expect(Math.abs(actual.value! / expected.value - 1)).toBeLessThan(relative)
  expect(Math.abs(actual.standardError! / expected.standardError - 1)).toBeLessThan(relative)
}

const sample = (gradientNormSquared: number | null, microGradientNormSquared: number | null) => ({
  gradientNormSquared,
  microGradientNormSquared,
  batchSize: 64,
  microBatchSize: 16,
})
/** Each pair twice: a block. */
const fed = (pairs: readonly (readonly [number, number])[]) =>
  pairs
    .flatMap((pair) => [pair, pair])
    .reduce((state, [full, micro]) => gradientNoise.update(state, sample(full, micro)), gradientNoise.init())

describe('gradientNoise', () => {
  it('gives the scale, its parts and their errors as NumPy does from real gradients', () => {
    let state = gradientNoise.init()
    for (const [i, full] of oracle.gradientNormSquared.entries())
      state = gradientNoise.update(state, sample(full, oracle.microGradientNormSquared[i]!))
    const reading = gradientNoise.read(state)
    expectEstimate(reading.noiseScale, oracle.noiseScale)
    expectEstimate(reading.traceSigma, oracle.traceSigma)
    // The truth behind the sampled gradients lies within two of the errors told.
    const { value, standardError } = reading.traceSigma
    expect(Math.abs(value! - oracle.trueTraceSigma)).toBeLessThan(2 * standardError!)
  })

  it('needs four blocks and says so', () => {
    const reading = gradientNoise.read(fed([[1, 2]]))
    expect(reading.noiseScale).toEqual({ value: null, standardError: null, count: 1, needed: 4 })
  })

  it('is exact without scatter: no noise gives 0, and a constant ratio gives that ratio', () => {
    const none = gradientNoise.read(fed(Array(8).fill([2, 2])))
    expect(none.noiseScale).toEqual({ value: 0, standardError: 0, count: 8, needed: 4 })
    // ‖G‖² = (64·2 − 16·5)/48 = 1 and trΣ = 3/(1/16 − 1/64) = 64.
    const some = gradientNoise.read(fed(Array(8).fill([2, 5])))
    expect(some.noiseScale.value).toBeCloseTo(64, 10)
    expect(some.noiseScale.standardError).toBeCloseTo(0, 10)
  })

  it('tells no scale where the gradient drowns in noise', () => {
    const reading = gradientNoise.read(
      fed(Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? [1, 4.1] : [1, 3.9]))),
    )
    expect(reading.traceSigma.value).toBeCloseTo(64, 10)
    expect(reading.noiseScale.value).toBeNull()
    for (const pair of [
      [0, 0],
      [1, 8],
    ])
      expect(gradientNoise.read(fed(Array(8).fill(pair))).noiseScale.value).toBeNull()
  })

  it('reads the newest blocks only', () => {
    const state = fed([...Array(40).fill([2, 5]), ...Array(16).fill([2, 2])])
    expect(gradientNoise.read(state).traceSigma.value).toBe(0)
  })

  it('leaves out what says nothing', () => {
    const state = fed([[2, 5]])
    for (const [full, micro] of [
      [null, 5],
      [2, null],
      [Number.NaN, 5],
      [2, Number.POSITIVE_INFINITY],
      [-1, 5],
      [1e308, 1e308],
    ] as const)
      expect(gradientNoise.update(state, sample(full, micro))).toBe(state)
    for (const sizes of [
      { batchSize: 16, microBatchSize: 16 },
      { batchSize: 16, microBatchSize: 0 },
      { batchSize: null, microBatchSize: 4 },
    ])
      expect(gradientNoise.update(state, { ...sample(2, 5), ...sizes })).toBe(state)
  })
})
