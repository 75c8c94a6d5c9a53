import { describe, expect, it } from 'vitest'
import { ownRatesReport, runOwnRates } from './ownRates.ts'

/** Times fall with the rate up to the edge of a seed; beyond it a run does not arrive. */
const run = (edges: Record<number, number>, gain: number) =>
  runOwnRates({
    sizes: { seeds: [1, 2], batchSizes: [128, 4_096] },
    refinements: 1,
    momentum: 0.9,
    batches: [128, 1_024, 4_096].map((batchSize) => ({ batchSize, epochsMax: 1_000, middleRate: 1 })),
    timeOf: (batchSize, momentum) => async (seed, rate, cap) => {
      const factor = batchSize === 128 || momentum === 0 ? 1 : gain
      const epochs = 100 / rate
      return rate > edges[seed]! * factor || epochs > cap ? null : epochs
    },
  })

describe('rates of their own', () => {
  it('leave no seed behind whose edge lies lower, and give the gap by seed', async () => {
    const { batches, gapGrowth } = await run({ 1: 1.5, 2: 0.4 }, 8)
    expect(batches.map(({ batchSize }) => batchSize)).toEqual([128, 4_096])
    expect(batches[0]!.gap.mean).toBeCloseTo(1, 12)
    expect(batches[1]!.gap.mean).toBeCloseTo(8, 9)
    expect(batches[1]!.plain[1]!.rate).toBeLessThanOrEqual(0.4)
    expect(gapGrowth.mean).toBeCloseTo(Math.log(8), 9)
    expect(ownRatesReport({ batches, gapGrowth }, 1.5).match(/\*\*passed\*\*/g)).toHaveLength(2)
  })
  it('fail where a seed arrives at no rate', async () => {
    const { batches, gapGrowth } = await run({ 1: 1.5, 2: 1e-9 }, 8)
    expect(batches[1]!.gap.failures).toBe(1)
    expect(ownRatesReport({ batches, gapGrowth }, 1.5).match(/\*\*failed\*\*/g)).toHaveLength(2)
  })
})
