import { describe, expect, it } from 'vitest'
import oracles from '../estimators/oracles/oracles.json' with { type: 'json' }
import { normals, random } from './random.ts'

describe('random', () => {
  it('gives the words of an independent implementation', () => {
    for (const { seed, words } of oracles.random) {
      const next = random(seed)
      expect(words.map(() => next() * 2 ** 32)).toEqual(words)
    }
  })

  it('stays in [0, 1) with the mean and variance of the uniform distribution', () => {
    const next = random(7)
    const values = Array.from({ length: 100_000 }, next)
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    // Four standard errors: 4·√(1/12/100,000).
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0037)
  })

  it('refuses a seed that is none', () => {
    for (const seed of [-1, 0.5, 2 ** 32, Number.NaN])
      expect(() => random(seed)).toThrow(`seed must be a whole number from 0 to 4294967295, got ${seed}`)
  })
})

describe('normals', () => {
  it('have mean 0, variance 1 and the tails of the normal distribution', () => {
    const next = normals(random(8))
    const values = Array.from({ length: 100_000 }, next)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length - mean * mean
    const outside = values.filter((value) => Math.abs(value) > 1.96).length / values.length
    // Four standard errors each.
    expect(Math.abs(mean)).toBeLessThan(0.0127)
    expect(Math.abs(variance - 1)).toBeLessThan(0.018)
    expect(Math.abs(outside - 0.05)).toBeLessThan(0.0028)
  })
})
