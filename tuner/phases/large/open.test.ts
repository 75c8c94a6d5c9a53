// Runs without a budget: they hold while going on is worth it, then anneal and finish by themselves.

import { describe, expect, it } from 'vitest'
import { latePointsNeeded } from '../../estimators/lateSlope.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../../testing/syntheticRun.ts'

/** Levels off within two thousand steps, at a rate that a race leaves alone. */
const open: SyntheticOptions = {
  seed: 1,
  budgetSteps: null,
  learningRate: 0.05,
  rateLimits: { min: 0.05, max: 0.05 },
  dimensions: 200,
  curvatureMin: 0.003,
  traceSigma: 20,
  stepCount: 12_000,
}

describe('a run without a budget', () => {
  const run = syntheticRun(open)
  const holds = decisionsOf(run, 'hold').filter(({ rule }) => rule.id === 'diminishing-returns')

  it('says with each hold what as many steps again would take off, and what they must', () => {
    expect(holds[0]?.reason).toMatchObject({
      key: 'few-probes',
      values: { count: 1, needed: latePointsNeeded, rate: 0.05 },
    })
    const last = holds.findLast(({ reason }) => reason.key === 'still-worth')!
    expect(last.test).toMatchObject({ key: 'diminishing-returns', relation: '<=', satisfied: false })
    const { gain, error, worth } = last.reason.values
    expect(last.test?.left).toEqual({ value: gain, standardError: error })
    expect(last.test?.right).toEqual({ value: worth, standardError: null })
    expect(gain! + error!).toBeGreaterThan(worth!)
  })

  it('anneals once going on is not worth it, and ends', () => {
    const [decision, ...others] = decisionsOf(run, 'switch')
    expect(others).toEqual([])
    expect(decision).toMatchObject({
      rule: { id: 'diminishing-returns' },
      reason: { key: 'anneal-tolerance' },
      test: { satisfied: true },
    })
    expect(decision?.test?.hits.met).toBeGreaterThanOrEqual(2)
    expect(run.state.lifecycle).toBe('finished')
    expect(run.state.seen.step).toBe(Math.ceil(1.4 * decision!.step))
  })

  it('with the loss alone has nothing to compare with, and waits for a person', () => {
    const blind = syntheticRun({ ...open, stepCount: 4_000, capabilities: [] })
    expect(blind.state.course.kind).toBe('large')
    expect(decisionsOf(blind, 'switch')).toEqual([])
    expect(decisionsOf(blind, 'finish')).toEqual([])
  })

  it('with held-out losses alone, of weights that are not averaged, ends by what was learned', () => {
    const raw = syntheticRun({ ...open, capabilities: ['heldOutLoss'] })
    expect(decisionsOf(raw, 'switch')).toMatchObject([{ reason: { key: 'anneal-tolerance' } }])
    expect(raw.state.lifecycle).toBe('finished')
  })
})
