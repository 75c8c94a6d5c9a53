// Another budget while a run goes on: what is undone, what switches at once, what ends.

import { describe, expect, it } from 'vitest'
import { commandedRun, common, firstByHand, switchSteps } from '../testing/commandedRun.ts'
import { decisionsOf } from '../testing/syntheticRun.ts'

describe('another budget', () => {
  const to = (budget: number | null) => ({ kind: 'set-budget', budgetSteps: budget, ...common }) as const

  it('longer: the run stays large in proportion', () => {
    const run = commandedRun({ 1000: to(4_000) }, { stepCount: 4_000 })
    expect(firstByHand(run)).toBe('Budget set to 4,000 steps at step 1,000.')
    expect(switchSteps(run)[0]).toBeGreaterThan(3_000)
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 4_000 })
  })

  it('longer in the anneal: a switch that was forced is undone, where a fifth of the budget is left', () => {
    const run = commandedRun({ 1900: to(3_000) }, { stepCount: 3_000 })
    const [undo] = decisionsOf(run, 'undo')
    expect(undo).toMatchObject({ step: 1_900, rule: { id: 'marginal-cost' }, test: { satisfied: true } })
    expect(undo?.summary).toBe(
      'Switch undone at step 1,900 (the budget is longer): back to 0.02 over 30 steps.',
    )
    expect(run.learningRates[1_940]).toBe(0.02)
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 3_000, switchStep: 2_700 })
  })

  it('longer once more: a switch is undone once', () => {
    const run = commandedRun({ 1900: to(3_000), 2800: to(6_000) }, { stepCount: 6_000 })
    expect(decisionsOf(run, 'undo')).toHaveLength(1)
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 6_000, switchStep: 2_700 })
  })

  it('longer after a person’s switch: that stands, and its rate goes on without a jump', () => {
    const switchNow = { kind: 'switch-now', ...common } as const
    const run = commandedRun({ 600: switchNow, 1000: to(4_000) }, { stepCount: 4_000 })
    expect(decisionsOf(run, 'undo')).toEqual([])
    for (let step = 601; step < 4_000; step++)
      expect(run.learningRates[step]).toBeLessThanOrEqual(run.learningRates[step - 1]! + 1e-12)
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 4_000 })
  })

  it('longer for a job that only reports its loss: back where the fallback plan would not have switched yet', () => {
    const run = commandedRun({ 700: to(4_000) }, { stepCount: 4_000, capabilities: [] })
    expect(decisionsOf(run, 'undo')).toHaveLength(1)
    const late = commandedRun({ 700: to(2_200) }, { stepCount: 2_200, capabilities: [] })
    expect(decisionsOf(late, 'undo')).toEqual([])
    expect(late.state).toMatchObject({ lifecycle: 'finished', step: 2_200 })
  })

  it('longer in the anneal, with too little left to anneal once more: the anneal lengthens, and its last probe with it', () => {
    const run = commandedRun({ 1950: to(2_400) }, { stepCount: 2_400 })
    expect(run.state.switchStep).toBe(1_800)
    expect(decisionsOf(run, 'finish')[0]).toMatchObject({ step: 2_400 })
    expect(decisionsOf(run, 'finish')[0]?.summary).toContain('held-out loss')
  })

  it('shorter: the switch is forced when a tenth of it is left', () => {
    const run = commandedRun({ 900: to(1_000) })
    expect(switchSteps(run)[0]).toBeGreaterThanOrEqual(900)
    expect(switchSteps(run)[0]).toBeLessThanOrEqual(910)
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 1_000 })
    expect(run.learningRates).toHaveLength(1_000)
  })

  it('shorter than the steps already taken: the run ends', () => {
    const run = commandedRun({ 900: to(500) })
    expect(decisionsOf(run, 'finish')[0]?.summary).toBe('Budget set to 500 steps at step 900: finished.')
    expect(run.learningRates).toHaveLength(900)
  })

  it('shorter: switches at once where the rule is plainly met', () => {
    // Much noise: annealing gains a good deal, and little of the budget is left to gain anything else.
    const run = commandedRun(
      { 900: to(1_200) },
      {
        traceSigma: 40,
        capabilities: ['microBatchNorms', 'heldOutLoss', 'averagedWeights'],
        budgetSteps: 20_000,
      },
    )
    expect(switchSteps(run)).toEqual([900])
    expect(decisionsOf(run, 'switch')[0]?.summary).toContain('staying still gains no more than annealing')
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 1_200 })
  })

  it('shorter than the steps already taken, in the anneal: the run ends', () => {
    const run = commandedRun({ 600: { kind: 'switch-now', ...common }, 900: to(500) })
    expect(decisionsOf(run, 'finish')[0]?.summary).toBe('Budget set to 500 steps at step 900: finished.')
    expect(run.learningRates).toHaveLength(900)
  })

  it('one where there was none: the switch is forced when a tenth of it is left', () => {
    const run = commandedRun({ 900: to(2_000) }, { budgetSteps: null, stepCount: 2_000 })
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 2_000, switchStep: 1_800 })
  })

  it('none in the anneal: it ends where it was to end', () => {
    const run = commandedRun({ 600: { kind: 'switch-now', ...common }, 900: to(null) }, { stepCount: 4_000 })
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 2_000 })
  })

  it('none: the large step goes on until it is not worth it, or somebody asks for the switch', () => {
    const run = commandedRun({ 900: to(null), 3000: { kind: 'switch-now', ...common } }, { stepCount: 5_000 })
    expect(firstByHand(run)).toBe('Budget removed at step 900.')
    expect(run.learningRates[2_990]).toBe(0.02)
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: 3_300 })
  })
})
