import { describe, expect, it } from 'vitest'
import { lossTrend, trendOfBlocks } from './lossTrend.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }

const oracle = oracles.lossTrend

describe('lossTrend', () => {
  it('is the slope of the last 64 blocks with the interval that SciPy gives', () => {
    const blocks = oracle.step.map((step, i) => ({ step, mean: oracle.mean[i]!, count: 10 }))
    const trend = trendOfBlocks(blocks)
    expect(trend.count).toBe(64)
    // The same pair of blocks is picked: rounding only.
    expect(Math.abs(trend.value! / oracle.value - 1)).toBeLessThan(1e-12)
    expect(Math.abs(trend.standardError! / oracle.standardError - 1)).toBeLessThan(1e-9)
  })

  it('needs eight blocks and says so', () => {
    let state = lossTrend.init({ budgetSteps: 100 })
    for (let step = 0; step < 75; step++) state = lossTrend.update(state, { step, value: 1 })
    expect(lossTrend.read(state)).toEqual({ value: null, standardError: null, count: 7, needed: 8 })
  })

  it('finds a straight line exactly and a constant flat', () => {
    let line = lossTrend.init({ budgetSteps: 100 })
    let flat = lossTrend.init({ budgetSteps: 100 })
    for (let step = 0; step < 100; step++) {
      line = lossTrend.update(line, { step, value: 2 - step / 4 })
      flat = lossTrend.update(flat, { step, value: 2 })
    }
    expect(lossTrend.read(line)).toEqual({ value: -0.25, standardError: 0, count: 10, needed: 8 })
    expect(lossTrend.read(flat)).toEqual({ value: 0, standardError: 0, count: 10, needed: 8 })
  })

  it('has no value where the differences overflow', () => {
    const blocks = Array.from({ length: 10 }, (_, i) => ({ step: i, mean: i % 2 ? 1e308 : -1e308, count: 1 }))
    const { value, standardError } = trendOfBlocks(blocks)
    expect(value === null || Number.isFinite(value)).toBe(true)
    expect(standardError).toBeNull()
  })
})
