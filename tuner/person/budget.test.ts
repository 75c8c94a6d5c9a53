// Another budget while a run goes on: what is undone, what switches at once, what ends.

import { describe, expect, it } from 'vitest'
import { switchStepOf } from '../state.ts'
import { byHand, commandedRun, common, switchSteps } from '../testing/commandedRun.ts'
import { decisionsOf, type SyntheticResult } from '../testing/syntheticRun.ts'

const to = (budget: number | null) => ({ kind: 'set-budget', budgetSteps: budget, ...common }) as const
const switchNow = { kind: 'switch-now', ...common } as const
/** Where the run has come to, and the switch that led there. */
const endOf = ({ state }: SyntheticResult) => ({
  lifecycle: state.lifecycle,
  step: state.seen.step,
  switchStep: switchStepOf(state.course),
})

describe('a longer budget', () => {
  it('keeps the run large in proportion', () => {
    const run = commandedRun({ 1000: to(4_000) }, { stepCount: 4_000 })
    expect(byHand(run)[0]).toBe('hold at 1000: budget-set')
    expect(run.decisions.find(({ reason }) => reason.key === 'budget-set')).toMatchObject({
      person: { by: common.by },
      reason: { values: { budgetSteps: 4_000 } },
    })
    expect(switchSteps(run)[0]).toBeGreaterThan(3_000)
    expect(endOf(run)).toMatchObject({ lifecycle: 'finished', step: 4_000 })
  })

  it('undoes a switch that was forced, where a fifth of the budget is left', () => {
    const run = commandedRun({ 1900: to(3_000) }, { stepCount: 3_000 })
    expect(decisionsOf(run, 'undo')).toMatchObject([
      {
        step: 1_900,
        rule: { id: 'marginal-cost' },
        reason: { key: 'undone-longer', values: { rate: 0.02, climbSteps: 30 } },
        test: { key: 'longer-budget', relation: '>', satisfied: true },
      },
    ])
    expect(run.learningRates[1_940]).toBe(0.02)
    expect(endOf(run)).toEqual({ lifecycle: 'finished', step: 3_000, switchStep: 2_700 })
  })

  it('is judged anew at each raise', () => {
    const run = commandedRun({ 1900: to(3_000), 2800: to(6_000) }, { stepCount: 6_000 })
    expect(decisionsOf(run, 'undo').map(({ step }) => step)).toEqual([1_900, 2_800])
    expect(endOf(run)).toEqual({ lifecycle: 'finished', step: 6_000, switchStep: 5_400 })
  })

  it('leaves a person’s switch, and its rate goes on without a jump', () => {
    const run = commandedRun({ 600: switchNow, 1000: to(4_000) }, { stepCount: 4_000 })
    expect(decisionsOf(run, 'undo')).toEqual([])
    for (let step = 601; step < 4_000; step++)
      expect(run.learningRates[step]).toBeLessThanOrEqual(run.learningRates[step - 1]! + 1e-12)
    expect(endOf(run)).toMatchObject({ lifecycle: 'finished', step: 4_000, switchStep: 600 })
  })

  it('of a job that only reports its loss goes back where the fallback plan would not have switched yet', () => {
    const run = commandedRun({ 1600: to(4_000) }, { stepCount: 4_000, capabilities: [] })
    expect(decisionsOf(run, 'undo')).toMatchObject([{ reason: { key: 'undone-longer' } }])
    expect(decisionsOf(run, 'undo')[0]?.test).toBeUndefined()
    const late = commandedRun({ 1700: to(2_200) }, { stepCount: 2_200, capabilities: [] })
    expect(decisionsOf(late, 'undo')).toEqual([])
    expect(endOf(late)).toMatchObject({ lifecycle: 'finished', step: 2_200 })
  })

  it('with too little left to anneal once more lengthens the anneal, and its last probe with it', () => {
    const run = commandedRun({ 1950: to(2_400) }, { stepCount: 2_400 })
    expect(endOf(run)).toMatchObject({ step: 2_400, switchStep: 1_800 })
    const [finish] = decisionsOf(run, 'finish')
    expect(finish?.step).toBe(2_400)
    expect(finish?.reached).toBeGreaterThan(0)
  })
})

describe('a shorter budget', () => {
  it('forces the switch when a tenth of it is left', () => {
    const run = commandedRun({ 900: to(1_000) })
    expect(switchSteps(run)[0]).toBeGreaterThanOrEqual(900)
    expect(switchSteps(run)[0]).toBeLessThanOrEqual(910)
    expect(endOf(run)).toMatchObject({ lifecycle: 'finished', step: 1_000 })
    expect(run.learningRates).toHaveLength(1_000)
  })

  it.each([
    ['in the large phase', {}],
    ['in the anneal', { 600: switchNow }],
  ])('that is used up already ends the run: %s', (_, before) => {
    const run = commandedRun({ ...before, 900: to(500) })
    expect(byHand(run).at(-1)).toBe('finish at 900: finished-by-budget')
    expect(decisionsOf(run, 'finish')[0]?.reason.values).toMatchObject({ budgetSteps: 500, step: 900 })
    expect(run.learningRates).toHaveLength(900)
  })

  it('switches at once where the rule is plainly met', () => {
    // Much noise: annealing gains a good deal, and little of the budget is left to gain anything else.
    const run = commandedRun(
      { 900: to(1_200) },
      {
        traceSigma: 40,
        capabilities: ['microBatchNorms', 'heldOutLoss', 'averagedWeights'],
        budgetSteps: 20_000,
      },
    )
    expect(decisionsOf(run, 'switch')).toMatchObject([
      { step: 900, reason: { key: 'anneal-rule' }, test: { key: 'marginal-cost', satisfied: true } },
    ])
    expect(endOf(run)).toMatchObject({ lifecycle: 'finished', step: 1_200 })
  })

  it('in the anneal ends it sooner, from the rate that it has', () => {
    const run = commandedRun({ 600: switchNow, 900: to(1_200) })
    expect(endOf(run)).toMatchObject({ lifecycle: 'finished', step: 1_200 })
    expect(run.learningRates[900]).toBeCloseTo(run.learningRates[899]!, 3)
    expect(run.learningRates.at(-1)).toBeLessThan(0.001)
  })
})

describe('a budget', () => {
  it('where there was none forces the switch when a tenth of it is left', () => {
    const run = commandedRun({ 900: to(2_000) }, { budgetSteps: null, stepCount: 2_000 })
    expect(endOf(run)).toEqual({ lifecycle: 'finished', step: 2_000, switchStep: 1_800 })
  })

  it('that is removed in the anneal leaves its end where it was', () => {
    const run = commandedRun({ 600: switchNow, 900: to(null) }, { stepCount: 4_000 })
    expect(endOf(run)).toMatchObject({ lifecycle: 'finished', step: 2_000 })
  })

  it('that is removed lets the large step go on until it is not worth it, or somebody asks for the switch', () => {
    const run = commandedRun({ 900: to(null) }, { stepCount: 9_000 })
    expect(byHand(run)).toEqual(['hold at 900: budget-removed'])
    const [decision] = decisionsOf(run, 'switch')
    expect(decision?.reason.key).toBe('anneal-tolerance')
    expect(run.learningRates[decision!.step - 10]).toBe(0.02)
    expect(run.state.lifecycle).toBe('finished')
    const asked = commandedRun({ 900: to(null), 950: switchNow }, { stepCount: 5_000 })
    expect(byHand(asked)).toEqual(['hold at 900: budget-removed', 'switch at 950: anneal-command'])
    expect(asked.state.lifecycle).toBe('finished')
  })
})
