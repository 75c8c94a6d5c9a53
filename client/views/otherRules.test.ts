import { describe, expect, it } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { costWords, curvesOf } from './otherRules.tsx'

describe('the cost of another rule', () => {
  it('has its sign and two digits, as it is a forecast less another', () => {
    expect([0.01234, -0.0031, 0, null].map(costWords)).toEqual(['+0.012', '−0.0031', '0', ''])
  })
})

describe('the curves of other rules', () => {
  it('are those whose step is known, with name and cost', () => {
    const { run } = syntheticRun({ id: 'x', step: 3121, budgetSteps: 6000 })
    const rule = { name: 'GreedyLR', isAhead: false, cost: 0.016 }
    expect(curvesOf(run, [{ ...rule, step: null }])).toEqual([])
    expect(curvesOf(run, [{ ...rule, step: 1140 }])).toMatchObject([
      { name: 'GreedyLR', cost: '+0.016', segments: [{ fromStep: 1140, toStep: 6000 }] },
    ])
  })
})
