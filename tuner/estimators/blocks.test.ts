import { describe, expect, it } from 'vitest'
import { type BlocksState, blockSteps, blocks, withBudget } from './blocks.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }
import { longRunFactor } from './uncertainty.ts'

const fed = (budgetSteps: number | null, steps: readonly number[], lossOf: (i: number) => number) => {
  let state = blocks.init(budgetSteps)
  for (const [i, step] of steps.entries()) state = blocks.update(state, { step, value: lossOf(i) })
  return state
}
const range = (count: number) => Array.from({ length: count }, (_, i) => i)

/** The mean by increments and NumPy's pairwise sum differ by rounding only. */
function expectBlocks(
  state: BlocksState,
  expected: readonly { step: number; mean: number; count: number }[],
) {
  const reading = blocks.read(state)
  expect(reading.map(({ step, count }) => ({ step, count }))).toEqual(
    expected.map(({ step, count }) => ({ step, count })),
  )
  for (const [i, block] of reading.entries()) expect(block.mean).toBeCloseTo(expected[i]!.mean, 12)
}

describe('blocks', () => {
  it('are a two-hundredth of the budget long, and at least 10 steps', () => {
    expect([1, 2000, 2001, 3000, 1e6].map(blockSteps)).toEqual([10, 10, 11, 15, 5000])
    expect(blockSteps(null)).toBe(10)
  })

  it('hold the means that NumPy finds, with gaps between the samples', () => {
    const { budgetSteps, steps, values, blockSteps: length, blocks: expected } = oracles.blocks.gaps
    const state = fed(budgetSteps, steps, (i) => values[i]!)
    expect(state.blockSteps).toBe(length)
    expectBlocks(state, expected)
  })

  it('double in length without a budget, and always span the whole run', () => {
    const { stepCount, period, blockSteps: length, blocks: expected } = oracles.blocks.noBudget
    const state = fed(null, range(stepCount), (i) => Math.sin(i / period))
    expect(state.blockSteps).toBe(length)
    expectBlocks(state, expected)
  })

  it('close with their last step, not with the step after it', () => {
    expect(blocks.read(fed(100, range(9), () => 1))).toEqual([])
    expect(blocks.read(fed(100, range(10), () => 1))).toEqual([{ step: 0, mean: 1, count: 10 }])
  })

  it('stay within their bound over a million steps, budget or not, and lose no sample', () => {
    for (const [budgetSteps, most] of [
      [1000, 512],
      [null, 256],
    ] as const) {
      const state = fed(budgetSteps, range(1_000_000), (i) => i % 7)
      expect(state.blocks.length).toBeLessThan(most)
      const counted = state.blocks.reduce((sum, block) => sum + block.count, state.currentCount)
      expect(counted).toBe(1_000_000)
    }
  })

  it('lose no sample where steps are far apart and merging leaves gaps', () => {
    const state = fed(
      null,
      range(700).map((i) => i * 37 + (i % 3)),
      (i) => i,
    )
    const counted = state.blocks.reduce((sum, block) => sum + block.count, state.currentCount)
    expect(counted).toBe(700)
    const starts = state.blocks.map((block) => block.step)
    expect(starts).toEqual([...starts].sort((a, b) => a - b))
    expect(starts.every((step) => step % state.blockSteps === 0)).toBe(true)
  })

  it('leave out NaN, infinite, repeated and late samples', () => {
    const state = fed(100, range(15), (i) => i)
    for (const sample of [
      { step: 15, value: Number.NaN },
      { step: 15, value: Number.POSITIVE_INFINITY },
      { step: 14, value: 1 },
      { step: 3, value: 1 },
      { step: 15.5, value: 1 },
      { step: Number.NaN, value: 1 },
    ])
      expect(blocks.update(state, sample)).toBe(state)
  })

  it('merge when the budget grows, and keep their length when it shrinks', () => {
    const state = fed(1000, range(1000), (i) => i)
    const longer = withBudget(state, 10_000)
    expect(longer.blockSteps).toBe(80)
    expect(longer.blocks[0]).toEqual({ step: 0, mean: 39.5, count: 80 })
    const total = longer.blocks.reduce((sum, block) => sum + block.mean * block.count, 0)
    expect(total + longer.currentMean * longer.currentCount).toBeCloseTo(499_500, 6)
    expect(withBudget(longer, 1000).blockSteps).toBe(80)
  })

  it('refuse a budget that is none', () => {
    expect(() => blocks.init(0)).toThrow(
      new RangeError('budgetSteps must be a whole number of 1 or more, got 0'),
    )
    expect(() => blocks.init(Number.NaN)).toThrow(RangeError)
  })
})

describe('longRunFactor', () => {
  it('is what NumPy finds for correlated, independent, growing and alternating values', () => {
    for (const { values, factor } of oracles.longRunFactor)
      expect(longRunFactor(values)).toBeCloseTo(factor, 12)
  })

  it('is 1 where there is nothing to correct, and at most 6.3', () => {
    expect([[], [1], [1, 2], [3, 3, 3, 3]].map(longRunFactor)).toEqual([1, 1, 1, 1])
    expect(longRunFactor(range(10_000))).toBeCloseTo(Math.sqrt(1.95 / 0.05), 12)
  })
})
