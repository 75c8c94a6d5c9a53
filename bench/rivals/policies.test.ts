// Every policy by its name, fed like a run, and the few whose rates are known without a reference.

import { describe, expect, it } from 'vitest'
import { createPolicy, type Policy, policyNames } from './policies.ts'

const options = { initialRate: 0.1, budgetSteps: 1_000, seed: 3 }

/** Runs a policy to the end of its budget on a loss curve; a held-out loss each 30 steps. Returns the rates. */
function steered(policy: Policy, lossAt: (step: number) => number): number[] {
  const rates: number[] = []
  for (let step = 0; step < options.budgetSteps && !policy.isStopped; step++) {
    rates.push(policy.rateFor(step))
    policy.observeLoss(step, lossAt(step), 100)
    if ((step + 1) % 30 === 0) policy.observeProbe(step + 1, lossAt(step))
  }
  return rates
}

describe('policies', () => {
  it.each(policyNames)('%s: a positive, finite rate for every step, the same when run again', (name) => {
    for (const lossAt of [(step: number) => 1 / (1 + step), () => 1, () => Number.NaN]) {
      const rates = steered(createPolicy(name, options), lossAt)
      expect(rates.every((rate) => Number.isFinite(rate) && rate > 0)).toBe(true)
      expect(steered(createPolicy(name, options), lossAt)).toEqual(rates)
    }
  })

  it.each(policyNames)('%s: refuses a rate of 0', (name) => {
    expect(() => createPolicy(name, { ...options, initialRate: 0 })).toThrow(/initialRate/)
  })

  it.each([
    ['fixed 10 %', 900],
    ['fixed 45 %', 550],
    ['fixed 80 %', 200],
    ['linear', 0],
  ] as const)('%s anneals linearly from step %i to 0 at the end of the budget', (name, fromStep) => {
    const policy = createPolicy(name, options)
    const rates = steered(policy, () => 1)
    expect(rates.slice(0, fromStep + 1)).toEqual(Array(fromStep + 1).fill(0.1))
    expect(rates[fromStep + 1]).toBeLessThan(0.1)
    expect(rates.at(-1)).toBeCloseTo(0.1 / (1_000 - fromStep), 12)
    expect(policy.rateFor(1_000)).toBe(0)
    expect(policy.firstLoweredStep).toBe(fromStep)
  })

  it('cosine is at half its rate half-way', () => {
    expect(createPolicy('cosine', options).rateFor(500)).toBeCloseTo(0.05, 12)
  })

  it('a random switch falls within 10 and 90 % of the budget, evenly over seeds', () => {
    const steps = Array.from({ length: 400 }, (_, seed) => {
      const policy = createPolicy('random switch', { ...options, seed })
      policy.rateFor(1_000)
      return policy.firstLoweredStep!
    })
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...steps)).toBeLessThanOrEqual(900)
    // The mean of 400 uniform numbers over 800 steps has a deviation of 11.5.
    expect(Math.abs(steps.reduce((sum, step) => sum + step, 0) / 400 - 500)).toBeLessThan(46)
  })

  it('the plateau rules lower at the probe after their patience, and not on a falling loss', () => {
    const plateau = createPolicy('ReduceLROnPlateau', options)
    steered(plateau, () => 1)
    // The first probe, at step 30, is the best one; the eleventh after it is one too many.
    expect(plateau.firstLoweredStep).toBe(360)
    const falling = createPolicy('ReduceLROnPlateau', options)
    expect(steered(falling, (step) => 1 / (1 + step)).at(-1)).toBe(0.1)
  })

  it('GreedyLR at a rate of Adam keeps room to lower it', () => {
    const policy = createPolicy('GreedyLR, per step', { ...options, initialRate: 3e-4 })
    const rates = steered(policy, () => 1)
    expect(Math.min(...rates)).toBeLessThan(3e-5 * 1.06)
    expect(policy.firstLoweredStep).toBe(12)
  })
})
