import { describe, expect, it } from 'vitest'
import { createRandom, hashSeed, permutation } from './random.ts'

describe('seeded chance', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed).next)
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })
  it('has the moments of a uniform and of a normal variable', () => {
    const random = createRandom(9)
    const count = 20_000
    const uniform = Array.from({ length: count }, random.next)
    const normal = Array.from({ length: count }, random.normal)
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length
    // Four standard errors of a mean over 20,000 draws: .0082 (uniform), .028 (normal), .04 (its square).
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.0082)
    expect(Math.abs(mean(normal))).toBeLessThan(0.028)
    expect(Math.abs(mean(normal.map((x) => x * x)) - 1)).toBeLessThan(0.04)
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...uniform)).toBeLessThan(1)
  })
  it('permutes every number exactly once', () => {
    const order = permutation(100, createRandom(4))
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect([...permutation(0, createRandom(4))]).toEqual([])
  })
  it('derives streams that differ by purpose, also for large seeds', () => {
    expect(
      new Set([hashSeed(1, 1), hashSeed(1, 2), hashSeed(2, 1), hashSeed(1), hashSeed(2 ** 40 + 1, 1)]).size,
    ).toBe(5)
  })
})
