import { describe, expect, it } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { annealFrom, otherRulesOf } from './otherRules.ts'

const { run, decisions } = syntheticRun({ id: 'x', step: 3121, budgetSteps: 6000 })
const hold = decisions.findLast(({ kind }) => kind === 'hold')!

describe('other rules', () => {
  it('have the step at which each lowers the rate, or will, and what that costs beside the plan', () => {
    const { own, rules, expected } = otherRulesOf(run, decisions, hold)
    expect(own).toEqual({ name: 'This run', step: 3960, isAhead: true, cost: null })
    expect(expected).toEqual({ loss: 0.284, step: hold.step })
    expect(rules.map(({ name, step, isAhead }) => [name, step, isAhead])).toEqual([
      ['GreedyLR', 1140, false],
      ['ReduceLROnPlateau', 1860, false],
      ['dlib slope test', 2580, false],
      ['Fixed 45 % anneal', 3300, true],
    ])
    expect(rules[0]!.cost).toBeCloseTo(0.016, 12)
  })

  it('keep the losses of the last decision that told them, and have none where none did', () => {
    const later = { ...hold, number: hold.number + 1, counterfactuals: [{ rule: 'GreedyLR', step: 1140 }] }
    expect(otherRulesOf(run, [...decisions, later], later).rules[0]!.cost).toBeCloseTo(0.016, 12)
    expect(otherRulesOf(run, [later], later)).toMatchObject({ expected: null, rules: [{ cost: null }] })
  })

  it('are drawn as an anneal from there to the end of the budget', () => {
    expect(annealFrom(run, 1140)).toMatchObject([{ fromStep: 1140, toStep: 6000, from: 0.1, to: 0 }])
    expect(annealFrom({ ...run, budgetSteps: null }, 1140)).toBeNull()
    expect(annealFrom(run, 6000)).toBeNull()
  })
})
