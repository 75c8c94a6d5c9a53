// Runs without a budget: they hold while going on is worth it, then anneal and finish by themselves.

import { describe, expect, it } from 'vitest'
import { decisionsOf, syntheticRun } from '../../testing/syntheticRun.ts'
import { openAnnealSteps } from './openAnneal.ts'

const common = { reason: 'to see', by: 'somebody' }
/** Levels off at about step 10,000. */
const open = { seed: 1, budgetSteps: null, learningRate: 0.02, traceSigma: 5, stepCount: 40_000 }

describe('a run without a budget', () => {
  const run = syntheticRun(open)

  it('says with each hold how much evidence there is and how much is needed', () => {
    const holds = decisionsOf(run, 'hold')
    expect(holds[0]?.summary).toBe(
      'Holding the large step at 0.156: not enough evidence yet (1 of 13 probes).',
    )
    expect(holds.at(-1)?.summary).toMatch(
      /^Holding the large step at 0\.156: evidence [\d.]+ of 20 needed that going on gains less than [\d.e-]+ per 100 steps\.$/,
    )
    expect(holds.at(-1)?.test).toMatchObject({ relation: '>=', right: { value: 20 }, satisfied: false })
  })

  it('anneals once going on is not worth it, and ends', () => {
    const [decision, ...others] = decisionsOf(run, 'switch')
    expect(others).toEqual([])
    expect(decision?.summary).toMatch(/: going on gains less than it is worth\.$/)
    expect(decision?.test?.left.value).toBeGreaterThanOrEqual(20)
    expect(run.state.lifecycle).toBe('finished')
    const length = run.state.step - decision!.step
    expect(length).toBeGreaterThanOrEqual(0.1 * decision!.step)
    expect(length).toBeLessThanOrEqual(decision!.step)
  })

  it('does not hold a rate set by hand against the large step', () => {
    const at = { kind: 'override', learningRate: 0.0001, untilStep: 12_000, ...common } as const
    const held = syntheticRun({ ...open, stepCount: 9_000, commands: { 3000: at } })
    expect(held.state.phase).toBe('large')
    expect(held.state.sequential.blocks).toEqual([])
  })

  it('with the loss alone has nothing to compare with, and waits for a person', () => {
    const blind = syntheticRun({ ...open, stepCount: 4_000, capabilities: [] })
    expect(blind.state.phase).toBe('large')
    expect(decisionsOf(blind, 'switch')).toEqual([])
  })
})

describe('the length of its anneal', () => {
  const at = { step: 10_000, scale: 3, tolerancePerStep: 0.001 }

  it('is 2b/p at the border, and half of that where going on gains nothing', () => {
    expect(openAnnealSteps({ ...at, slope: 0.001 })).toBe(6_000)
    expect(openAnnealSteps({ ...at, slope: 0 })).toBe(3_000)
    expect(openAnnealSteps({ ...at, slope: -1 })).toBe(3_000)
    expect(openAnnealSteps({ ...at, slope: 0.002 })).toBe(3_000)
  })

  it('is a tenth of the steps so far to all of them', () => {
    expect(openAnnealSteps({ ...at, slope: 1 })).toBe(1_000)
    expect(openAnnealSteps({ ...at, scale: 1_000, slope: 0 })).toBe(10_000)
  })
})
