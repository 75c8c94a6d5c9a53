// Runs without a budget: they hold while going on is worth it, then anneal and finish by themselves.

import { describe, expect, it } from 'vitest'
import { sequentialDifferencesNeeded } from '../../estimators/sequentialTest.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../../testing/syntheticRun.ts'

const common = { reason: 'to see', by: 'somebody' }
/** Levels off within a thousand steps, at a rate that a race leaves alone. */
const open: SyntheticOptions = {
  seed: 1,
  budgetSteps: null,
  learningRate: 0.05,
  rateLimits: { min: 0.05, max: 0.05 },
  dimensions: 200,
  curvatureMin: 0.3,
  traceSigma: 20,
  stepCount: 12_000,
}

describe('a run without a budget', () => {
  const run = syntheticRun(open)
  const holds = decisionsOf(run, 'hold').filter(({ rule }) => rule.id === 'sequential')

  it('says with each hold how much evidence there is and how much is needed', () => {
    expect(holds[0]?.reason).toMatchObject({
      key: 'few-probes',
      values: { count: 1, needed: sequentialDifferencesNeeded + 1, rate: 0.05 },
    })
    const last = holds.at(-1)!
    expect(last.reason).toMatchObject({ key: 'open-evidence', values: { needed: 20, per: 100 } })
    expect(last.reason.values.worth).toBeGreaterThan(0)
    expect(last.reason.values.evidence).toBe(last.test?.left.value)
    expect(last.test).toMatchObject({
      key: 'sequential',
      relation: '>=',
      right: { value: 20 },
      satisfied: false,
    })
  })

  it('anneals once going on is not worth it, and ends', () => {
    const [decision, ...others] = decisionsOf(run, 'switch')
    expect(others).toEqual([])
    expect(decision).toMatchObject({ rule: { id: 'sequential' }, reason: { key: 'anneal-tolerance' } })
    expect(decision?.test?.left.value).toBeGreaterThanOrEqual(20)
    expect(run.state.lifecycle).toBe('finished')
    const length = run.state.seen.step - decision!.step
    expect(length).toBeGreaterThanOrEqual(0.1 * decision!.step)
    expect(length).toBeLessThanOrEqual(decision!.step)
  })

  it('does not hold a rate set by hand against the large step', () => {
    const at = { kind: 'override', learningRate: 0.0001, untilStep: 6_000, ...common } as const
    const held = syntheticRun({ ...open, stepCount: 5_000, commands: { 3000: at } })
    expect(held.state.course.kind).toBe('large')
    if (held.state.course.kind === 'large') expect(held.state.course.sequential.blocks).toEqual([])
  })

  it('with the loss alone has nothing to compare with, and waits for a person', () => {
    const blind = syntheticRun({ ...open, stepCount: 4_000, capabilities: [] })
    expect(blind.state.course.kind).toBe('large')
    expect(decisionsOf(blind, 'switch')).toEqual([])
    expect(decisionsOf(blind, 'finish')).toEqual([])
  })

  it('with held-out losses alone, of weights that are not averaged, says that no gain is measured', () => {
    const raw = syntheticRun({ ...open, stepCount: 6_000, capabilities: ['heldOutLoss'] })
    expect(decisionsOf(raw, 'hold').at(-1)?.reason.key).toBe('open-no-gain')
    expect(raw.state.course.kind).toBe('large')
  })
})
